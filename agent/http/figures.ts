// What a scrape is written from: the node's numbers, as the parts of the agent have them.
import type {
  AddressUsage,
  PerFamily,
  RangeStatus,
  SessionStatus,
  StatusProblem,
  StatusReply,
} from '#agent-api';
import type { Family } from '#ip';
import type { StoreContact } from '#store';
import type { SyncFigures } from '../fib/kernel/sync-figures.ts';
import type { CallFigures } from '../status/call-figures.ts';

export interface Figures
  extends Pick<StatusReply, 'version' | 'node' | 'speaker' | 'podPacketsDropped' | 'leaks'> {
  /** Those that objects name one by one, or podroute makes; what connects from ranges is summed up by range. */
  readonly sessions: readonly SessionFigures[];
  /** That wait for a neighbour to be found on their link. */
  readonly waiting: number;
  readonly ranges: readonly RangeFigures[];
  readonly rib: { readonly prefixes: PerFamily; readonly paths: number; readonly changesWaiting: number };
  /** After a restart; empty: selection goes on. */
  readonly deferred: readonly { readonly family: Family; readonly neighbours: number }[];
  /** Undefined with --fib none. */
  readonly fib?: FibFigures;
  /** BFD packets that belong to no session; undefined: nobody listens. */
  readonly bfdUnclaimed?: number;
  readonly usage?: Pick<AddressUsage, 'pools' | 'blocks'> | undefined;
  readonly calls?: CallFigures;
  /** Undefined: a folder, which has no server. */
  readonly store?: StoreContact | undefined;
  readonly isReady: boolean;
  /** Undefined with --fib none. */
  readonly canGiveAddresses?: boolean;
  readonly problems: readonly StatusProblem[];
  readonly generation: number;
  readonly process: ProcessFigures;
}

export interface SessionFigures extends SessionStatus {
  /** As configured, so that no neighbour chooses it: an address, or '%eth0' for a link-local one. */
  readonly peerAddress: string;
}

export interface RangeFigures extends RangeStatus {
  readonly established: number;
  readonly accepted: PerFamily;
}

export interface FibFigures {
  readonly wanted: PerFamily;
  readonly installed: PerFamily;
  readonly failed: number;
  readonly repaired: number;
  readonly sync: SyncFigures;
}

/** Of the operating system, and of the engine. */
export interface ProcessFigures {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  /** Undefined: this system does not tell. */
  readonly openFiles?: number;
  readonly mostFiles?: number;
  /** Wall clock, seconds since 1970. */
  readonly startedAtSeconds: number;
  readonly eventLoopDelayP99Ms: number;
  readonly eventLoopDelayMaxMs: number;
}
