// Parses large files in a thread of its own, so that no document makes sessions wait. Started when it is needed, ended
// when it is idle. Bounds: one file at a time, LONGEST_MS and MOST_MEGABYTES for each; one that takes more is an error.
import { Worker } from 'node:worker_threads';
import { type ReadDocument, type TextDocument, withLines } from '#api';

const LONGEST_MS = 20_000;
const MOST_MEGABYTES = 512;
const IDLE_MS = 10_000;

interface Waiting {
  readonly done: (documents: readonly ReadDocument[]) => void;
  readonly fail: (error: Error) => void;
}

export class DocumentWorker implements Disposable {
  readonly #longestMs: number;
  #worker: Worker | undefined;
  /** The thread has begun: until then it reads nothing, and no document is late. */
  #begun: Promise<void> = Promise.resolve();
  #waiting: Waiting | undefined;
  #idle: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(longestMs = LONGEST_MS) {
    this.#longestMs = longestMs;
  }

  /** See ParseAside. */
  parse(text: string, file: string): Promise<readonly TextDocument[]> {
    const result = this.#last.then(() => this.#ask(text, file));
    this.#last = result.catch(() => undefined);
    return result.then((documents) => documents.map(withLines));
  }

  async #ask(text: string, file: string): Promise<readonly ReadDocument[]> {
    clearTimeout(this.#idle);
    const worker = (this.#worker ??= this.#start());
    const { promise, resolve, reject } = Promise.withResolvers<readonly ReadDocument[]>();
    const waiting = { done: resolve, fail: reject };
    this.#waiting = waiting;
    let late: NodeJS.Timeout | undefined;
    void this.#begun.then(() => {
      if (this.#waiting !== waiting) return;
      late = setTimeout(() => this.#end(`took more than ${this.#longestMs} ms to read`), this.#longestMs);
    });
    worker.postMessage({ text, file });
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      this.#waiting = undefined;
      this.#idle = setTimeout(() => this.#end('nobody waits'), IDLE_MS).unref();
    }
  }

  #start(): Worker {
    // From source, or as a file of its own beside the bundle (scripts/build.ts).
    const file = import.meta.url.endsWith('.ts') ? './parse-worker.ts' : './parse-worker.js';
    const resourceLimits = { maxOldGenerationSizeMb: MOST_MEGABYTES };
    const worker = new Worker(new URL(file, import.meta.url), { resourceLimits });
    worker.unref();
    this.#begun = new Promise((begun) => {
      worker.once('message', () => {
        worker.on('message', (documents: readonly ReadDocument[]) => this.#waiting?.done(documents));
        begun();
      });
    });
    const ended = (why: string) => {
      if (worker === this.#worker) this.#end(why);
    };
    worker.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      const isMemory = code === 'ERR_WORKER_OUT_OF_MEMORY';
      ended(isMemory ? `took more than ${MOST_MEGABYTES} MB of memory to read` : message);
    });
    worker.on('exit', () => ended('was not read: the thread that reads documents ended'));
    return worker;
  }

  /** The next question starts another one. */
  #end(why: string): void {
    const worker = this.#worker;
    this.#worker = undefined;
    void worker?.terminate();
    this.#waiting?.fail(new Error(why));
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#idle);
    this.#end('the agent stops');
  }
}
