// A real API server over HTTPS. Bounds: an answer has MOST_BYTES, comes within ASK_MS, and a stream's line is bounded by
// LineSplitter.
import {
  type ClientRequest,
  request as requestHttp,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http';
import { request as requestHttps, type RequestOptions } from 'node:https';
import type { Clock } from '#world';
import {
  ApiError,
  type ApiCall,
  type ApiFailure,
  type ApiServer,
  failureOf,
  type LineSink,
  refusal,
} from './api-server.ts';
import type { Credentials } from './credentials.ts';
import { LineSplitter } from './line-splitter.ts';

const MOST_BYTES = 64 * 1024 * 1024;
const ASK_MS = 30_000;
/** Until the first bytes of a stream; the reflector watches over those after them. */
const OPEN_MS = 30_000;
const KEEP_ALIVE_MS = 30_000;

export class HttpsApiServer implements ApiServer {
  readonly #credentials: Pick<Credentials, 'server' | 'access' | 'expire'>;
  readonly #clock: Clock;
  readonly #userAgent: string;

  /** @param userAgent as the server's audit log shows it: 'podroute/0.1.0 (n1)' */
  constructor(
    credentials: Pick<Credentials, 'server' | 'access' | 'expire'>,
    clock: Clock,
    userAgent: string,
  ) {
    this.#credentials = credentials;
    this.#clock = clock;
    this.#userAgent = userAgent;
  }

  get place(): string {
    return this.#credentials.server;
  }

  async ask(call: ApiCall): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    let request: ClientRequest | undefined;
    let isLate = false;
    const late = this.#clock.setTimer(ASK_MS, () => {
      isLate = true;
      reject(new ApiError(unreachable(`no answer within ${ASK_MS / 1000} s`)));
      request?.destroy();
    });
    try {
      const opening = this.#open(call, (response) => void bodyOf(response).then(resolve, reject));
      // Not waited for: who says who we are (a kubeconfig's command) may hang.
      opening.then((opened) => {
        request = opened;
        opened.on('error', (error) => reject(new ApiError(unreachable(error.message))));
        if (isLate) opened.destroy();
      }, reject);
      return parsed((await promise) as Body);
    } catch (error) {
      throw this.#seen(error);
    } finally {
      late.cancel();
    }
  }

  stream(path: string, sink: LineSink): Disposable {
    let request: ClientRequest | undefined;
    let isOver = false;
    const end = (failure: ApiFailure | undefined) => {
      if (isOver) return;
      isOver = true;
      late.cancel();
      request?.destroy();
      sink.end(failure);
    };
    const late = this.#clock.setTimer(OPEN_MS, () =>
      end(unreachable(`no answer within ${OPEN_MS / 1000} s`)),
    );
    const answered = (response: IncomingMessage) => {
      late.cancel();
      if (response.statusCode !== 200) {
        void bodyOf(response)
          .then(parsed)
          .then(
            () => end(refusal(response.statusCode ?? 0, undefined)),
            (error: unknown) => end(failureOf(this.#seen(error))),
          );
        return;
      }
      if (!isOver) sink.opened();
      const lines = new LineSplitter((text) => {
        if (!isOver) sink.line(JSON.parse(text));
      });
      response.on('data', (bytes: Buffer) => {
        if (isOver) return;
        try {
          lines.push(bytes);
        } catch (error) {
          end(unreachable(`its stream cannot be read: ${(error as Error).message}`));
        }
      });
      response.on('end', () => end(undefined));
      response.on('error', (error) => end(unreachable(error.message)));
      response.on('close', () => end(undefined));
    };
    this.#open({ method: 'GET', path }, answered).then(
      (opened) => {
        request = opened;
        if (isOver) opened.destroy();
        opened.on('error', (error) => end(unreachable(error.message)));
      },
      (error: unknown) => end(failureOf(error)),
    );
    return {
      [Symbol.dispose]: () => {
        isOver = true;
        late.cancel();
        request?.destroy();
      },
    };
  }

  async #open(
    { method, path, body }: ApiCall,
    answered: (response: IncomingMessage) => void,
  ): Promise<ClientRequest> {
    const { url, options } = await this.#credentials.access();
    const text = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const all: RequestOptions = {
      ...options,
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? (url.protocol === 'http:' ? 80 : 443) : url.port,
      method,
      path: `${url.pathname.replace(/\/$/, '')}${path}`,
      headers: {
        ...(options.headers as OutgoingHttpHeaders | undefined),
        accept: 'application/json',
        'user-agent': this.#userAgent,
        ...(text && { 'content-type': contentTypeOf(method), 'content-length': text.length }),
      },
    };
    const request = url.protocol === 'http:' ? requestHttp(all, answered) : requestHttps(all, answered);
    request.on('socket', (socket) => socket.setKeepAlive(true, KEEP_ALIVE_MS));
    request.end(text);
    return request;
  }

  /** A token may have been replaced: the next request reads it anew. */
  #seen(error: unknown): unknown {
    if (error instanceof ApiError && error.failure.kind === 'refused' && error.failure.status === 401) {
      this.#credentials.expire();
    }
    return error;
  }
}

interface Body {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs?: number;
}

async function bodyOf(response: IncomingMessage): Promise<Body> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MOST_BYTES) {
      response.destroy();
      throw new ApiError(unreachable(`its answer has more than ${MOST_BYTES} bytes`));
    }
    parts.push(part);
  }
  const seconds = Number(response.headers['retry-after']);
  return {
    status: response.statusCode ?? 0,
    text: Buffer.concat(parts).toString(),
    ...(seconds > 0 && { retryAfterMs: seconds * 1000 }),
  };
}

/** Throws ApiError when the server refused. */
function parsed({ status, text, retryAfterMs }: Body): unknown {
  const body = valueOf(text);
  if (status < 200 || status > 299) throw new ApiError(refusal(status, body, retryAfterMs));
  if (body === text) throw new ApiError(unreachable(`its answer is no JSON: ${text.slice(0, 100)}`));
  return body;
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const contentTypeOf = (method: ApiCall['method']): string =>
  method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json';

const unreachable = (message: string): ApiFailure => ({ kind: 'unreachable', message });
