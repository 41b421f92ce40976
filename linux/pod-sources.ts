// From which addresses pods may send, as plain data: what arrives by a pod's link with any other source is dropped.
// nftables/kernel-pod-sources.ts makes the kernel do it, memory/memory-pod-sources.ts says what it would do.
import type { KernelError } from './kernel-error.ts';

/** The host's end of a pod's link, and every address that may come by it. */
export interface PodSource {
  readonly link: string;
  readonly addresses: readonly string[];
}

/** What becomes of one link: no `before`: it was not looked at until now; no `after`: it is not from now on. */
export interface SourceChange {
  readonly link: string;
  readonly before?: readonly string[];
  readonly after?: readonly string[];
}

/** Packets that were dropped since the table was made. */
export interface DroppedPackets {
  /** Their source address was not the pod's. */
  readonly source: number;
  /** Router advertisements. */
  readonly advertisement: number;
  /** From a link-local address, and more than a report of multicast groups. */
  readonly linkLocal: number;
}

/** Somebody else changed the table; or notifications were lost, of whatever there was. */
export type TableNews = 'changed' | 'lost';

/**
 * Links that are not named are never looked at. By one that is, come in: what is sent from its addresses; from `::` to
 * the link's groups (duplicate address detection); from a link-local address reports of multicast groups alone, since
 * the host would have to remember each that a pod makes up. It outlives the process.
 */
export interface PodSources extends AsyncDisposable {
  /**
   * These links, and no others, whatever there was before. A packet meets the old state or the new one, never none.
   */
  replace(sources: readonly PodSource[]): Promise<KernelError | undefined>;
  /** Nothing is looked at any more, and nothing of it is left. That there was none is no error. */
  remove(): Promise<KernelError | undefined>;
  /** All or nothing. ENOENT when what it builds on is not there (any more): replace it then. */
  change(changes: readonly SourceChange[]): Promise<KernelError | undefined>;
  /** What is in force. ENOENT when there is no table, or its rules are not all there. */
  list(): Promise<readonly PodSource[] | KernelError>;
  /** ENOENT when there is no table. */
  dropped(): Promise<DroppedPackets | KernelError>;
  /** Throws KernelError. */
  watch(heard: (news: TableNews) => void): Disposable;
}
