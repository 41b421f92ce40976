// One host whose neighbour is the test: it hears the packets that the test makes, and what it sends is kept.
import assert from 'node:assert/strict';
import { type Random, SeededRandom } from '#world';
import { FakeClock } from '#world/testing';
import {
  type ControlPacket,
  decodeControlPacket,
  encodeControlPacket,
  MANDATORY_OCTETS,
  newControlPacket,
} from '../control-packet.ts';
import { newRefusal } from '../refusal.ts';
import type { BfdChange, BfdSessionConfig, BfdSessionStatus, BfdState } from '../session-config.ts';
import { BfdSessions } from '../sessions.ts';
import { DOWN, INIT, STATE_NAMES, UP } from '../state-machine.ts';
import { LOCAL, REMOTE, sessionConfig } from './wanted-session.ts';

export interface Sent extends ControlPacket {
  /** Since the host was made. */
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

export interface Arrival {
  hops?: 'single' | 'multi';
  from?: string;
  to?: string;
  device?: string;
  ttl?: number;
}

/** The neighbour's: what the test's packets have unless it says otherwise. */
export const NEIGHBOUR = 0x0a0b0c0d;

export function decoded(bytes: Uint8Array): ControlPacket {
  const packet = newControlPacket();
  const refusal = newRefusal();
  assert.ok(decodeControlPacket(bytes, packet, refusal), refusal.kind);
  return packet;
}

/** @param more `section`: an authentication section, which the packet's length counts */
export function packetBytes(
  packet: Partial<ControlPacket>,
  section: Uint8Array = new Uint8Array(),
): Uint8Array {
  const bytes = new Uint8Array(MANDATORY_OCTETS + section.length);
  encodeControlPacket(
    {
      ...newControlPacket(),
      state: DOWN,
      multiplier: 3,
      myDiscriminator: NEIGHBOUR,
      desiredMinTxMicros: 100_000,
      requiredMinRxMicros: 100_000,
      length: bytes.length,
      ...packet,
    },
    bytes,
  );
  bytes.set(section, MANDATORY_OCTETS);
  return bytes;
}

export class LoneHost {
  readonly clock = new FakeClock();
  readonly sessions: BfdSessions;
  readonly sent: Sent[] = [];
  readonly changes: BfdChange[] = [];
  /** What opening says instead of opening. */
  problem: string | undefined;
  opened = 0;
  closed = 0;
  readonly #startMs = this.clock.now();
  #discriminator = 0;

  constructor(random: Random = new SeededRandom(1)) {
    this.sessions = new BfdSessions({
      clock: this.clock,
      scheduler: this.clock,
      random,
      open: () => {
        if (this.problem !== undefined) return this.problem;
        this.opened++;
        return {
          send: (bytes) => {
            const packet = { ...decoded(bytes), atMs: this.nowMs, bytes: Uint8Array.from(bytes) };
            this.#discriminator ||= packet.myDiscriminator;
            this.sent.push(packet);
          },
          [Symbol.dispose]: () => void this.closed++,
        };
      },
      changed: (change) => this.changes.push(change),
    });
  }

  /** With one session, and its neighbour not heard yet. */
  static with(more: Partial<BfdSessionConfig> = {}): LoneHost {
    const host = new LoneHost();
    host.sessions.apply([sessionConfig(more)]);
    return host;
  }

  /** With one session in the given state. */
  static in(state: BfdState, more: Partial<BfdSessionConfig> = {}): LoneHost {
    const host = LoneHost.with(more);
    host.clock.advance(100);
    if (state === 'Init' || state === 'Up') host.hear({ state: DOWN, yourDiscriminator: 0 });
    if (state === 'Up') {
      host.hear({ state: INIT });
      host.hear({ state: UP, isFinal: true });
    }
    assert.equal(host.status().state, state);
    host.sent.splice(0);
    host.changes.splice(0);
    return host;
  }

  get nowMs(): number {
    return this.clock.now() - this.#startMs;
  }

  /** Of the session that sent first; 0: none has. */
  get discriminator(): number {
    return this.#discriminator;
  }

  /** A packet of the neighbour for the first session. */
  hear(packet: Partial<ControlPacket>, arrival?: Arrival, section?: Uint8Array): void {
    this.hearBytes(packetBytes({ yourDiscriminator: this.discriminator, ...packet }, section), arrival);
  }

  hearBytes(bytes: Uint8Array, arrival: Arrival = {}): void {
    const { hops = 'single', from = REMOTE, to = LOCAL, device = 'eth0', ttl = 255 } = arrival;
    this.sessions.receive(hops, bytes, from, to, device, ttl);
  }

  /** Lets time pass while the neighbour says the same each `everyMs`. */
  hearFor(ms: number, packet: Partial<ControlPacket>, everyMs = 50): void {
    for (let passed = 0; passed < ms; passed += everyMs) {
      this.hear(packet);
      this.clock.advance(everyMs);
    }
  }

  status(id = 'tor'): BfdSessionStatus {
    return this.sessions.status(id) ?? assert.fail(`no session ${id}`);
  }

  /** 'Down>Init, Init>Up' */
  get path(): string {
    return this.changes.map(({ from, to }) => `${from}>${to}`).join(', ');
  }

  /** What was sent since the last call: 'Up P', 'Init F'. */
  takeSent(): string {
    return this.sent
      .splice(0)
      .map(({ state, isPoll, isFinal }) => `${STATE_NAMES[state]}${isPoll ? ' P' : ''}${isFinal ? ' F' : ''}`)
      .join(', ');
  }
}
