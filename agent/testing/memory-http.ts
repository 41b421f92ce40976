// The HTTP servers of one machine in memory.
import type { Reply } from '../http/endpoints.ts';
import type { Answer, HttpServers } from '../outside.ts';

export class MemoryHttp implements HttpServers {
  readonly #served = new Map<string, Answer>();

  serveUnixSocket(path: string, answer: Answer): Promise<AsyncDisposable> {
    this.#served.delete(path);
    return this.serveTcp(path, answer);
  }

  async serveTcp(place: string, answer: Answer): Promise<AsyncDisposable> {
    if (this.#served.has(place)) throw new Error(`cannot listen on ${place}: EADDRINUSE`);
    this.#served.set(place, answer);
    return {
      [Symbol.asyncDispose]: async () => void this.#served.delete(place),
    };
  }

  /** Every process of the machine died. */
  kill(): void {
    this.#served.clear();
  }

  /** A GET. Rejects when nobody serves the place. */
  async ask(place: string, url: string): Promise<Reply> {
    const answer = this.#served.get(place);
    if (answer === undefined) throw new Error(`connect ${place}: ECONNREFUSED`);
    try {
      return await answer({ method: 'GET', url });
    } catch (error) {
      return { status: 500, contentType: 'application/json', body: JSON.stringify({ error: String(error) }) };
    }
  }
}
