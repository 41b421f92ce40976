// Keeps the Node's condition NetworkUnavailable, by which the scheduler knows where pods can run, and takes a start-up
// taint off. A node is available from when it can serve pods and has its first routes on. It takes a minute of being unable
// before it says so: an agent that starts anew, or a link that flaps, is no reason to send pods elsewhere.
import type { ClusterNotes, NodeMarks } from '#store';
import { type Clock, growingPauseMs, type Random, type Timer } from '#world';

const LOOK_MS = 1_000;
const UNAVAILABLE_MS = 60_000;
/** Somebody else may have changed the Node: it is looked at again. */
const AGAIN_MS = 300_000;
const LONGEST_REST_MS = 60_000;

export interface NodeMarkerIo {
  readonly clock: Clock;
  readonly random: Random;
  readonly notes: Pick<ClusterNotes, 'markNode'>;
  /** Of the Node as it was last heard of; undefined: there is none, or it has none. */
  readonly uid: () => string | undefined;
  /** Why pods cannot be served and reached now; undefined: they can. */
  readonly whyUnavailable: () => string | undefined;
  /** What keeps it from being written, for people; none: it is. */
  readonly tell: (messages: readonly string[]) => void;
}

export class NodeMarker implements AsyncDisposable {
  readonly #node: string;
  readonly #startUpTaint: string | undefined;
  readonly #io: NodeMarkerIo;
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  /** When it could last serve pods; before it did the first time: since when it tries. */
  #availableMs: number;
  #written = '';
  /** Of the Node that was last written to, or tried. */
  #uid: string | undefined;
  #nextMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #isClosed = false;

  /** @param startUpTaint its key; undefined: taints are left alone */
  constructor(node: string, startUpTaint: string | undefined, io: NodeMarkerIo) {
    this.#node = node;
    this.#startUpTaint = startUpTaint;
    this.#io = io;
    this.#availableMs = io.clock.now();
  }

  start(): void {
    if (this.#isClosed) return;
    this.#timer = this.#io.clock.setTimer(LOOK_MS, () => {
      this.#looking = this.#look().finally(() => this.start());
    });
  }

  /** The Node stays as it is: pods go on without their agent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const marks = this.#marks();
    if (marks === undefined) return;
    const now = this.#io.clock.now();
    const says = JSON.stringify(marks);
    const uid = this.#io.uid();
    // Made anew: it has none of what was written, and comes with its start-up taint.
    const isAnother = uid !== undefined && uid !== this.#uid;
    if (isAnother) this.#uid = uid;
    const isDue = isAnother || now >= this.#nextMs || (says !== this.#written && this.#failures === 0);
    if (!isDue) return;
    try {
      const wall = new Date(this.#io.clock.wall()).toISOString();
      await this.#io.notes.markNode(this.#node, marks, wall);
      if (this.#failures > 0) this.#io.tell([]);
      this.#failures = 0;
      this.#written = says;
      this.#nextMs = now + AGAIN_MS * (0.75 + this.#io.random.next() / 2);
    } catch (error) {
      this.#failures++;
      const pauses = { firstMs: LOOK_MS, longestMs: LONGEST_REST_MS };
      this.#nextMs = now + growingPauseMs(pauses, this.#failures, this.#io.random);
      const message = error instanceof Error ? error.message : String(error);
      // Once may be a moment without the server.
      if (this.#failures > 1)
        this.#io.tell([
          `the condition NetworkUnavailable of Node ${this.#node} cannot be written: ${message}`,
        ]);
    }
  }

  /** Undefined: what was said stays for now. */
  #marks(): NodeMarks | undefined {
    const now = this.#io.clock.now();
    const why = this.#io.whyUnavailable();
    if (why === undefined) {
      this.#availableMs = now;
      const message = 'podroute serves pods and has routes';
      const taint = this.#startUpTaint;
      return {
        ...{ isUnavailable: false, reason: 'PodrouteReady', message },
        ...(taint !== undefined && { startUpTaint: taint }),
      };
    }
    if (now - this.#availableMs < UNAVAILABLE_MS) return undefined;
    return { isUnavailable: true, reason: 'PodrouteNotReady', message: why };
  }
}
