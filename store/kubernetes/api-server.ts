// The API server as the store needs it: single questions, and answers that are streams of JSON lines. https-api-server.ts
// has the real one, testing/ one in memory.

export interface ApiCall {
  /** A PATCH is a strategic merge: only of kinds that the server itself knows. */
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query: '/apis/podroute.io/v1/ippools?limit=100'. */
  readonly path: string;
  readonly body?: unknown;
}

export interface LineSink {
  /** The server has taken the request. */
  opened(): void;
  /** One JSON value of the stream. */
  line(value: unknown): void;
  /** Called once, after the last line; not after the stream was disposed of. */
  end(failure: ApiFailure | undefined): void;
}

export interface ApiServer {
  /** Resolves with the body of an answer of status 200 to 299. Rejects with ApiError, also when no answer comes in time. */
  ask(call: ApiCall): Promise<unknown>;
  /** GETs what never ends by itself. Disposing of it cuts it. */
  stream(path: string, sink: LineSink): Disposable;
  /** Where it is, for messages: 'https://10.96.0.1:443'. */
  readonly place: string;
}

/** Why there is no answer, or what it was. */
export type ApiFailure =
  | { readonly kind: 'unreachable'; readonly message: string }
  | {
      readonly kind: 'refused';
      readonly status: number;
      /** Kubernetes' word, as in Status.reason: 'NotFound', 'Conflict', 'Expired'. */
      readonly reason: string;
      readonly message: string;
      /** The server asks for so much patience. */
      readonly retryAfterMs?: number;
    };

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly failure: ApiFailure;

  constructor(failure: ApiFailure) {
    super(failureText(failure));
    this.failure = failure;
  }
}

export function failureText(failure: ApiFailure): string {
  if (failure.kind === 'unreachable') return failure.message;
  const { status, reason, message } = failure;
  return `${status}${reason === '' ? '' : ` ${reason}`}: ${message}`;
}

/** @param body the server's Status object, or whatever stood in its place */
export function refusal(status: number, body: unknown, retryAfterMs?: number): ApiFailure {
  const { reason, message } = (typeof body === 'object' && body !== null ? body : {}) as Record<
    string,
    unknown
  >;
  return {
    kind: 'refused',
    status,
    reason: typeof reason === 'string' ? reason : '',
    message:
      typeof message === 'string'
        ? message
        : typeof body === 'string'
          ? body.slice(0, 200)
          : 'no reason given',
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

export function failureOf(error: unknown): ApiFailure {
  if (error instanceof ApiError) return error.failure;
  return { kind: 'unreachable', message: error instanceof Error ? error.message : String(error) };
}

export const isStatus = (error: unknown, status: number): boolean =>
  error instanceof ApiError && error.failure.kind === 'refused' && error.failure.status === status;

/** It answers, and not to us: whoever waits for it to recover waits for nothing. */
export const isRefusal = (failure: ApiFailure): boolean =>
  failure.kind === 'refused' && failure.status < 500 && failure.status !== 429;
