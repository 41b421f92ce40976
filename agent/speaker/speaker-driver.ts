// Brings a speaker to the plan: remembers what it was told, tells it only the difference, and keeps what it refused
// for the next try. The speaker is made with the first plan, because it has no meaning without an AS and a router ID.
import type { Problem } from '#api';
import { type PeerConfig, Speaker, type Transport } from '#bgp';
import type { Clock, Random, Scheduler, Timer } from '#world';
import type { Fib } from '../fib/fib.ts';
import type { Log } from '../log.ts';
import { type Plan, planDifference } from '../plan/index.ts';

/** A port that another program holds may come free. */
const LISTEN_RETRY_MS = 5_000;

export interface SpeakerDriverIo {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly transport: Transport;
  readonly log: Log;
}

export class SpeakerDriver implements AsyncDisposable {
  readonly #io: SpeakerDriverIo;
  /** Undefined with --fib none. */
  readonly #fib: Fib | undefined;
  readonly #retry: () => void;
  #speaker: Speaker | undefined;
  #unsubscribe: (() => void) | undefined;
  /** What the speaker has been told and has taken. */
  #applied: Plan | undefined;
  #refusals: Problem[] = [];
  #listenProblem: Problem | undefined;
  #listenTimer: Timer | undefined;
  #isListening = false;
  #isClosed = false;

  /** @param retry called when it is worth calling apply() again */
  constructor(fib: Fib | undefined, io: SpeakerDriverIo, retry: () => void) {
    this.#fib = fib;
    this.#io = io;
    this.#retry = retry;
  }

  get speaker(): Speaker | undefined {
    return this.#speaker;
  }

  problems(): readonly Problem[] {
    return this.#listenProblem === undefined ? this.#refusals : [this.#listenProblem, ...this.#refusals];
  }

  /** Can be called with the same plan again: what was refused is tried once more. */
  async apply(plan: Plan): Promise<void> {
    const speaker = (this.#speaker ??= this.#makeSpeaker(plan));
    const old = this.#applied;
    const difference = planDifference(old, plan);
    const accepted = new Map(old?.peers.map((peer) => [peer.config.id, peer]));
    this.#refusals = [];

    // Blocks are held before anybody is told of them, and until nobody is.
    if (difference.unreachable !== undefined) {
      this.#fib?.holdBlocks([...new Set([...(old?.kernel.unreachable ?? []), ...difference.unreachable])]);
    }
    let config = plan.speaker;
    if (old !== undefined && difference.speaker !== undefined && !(await this.#reconfigure(speaker, plan))) {
      config = old.speaker;
    }
    const moved = difference.updatedPeers.filter((config) =>
      isMoved(accepted.get(config.id)?.config, config),
    );
    const fromOf = new Map(plan.peers.map((peer) => [peer.config.id, peer.from]));
    const attempt = (peer: PeerConfig, act: (peer: PeerConfig) => void) => {
      const from = fromOf.get(peer.id) ?? '';
      try {
        act(peer);
        accepted.set(peer.id, { config: peer, from });
      } catch (error) {
        this.#refusals.push({ object: from, field: '', message: `session ${peer.id}: ${messageOf(error)}` });
      }
    };
    speaker.together(() => {
      for (const id of [...difference.removedPeers, ...moved.map((config) => config.id)]) {
        speaker.removePeer(id, 'no longer configured');
        accepted.delete(id);
      }
      for (const peer of difference.updatedPeers) {
        if (!moved.includes(peer)) attempt(peer, (c) => speaker.updatePeer(c));
      }
      for (const peer of [...moved, ...difference.addedPeers]) attempt(peer, (c) => speaker.addPeer(c));
    });
    if (difference.withdrawn.length > 0) speaker.withdraw(difference.withdrawn);
    if (difference.originated.length > 0) speaker.originate(difference.originated);
    if (difference.unreachable !== undefined) this.#fib?.holdBlocks(difference.unreachable);
    this.#applied = { ...plan, speaker: config, peers: [...accepted.values()] };
    if (!this.#isListening) this.#isListening = await this.#listening(() => speaker.start());
  }

  #makeSpeaker(plan: Plan): Speaker {
    const { clock, random, scheduler, transport, log } = this.#io;
    const speaker = new Speaker(plan.speaker, { clock, random, scheduler, transport, log });
    const fib = this.#fib;
    if (fib !== undefined) {
      speaker.setNextHopTracker(fib);
      this.#unsubscribe = fib.follow(speaker.forwarding);
    }
    return speaker;
  }

  /** False when the new configuration is not in force, so that it is tried again. */
  async #reconfigure(speaker: Speaker, plan: Plan): Promise<boolean> {
    return this.#listening(() => speaker.reconfigure(plan.speaker));
  }

  async #listening(act: () => Promise<void>): Promise<boolean> {
    this.#listenTimer?.cancel();
    try {
      await act();
      this.#listenProblem = undefined;
      return true;
    } catch (error) {
      this.#listenProblem = cannotListen(error);
      if (!this.#isClosed) this.#listenTimer = this.#io.clock.setTimer(LISTEN_RETRY_MS, this.#retry);
      return false;
    }
  }

  /** Kernel routes stay: the FIB hears nothing of the routes that go with the sessions. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#listenTimer?.cancel();
    this.#unsubscribe?.();
    this.#speaker?.setNextHopTracker(undefined);
    await this.#speaker?.stop({ message: 'the agent stops' });
  }
}

/** Another neighbour under the same id: the old one's address may be wanted by a third, so it goes first. */
function isMoved(old: PeerConfig | undefined, next: PeerConfig): boolean {
  return JSON.stringify(old?.remote) !== JSON.stringify(next.remote);
}

function cannotListen(error: unknown): Problem {
  return {
    object: 'BGPConfiguration default',
    field: 'spec.listenPort',
    message: `${messageOf(error)}; this node dials its neighbours, and they cannot connect to it until it can listen`,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
