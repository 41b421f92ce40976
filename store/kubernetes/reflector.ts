// Keeps one list of the API server as it is there, by one watch. The first list comes as a stream (WatchList, Kubernetes
// 1.32 and later) or in pages; a watch that ended goes on where it was, and only a version that the server has forgotten
// (410) makes a new list. Every wait grows, is bounded and has jitter, so that many nodes do not ask at once. A list is
// taken whole or not at all. Bounds: MOST_OBJECTS a list.
import { type Clock, growingPauseMs, type Random, type Timer } from '#world';
import { type ApiFailure, type ApiServer, failureOf, isRefusal, refusal } from './api-server.ts';
import { keyOfRaw, type Raw } from './list-contents.ts';
import { listPages, versionOf } from './list-pages.ts';

const PAGE = 200;
/** Bookmarks come about every minute: a stream that is silent for longer is dead. */
const LONGEST_SILENCE_MS = 150_000;
/** The server ends a watch after this; each asks for another time. */
const WATCH_SECONDS = 300;
const SHORTEST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** A resource that the server does not have (its CRD is not installed) is looked for this often in the end. */
const ABSENT_MS = 10_000;
/** The server may ask for more patience than that, up to this: who cannot be heard for longer would know too little. */
const LONGEST_ASKED_MS = 60_000;
/** A cluster of 5,000 nodes has some ten thousand blocks. */
const MOST_OBJECTS = 200_000;
/** A stream that lived for so long was no failure. */
const GOOD_WATCH_MS = 5_000;

/** Where the objects are, and which of them. */
export interface WatchedList {
  /** '/apis/podroute.io/v1/ippools' */
  readonly path: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
}

export interface ListSink {
  /** What is kept of an object until the list is whole. */
  part(object: unknown): unknown;
  /** Everything that there is, of each its part. */
  replaced(objects: readonly unknown[]): void;
  changed(object: unknown): void;
  removed(object: unknown): void;
  /** state() is another one. */
  stateChanged(): void;
}

export type ListState =
  /** Nothing is known yet. */
  | { readonly kind: 'starting'; readonly sinceMs: number; readonly failure?: Failing }
  | { readonly kind: 'current' }
  /** The server has no such resource, and says so since then: one that has just come back learns of its CRDs one by one. */
  | { readonly kind: 'absent'; readonly sinceMs: number }
  /** What was heard stays; the server cannot be heard. */
  | { readonly kind: 'behind'; readonly sinceMs: number; readonly failure: Failing };

export interface Failing {
  readonly last: ApiFailure;
  /** Since when it refuses: a server that has just come back may do so for a moment. Undefined: it does not. */
  readonly refusesSinceMs?: number;
}

type Ending =
  | { readonly kind: 'ended' }
  /** The server does not know the version any more. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'failed'; readonly failure: ApiFailure };

interface WatchEvent {
  readonly type: string;
  readonly object:
    | { readonly metadata?: { readonly resourceVersion?: string; readonly annotations?: object } }
    | null
    | undefined;
}

export class Reflector implements Disposable {
  readonly #list: WatchedList;
  readonly #api: ApiServer;
  readonly #io: { readonly clock: Clock; readonly random: Random };
  readonly #sink: ListSink;
  #state: ListState;
  /** Up to which version everything was heard; undefined: a list is wanted. */
  #version: string | undefined;
  #isStreamingRefused = false;
  #failures = 0;
  #stream: Disposable | undefined;
  #timer: Timer | undefined;
  #goOn: (() => void) | undefined;
  /** For a stream that says nothing. */
  #silence: Timer | undefined;
  #isClosed = false;
  /** Of the newest word from the server; undefined: there was none. */
  #heardMs: number | undefined;

  constructor(
    list: WatchedList,
    io: { readonly api: ApiServer; readonly clock: Clock; readonly random: Random },
    sink: ListSink,
  ) {
    this.#list = list;
    this.#api = io.api;
    this.#io = io;
    this.#sink = sink;
    this.#state = { kind: 'starting', sinceMs: io.clock.now() };
  }

  start(): void {
    void this.#run();
  }

  state(): ListState {
    return this.#state;
  }

  get heardMs(): number | undefined {
    return this.#heardMs;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#stream?.[Symbol.dispose]();
    this.#timer?.cancel();
    // It would keep the process for as long.
    this.#silence?.cancel();
  }

  async #run(): Promise<void> {
    while (!this.#isClosed) {
      const startedMs = this.#io.clock.now();
      const ending = await this.#once();
      if (this.#isClosed) return;
      if (this.#state.kind === 'current' && this.#io.clock.now() - startedMs >= GOOD_WATCH_MS) {
        this.#failures = 0;
        if (ending.kind === 'ended') continue;
      }
      await this.#pause(this.#note(ending));
    }
  }

  async #once(): Promise<Ending> {
    if (this.#version !== undefined) return this.#watch(false);
    if (!this.#isStreamingRefused) return this.#watch(true);
    try {
      await this.#listPages();
    } catch (error) {
      return { kind: 'failed', failure: failureOf(error) };
    }
    return this.#isClosed ? { kind: 'ended' } : this.#watch(false);
  }

  /** Takes the ending into the state. @returns how long to wait */
  #note(ending: Ending): number {
    const { clock, random } = this.#io;
    // It was away and answers now, if only to say that it is not ready: it will be soon.
    const was = 'failure' in this.#state ? this.#state.failure : undefined;
    if (was?.last.kind === 'unreachable' && ending.kind === 'failed' && ending.failure.kind === 'refused')
      this.#failures = 0;
    const isAbsent =
      ending.kind === 'failed' && ending.failure.kind === 'refused' && ending.failure.status === 404;
    const pauses = { firstMs: SHORTEST_PAUSE_MS, longestMs: isAbsent ? ABSENT_MS : LONGEST_PAUSE_MS };
    const growing = growingPauseMs(pauses, this.#failures, random);
    this.#failures++;
    if (ending.kind === 'ended') return growing;
    if (ending.kind === 'expired') {
      // Of all nodes at once when the server compacts: they list one after the other.
      this.#version = undefined;
      return growing;
    }
    if (isAbsent) {
      this.#version = undefined;
      // What was heard before stays: objects that are deleted are told one by one.
      if (this.#state.kind !== 'absent') this.#setState({ kind: 'absent', sinceMs: clock.now() });
      // Soon at first: a server that starts does not know its CRDs yet.
      return growing;
    }
    const { failure } = ending;
    if (this.#refusesStreaming(failure)) {
      this.#isStreamingRefused = true;
      this.#failures = 0;
      return 0;
    }
    const now = clock.now();
    const failing = {
      last: failure,
      ...(isRefusal(failure) && { refusesSinceMs: was?.refusesSinceMs ?? now }),
    };
    const state = this.#state;
    if (state.kind === 'starting') this.#setState({ ...state, failure: failing });
    else {
      const sinceMs = state.kind === 'behind' ? state.sinceMs : now;
      this.#setState({ kind: 'behind', sinceMs, failure: failing });
    }
    const asked = failure.kind === 'refused' ? (failure.retryAfterMs ?? 0) : 0;
    return Math.max(Math.min(asked, LONGEST_ASKED_MS), growing);
  }

  /** It is from before WatchList, has it switched off, or its etcd (before 3.5) cannot serve it, which is status 500. */
  #refusesStreaming(failure: ApiFailure): boolean {
    return (
      this.#version === undefined &&
      !this.#isStreamingRefused &&
      failure.kind === 'refused' &&
      [400, 422, 500].includes(failure.status)
    );
  }

  #pause(delayMs: number): Promise<void> {
    if (delayMs === 0) return Promise.resolve();
    return new Promise((done) => {
      this.#goOn = () => {
        this.#goOn = undefined;
        done();
      };
      this.#timer = this.#io.clock.setTimer(delayMs, this.#goOn);
    });
  }

  /** Another list was answered: who rests because nobody was there need not rest any longer. */
  serverAnswers(): void {
    const goOn = this.#goOn;
    if (this.isAnswered || goOn === undefined || this.#isClosed) return;
    this.#goOn = undefined;
    this.#failures = 0;
    this.#timer?.cancel();
    const { clock, random } = this.#io;
    this.#timer = clock.setTimer(SHORTEST_PAUSE_MS * random.next(), goOn);
  }

  /** By the newest try, if only that it is refused. */
  get isAnswered(): boolean {
    const state = this.#state;
    if (state.kind === 'starting' && state.failure === undefined) return false;
    return !('failure' in state) || state.failure?.last.kind === 'refused';
  }

  /** A continue token that expired, and anything else that fails, begins anew. */
  async #listPages(): Promise<void> {
    const objects: unknown[] = [];
    let version = '';
    for await (const page of listPages(this.#api, (query) => this.#path(query), PAGE)) {
      if (this.#isClosed) return;
      for (const object of page.items) this.#take(objects, object);
      ({ version } = page);
    }
    this.#have(objects, version);
  }

  /** @param isInitial with all objects first, up to a bookmark that says so */
  #watch(isInitial: boolean): Promise<Ending> {
    const { clock, random } = this.#io;
    const seconds = Math.round(WATCH_SECONDS * (1 + random.next()));
    const query = {
      watch: '1',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(seconds),
      ...(isInitial
        ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
        : { resourceVersion: this.#version! }),
    };
    return new Promise((resolve) => {
      let initial: unknown[] | undefined = isInitial ? [] : undefined;
      const listen = () => {
        this.#silence = clock.setTimer(LONGEST_SILENCE_MS, () =>
          finish({
            kind: 'failed',
            failure: {
              kind: 'unreachable',
              message: `${this.#api.place} was silent for ${LONGEST_SILENCE_MS / 1000} s`,
            },
          }),
        );
      };
      const finish = (ending: Ending) => {
        this.#silence?.cancel();
        this.#stream?.[Symbol.dispose]();
        this.#stream = undefined;
        resolve(ending);
      };
      const heard = ({ type, object }: WatchEvent) => {
        if (type === 'ERROR') {
          const failure = refusal(Number((object as { code?: number } | null)?.code ?? 500), object);
          finish(isExpired(failure) ? { kind: 'expired' } : { kind: 'failed', failure });
          return;
        }
        const version = object?.metadata?.resourceVersion;
        if (initial !== undefined) {
          // A cache that is behind tells first what it has, and then what has gone since.
          if (type === 'DELETED') initial = without(initial, object);
          else if (type !== 'BOOKMARK') this.#take(initial, object);
          else if (isEndOfInitial(object)) {
            this.#have(initial, versionOf(object));
            initial = undefined;
          }
          return;
        }
        if (type === 'DELETED') this.#sink.removed(named(object));
        else if (type !== 'BOOKMARK') this.#sink.changed(named(object));
        if (version !== undefined) this.#version = version;
        this.#current();
      };
      listen();
      this.#stream = this.#api.stream(this.#path(query), {
        // A watch that goes on says nothing until something changes.
        opened: () => {
          this.#heardMs = clock.now();
          if (!isInitial) this.#isHeard();
        },
        line: (value) => {
          if (this.#isClosed) return;
          this.#heardMs = clock.now();
          this.#silence?.cancel();
          listen();
          try {
            heard(value as WatchEvent);
          } catch (error) {
            finish({ kind: 'failed', failure: failureOf(error) });
          }
        },
        end: (failure) => {
          if (failure === undefined) finish({ kind: 'ended' });
          else finish(isExpired(failure) ? { kind: 'expired' } : { kind: 'failed', failure });
        },
      });
    });
  }

  #take(objects: unknown[], object: unknown): void {
    if (objects.length === MOST_OBJECTS) throw new Error(`its list has more than ${MOST_OBJECTS} objects`);
    objects.push(this.#sink.part(named(object)));
  }

  #have(objects: readonly unknown[], version: string): void {
    this.#sink.replaced(objects);
    this.#version = version;
    this.#isHeard();
  }

  /** What is told is taken: not so a watch that ends as soon as it is there. */
  #current(): void {
    this.#failures = 0;
    this.#isHeard();
  }

  #isHeard(): void {
    if (this.#state.kind !== 'current' && !this.#isClosed) this.#setState({ kind: 'current' });
  }

  #setState(state: ListState): void {
    const isSame = JSON.stringify(state) === JSON.stringify(this.#state);
    this.#state = state;
    if (!isSame) this.#sink.stateChanged();
  }

  #path(query: Readonly<Record<string, string>>): string {
    const { path, fieldSelector, labelSelector } = this.#list;
    const all = new URLSearchParams({
      ...query,
      ...(fieldSelector !== undefined && { fieldSelector }),
      ...(labelSelector !== undefined && { labelSelector }),
    });
    return `${path}?${all.toString()}`;
  }
}

/** Throws for what is no object of Kubernetes. */
function named(object: unknown): unknown {
  const { metadata } = (object ?? {}) as { metadata?: { name?: unknown } | null };
  if (typeof metadata?.name !== 'string') throw new Error('it tells of an object without metadata.name');
  return object;
}

function without(objects: readonly unknown[], gone: unknown): unknown[] {
  const key = keyOfRaw(named(gone) as Raw);
  return objects.filter((object) => keyOfRaw(object as Raw) !== key);
}

const isExpired = (failure: ApiFailure): boolean =>
  failure.kind === 'refused' && (failure.status === 410 || failure.reason === 'Expired');

function isEndOfInitial(object: WatchEvent['object']): boolean {
  const annotations = (object?.metadata?.annotations ?? {}) as Record<string, string>;
  return annotations['k8s.io/initial-events-end'] === 'true';
}
