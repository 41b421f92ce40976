// All sessions of one speaker: configured neighbours, dynamic ones, and the listeners they arrive at.
// It knows nothing of routes; the speaker above gives it a SessionHandler.
import type { PeerConfig, SpeakerConfig } from '../config.ts';
import type { Clock, Random, Transport } from '../io.ts';
import type { ConfigChange } from './config-change.ts';
import type { PeerStatus, Session, SessionHandler } from './types.ts';

export interface SessionsIo {
  readonly clock: Clock;
  readonly random: Random;
  readonly transport: Transport;
}

/** 'hard' closes the connection (Cease/4); the soft kinds are the RIB's work and do nothing here. */
export type ResetKind = 'soft-in' | 'soft-out' | 'hard';

export class Sessions implements AsyncDisposable {
  constructor(_config: SpeakerConfig, _io: SessionsIo, _handler: SessionHandler) {}

  /** Listens on every configured address; rejects when one cannot be bound, with all of them closed again. */
  async start(): Promise<void> {
    throw new Error('not written yet');
  }

  /** New AS number or router ID resets what depends on it; new listen addresses are opened and old ones closed. */
  async reconfigure(_config: SpeakerConfig): Promise<void> {
    throw new Error('not written yet');
  }

  /** Throws when the id or the remote address is taken, or the transport cannot do what the neighbour needs. */
  addPeer(_config: PeerConfig): void {}
  /** Resets the session only where the protocol demands it; says what it did. */
  updatePeer(_config: PeerConfig): ConfigChange {
    throw new Error('not written yet');
  }
  /** Cease/3 with the reason as text. */
  removePeer(_id: string, _reason?: string): void {}
  /** Cease/4 and a new start without back-off; clears 'until reset'. */
  resetPeer(_id: string, _reason?: string): void {}

  /** The established session of a neighbour. */
  session(_peerId: string): Session | undefined {
    return undefined;
  }
  status(): PeerStatus[] {
    return [];
  }

  /** Ends everything: Cease/2 to all, or without a NOTIFICATION so that neighbours keep our routes (RFC 4724). */
  async stop(_options?: { readonly graceful?: boolean; readonly message?: string }): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
