// What is said between a test and the speaker's process.
import type { PeerConfig, PeerStatus, SpeakerConfig } from '#bgp';

export type Order =
  | {
      readonly do: 'start';
      readonly config: SpeakerConfig;
      readonly peers: readonly PeerConfig[];
      /** Its clock runs this many times as fast. */
      readonly clockSpeed?: number;
    }
  /** Own routes 100.0.0.0/24 and on; perSet of them share their attributes; aCall (1000) are given in one call. */
  | { readonly do: 'originate'; readonly count: number; readonly perSet: number; readonly aCall?: number }
  | { readonly do: 'addPeer' | 'updatePeer'; readonly peers: readonly PeerConfig[] }
  | { readonly do: 'removePeer'; readonly ids: readonly string[] }
  /** Begins anew with the figures. */
  | { readonly do: 'measure' | 'figures' | 'log' }
  | { readonly do: 'routes'; readonly limit: number };

export interface Figures {
  /** How late a timer was at most: by the wall, and of that this thread's own processor time. */
  readonly maxWallMs: number;
  readonly maxBusyMs: number;
  readonly p99WallMs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly arrayBufferBytes: number;
  readonly ribBytes: number;
  readonly openFiles: number;
  readonly strangersRefused: number;
  readonly peers: readonly PeerStatus[];
}

export interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}
