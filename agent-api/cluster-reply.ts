// What `podroute status --all` prints: all nodes of a cluster, from what their agents have written of themselves.

export interface ClusterReply {
  readonly nodes: readonly ClusterNode[];
}

export interface ClusterNode {
  readonly node: string;
  /** Silent: its agent has written nothing for a quarter of an hour. None: it never has, or there is no agent. */
  readonly agent: 'reports' | 'silent' | 'none';
  /** It reports, and says that it does its work. */
  readonly isReady: boolean;
  /** There is a Node of its name. */
  readonly isNode: boolean;
  readonly version?: string;
  readonly asNumber?: number;
  readonly established: number;
  readonly wanted: number;
  readonly blocks: number;
  readonly addressesInUse: number;
  /** Pods that are gone and whose addresses are not given back; absent: none. */
  readonly leaked?: number;
  readonly problems: number;
  readonly updatedAt?: string;
  /** By the clock of whoever asks. */
  readonly ageSeconds?: number;
  /** What keeps it from being ready. */
  readonly wrong: readonly string[];
}
