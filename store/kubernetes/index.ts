// The door of the store of an API server, apart from the other stores': whoever reads a folder needs no client of
// Kubernetes in his memory.
import type { TextDocument } from '#api';
import type { Clock, Disk, Random } from '#world';
import type { Store } from '../store.ts';
import { type ClusterPlace, Credentials } from './credentials.ts';
import { HttpsApiServer } from './https-api-server.ts';
import { openKubernetesStore, type OwnInterest } from './kubernetes-store.ts';
import { readCluster } from './read-cluster.ts';
import type { Reader } from './watched-lists.ts';

export type { OwnInterest } from './kubernetes-store.ts';

/** Where podroute's Secrets stand when neither a pod nor a kubeconfig says it. */
const DEFAULT_NAMESPACE = 'kube-system';

export interface ClusterStoreIo {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  /** Who asks, in the server's audit log: 'podroute/0.1.0'. */
  readonly userAgent: string;
  /** Whose store it is: of Nodes and IPAMBlocks no others are followed than it needs. Undefined: all are. */
  readonly own?: OwnInterest;
  /** A folder of this node alone for the last good versions; undefined: they are forgotten at the end. */
  readonly keepIn?: string;
  /** What is followed: the controller needs every node's BGPNodeStatus, and no Secrets. */
  readonly reader?: Reader;
}

/** Where podroute's own Secrets and leases stand. Throws when nothing says where the API server is. */
export function namespaceOf(place: ClusterPlace, clock: Clock): string {
  return new Credentials(place, clock).namespace ?? DEFAULT_NAMESPACE;
}

/** What a cluster has at this moment, read and nothing else. Rejects when it does not answer or refuses to show a list. */
export async function lookAtCluster(
  place: ClusterPlace,
  clock: Clock,
  userAgent: string,
): Promise<readonly TextDocument[]> {
  const credentials = new Credentials(place, clock);
  const api = new HttpsApiServer(credentials, clock, userAgent);
  return readCluster(api, credentials.namespace ?? DEFAULT_NAMESPACE);
}

/** A Store over the objects of a cluster. Throws when nothing says where its API server is. */
export function openCluster(place: ClusterPlace, io: ClusterStoreIo): Store {
  const credentials = new Credentials(place, io.clock);
  const api = new HttpsApiServer(credentials, io.clock, io.userAgent);
  return openKubernetesStore({ ...io, api, namespace: credentials.namespace ?? DEFAULT_NAMESPACE });
}
