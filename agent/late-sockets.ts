// The agent's sockets that the system refuses (a folder in the place, a disk that cannot be written, a port of somebody
// else's): told, and tried again, while sessions and routes stand. What is no refusal of the system (another agent serves
// the socket, the place makes no sense) ends the start.
import type { Clock } from '#world';

const RETRY_MS = 5_000;

export class LateSockets {
  readonly #clock: Clock;
  readonly #changed: (problems: readonly string[]) => void;
  /** By what the socket is for: three at most. */
  readonly #refused = new Map<string, string>();

  /** @param changed called with all problems there are when they are others */
  constructor(clock: Clock, changed: (problems: readonly string[]) => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  /** Why a socket is not there; undefined: it is. */
  whyNot(purpose: string): string | undefined {
    return this.#refused.get(purpose);
  }

  /**
   * @param purpose 'CNI socket': begins the problem
   * @param listen asked again after each refusal
   */
  async open(purpose: string, listen: () => Promise<AsyncDisposable>): Promise<AsyncDisposable> {
    let socket: AsyncDisposable | undefined;
    let timer: { cancel(): void } | undefined;
    let isStopped = false;
    const attempt = async (isFirst: boolean): Promise<void> => {
      try {
        socket = await listen();
        this.#tell(purpose, undefined);
      } catch (error) {
        if (isFirst && !isRefusal(error)) throw error;
        this.#tell(purpose, `${purpose}: ${textOf(error)}; tried again every ${RETRY_MS / 1000} s`);
        if (!isStopped) timer = this.#clock.setTimer(RETRY_MS, () => void (trying = attempt(false)));
      }
    };
    let trying = attempt(true);
    await trying;
    return {
      async [Symbol.asyncDispose]() {
        isStopped = true;
        timer?.cancel();
        await trying;
        await socket?.[Symbol.asyncDispose]();
      },
    };
  }

  #tell(purpose: string, problem: string | undefined): void {
    if (this.#refused.get(purpose) === problem) return;
    if (problem === undefined) this.#refused.delete(purpose);
    else this.#refused.set(purpose, problem);
    this.#changed([...this.#refused.values()]);
  }
}

/** With an error number of the system, its own or that of what caused it. */
function isRefusal(error: unknown): boolean {
  const codeOf = (one: unknown) => (one instanceof Error ? (one as NodeJS.ErrnoException).code : undefined);
  return codeOf(error) !== undefined || (error instanceof Error && codeOf(error.cause) !== undefined);
}

/** A container's hostPath that is there before the agent's socket makes a folder of its name. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isFolder = (error as NodeJS.ErrnoException).code === 'ERR_FS_EISDIR';
  return isFolder ? `${error.message}: remove that folder` : error.message;
}
