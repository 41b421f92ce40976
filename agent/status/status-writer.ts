// Writes the node's BGPNodeStatus into the store when it says something else than before: at most once a second, and
// counters alone at most every half minute, so that a cluster of busy nodes does not keep its API server busy. The store
// may be away for as long as it likes: the newest status is written when it is back.
import type { BGPNodeStatus, BGPNodeStatusStatus } from '#api';
import type { Store } from '#store';
import { type Clock, growingPauseMs, type Random, type Timer } from '#world';
import { tellingPart } from './node-status.ts';

const SHORTEST_MS = 1_000;
/** Reading the status costs time: nodes with many sessions look less often. */
const MS_A_SESSION = 20;
const COUNTERS_MS = 30_000;
/** Also when nothing is new: the controller takes an agent that is silent for three times as long for dead. */
const HEARTBEAT_MS = 300_000;
const LONGEST_RETRY_MS = 30_000;

export interface StatusWriterIo {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Pick<Store, 'get' | 'create' | 'updateStatus'>;
  /** What keeps it from being written, for people; none: it is. */
  readonly tell: (messages: readonly string[]) => void;
  /** @param before what was written last */
  readonly read: (before: BGPNodeStatusStatus | undefined) => Promise<BGPNodeStatusStatus>;
}

export class StatusWriter implements AsyncDisposable {
  readonly #node: string;
  readonly #io: StatusWriterIo;
  #timer: Timer | undefined;
  #stored: BGPNodeStatus | undefined;
  #written: BGPNodeStatusStatus | undefined;
  #writtenMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #writing: Promise<void> | undefined;
  #isClosed = false;

  constructor(node: string, io: StatusWriterIo) {
    this.#node = node;
    this.#io = io;
  }

  start(): void {
    this.#lookIn(SHORTEST_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#writing;
  }

  #lookIn(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer = this.#io.clock.setTimer(delayMs, () => {
      this.#writing = this.#look();
    });
  }

  async #look(): Promise<void> {
    let delayMs = SHORTEST_MS;
    try {
      const status = await this.#io.read(this.#written);
      if (this.#isClosed) return;
      delayMs = Math.max(SHORTEST_MS, (status.sessions?.length ?? 0) * MS_A_SESSION);
      if (this.#isWorthAWrite(status)) await this.#write(status);
      if (this.#failures > 0) this.#io.tell([]);
      this.#failures = 0;
    } catch (error) {
      this.#failures++;
      const pauses = { firstMs: SHORTEST_MS, longestMs: LONGEST_RETRY_MS };
      delayMs = Math.max(delayMs, growingPauseMs(pauses, this.#failures, this.#io.random));
      const message = error instanceof Error ? error.message : String(error);
      // Once may be another writer, or a moment without the server.
      if (this.#failures > 1)
        this.#io.tell([`BGPNodeStatus ${this.#node} cannot be written: ${message.trim()}`]);
    }
    this.#lookIn(delayMs);
  }

  #isWorthAWrite(status: BGPNodeStatusStatus): boolean {
    if (this.#written === undefined || tellingPart(status) !== tellingPart(this.#written)) return true;
    const restedMs = this.#io.clock.now() - this.#writtenMs;
    if (restedMs < COUNTERS_MS) return false;
    if (restedMs >= HEARTBEAT_MS) return true;
    const { updatedAt: _, ...now } = status;
    const { updatedAt: _before, ...before } = this.#written;
    return JSON.stringify(now) !== JSON.stringify(before);
  }

  /** Over whatever stands there: nobody else writes it. */
  async #write(status: BGPNodeStatusStatus): Promise<void> {
    const { store, clock } = this.#io;
    this.#stored ??= await this.#findOrMake();
    const result = await store.updateStatus({ ...this.#stored, status });
    if (result.kind !== 'stored') {
      this.#stored = result.kind === 'conflict' ? result.newest : undefined;
      throw new Error(result.kind === 'conflict' ? 'somebody else has changed it' : 'it was deleted');
    }
    this.#stored = result.object;
    this.#written = status;
    this.#writtenMs = clock.now();
  }

  async #findOrMake(): Promise<BGPNodeStatus> {
    const { store } = this.#io;
    const name = this.#node;
    const found = await store.get({ kind: 'BGPNodeStatus', name });
    if (found !== undefined) return found;
    const created = await store.create<BGPNodeStatus>({
      apiVersion: 'podroute.io/v1',
      kind: 'BGPNodeStatus',
      metadata: { name },
      spec: { node: name },
    });
    if (created.kind === 'unreadable') throw new Error(created.why);
    return created.kind === 'stored' ? created.object : created.newest;
  }
}
