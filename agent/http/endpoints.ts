// What the agent's sockets answer to a GET: paths, their parameters, and errors. Pure: a request and a source of
// facts in, a reply out; no path does more work than one page.
import type { ErrorReply, IpamReply, PlanReply, RoutesReply, RoutesView, VersionReply } from '#agent-api';
import { FAMILIES, type Family } from '#ip';

export interface StatusRequest {
  readonly method: string;
  /** Path with query. */
  readonly url: string;
  /** Of a POST that has one. */
  readonly body?: string;
}

export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface RoutesRequest {
  readonly view: RoutesView;
  readonly peer?: string;
  readonly family?: Family;
  readonly prefix?: string;
  readonly longer: boolean;
  readonly explain?: boolean;
  readonly cursor?: string;
  readonly limit: number;
}

/** Where facts come from: the running agent, or a test. */
export interface StatusSource {
  version(): VersionReply;
  /** Throws RangeError or RequestError for a peer, prefix or cursor that does not exist. */
  routes(request: RoutesRequest): RoutesReply;
  plan(): PlanReply;
  ipam(): IpamReply;
  /** undefined: ready; else why not. */
  notReady(): string | undefined;
}

/** The asker's mistake: told to him with status 400 or 404. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly status: 400 | 404 | 405;
  constructor(status: 400 | 404 | 405, message: string) {
    super(message);
    this.status = status;
  }
}

const VIEWS: readonly RoutesView[] = ['best', 'all', 'received', 'advertised', 'fib'];
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

/** On the unix socket: everything. */
export function answer(request: StatusRequest, source: StatusSource): Reply {
  return guarded(request, (path, query) => {
    switch (path) {
      case '/v1/routes':
        return json(source.routes(routesRequest(query)));
      case '/v1/plan':
        return json(source.plan());
      case '/v1/ipam':
        return json(source.ipam());
      case '/v1/version':
        return json(source.version());
      default:
        return probe(path, source);
    }
  });
}

/** On TCP, where anybody may ask: health and numbers, nothing of the configuration. */
export function answerPublic(request: StatusRequest, source: StatusSource): Reply {
  return guarded(request, (path) => probe(path, source));
}

/**
 * On the unix socket, written in turns.
 * @returns undefined for any other path
 */
export function answerStatus(
  { method, url }: StatusRequest,
  source: { statusText(): Promise<string> },
): Promise<Reply> | undefined {
  if (method !== 'GET' || new URL(url, 'http://agent').pathname !== '/v1/status') return undefined;
  return source.statusText().then((body): Reply => ({ status: 200, contentType: 'application/json', body }));
}

/**
 * On both, written in turns.
 * @returns undefined for any other path
 */
export function answerMetrics(
  { method, url }: StatusRequest,
  source: { metrics(): Promise<string> },
): Promise<Reply> | undefined {
  if (method !== 'GET' || new URL(url, 'http://agent').pathname !== '/metrics') return undefined;
  return source
    .metrics()
    .then((body) => ({ ...text(200, body), contentType: 'text/plain; version=0.0.4; charset=utf-8' }));
}

function probe(path: string, source: StatusSource): Reply {
  switch (path) {
    case '/healthz':
      return text(200, 'ok\n');
    case '/readyz': {
      const reason = source.notReady();
      return reason === undefined ? text(200, 'ok\n') : text(503, `not ready: ${reason}\n`);
    }
    default:
      throw new RequestError(404, `no such path: ${path}`);
  }
}

function guarded(request: StatusRequest, act: (path: string, query: URLSearchParams) => Reply): Reply {
  try {
    if (request.method !== 'GET') throw new RequestError(405, `${request.method}: only GET is served`);
    const url = new URL(request.url, 'http://agent');
    return act(url.pathname, url.searchParams);
  } catch (error) {
    if (error instanceof RequestError) return refusal(error.status, error.message);
    if (error instanceof RangeError || error instanceof TypeError) return refusal(400, error.message);
    throw error;
  }
}

function routesRequest(query: URLSearchParams): RoutesRequest {
  const view = oneOf('view', query.get('view') ?? 'best', VIEWS);
  const family = query.get('family');
  const peer = query.get('peer');
  const prefix = query.get('prefix');
  const cursor = query.get('cursor');
  if ((view === 'received' || view === 'advertised') && peer === null) {
    throw new RequestError(400, `view=${view} needs peer=, a session's id`);
  }
  return {
    view,
    ...(peer === null ? {} : { peer }),
    ...(family === null ? {} : { family: oneOf('family', family, FAMILIES) }),
    ...(prefix === null ? {} : { prefix }),
    longer: query.get('longer') === 'true',
    ...(query.get('explain') === 'true' ? { explain: true } : {}),
    ...(cursor === null ? {} : { cursor }),
    limit: limitOf(query.get('limit')),
  };
}

function limitOf(value: string | null): number {
  if (value === null) return DEFAULT_LIMIT;
  const limit = Number(value);
  if (!Number.isInteger(limit) || limit < 1) {
    throw new RequestError(400, `limit=${value}: expected a whole number from 1 to ${MAX_LIMIT}`);
  }
  return Math.min(limit, MAX_LIMIT);
}

function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((word) => word === value);
  if (found === undefined)
    throw new RequestError(400, `${name}=${value}: expected one of ${allowed.join(', ')}`);
  return found;
}

export function json(body: unknown, status = 200): Reply {
  return { status, contentType: 'application/json', body: JSON.stringify(body) };
}

export function refusal(status: number, error: string): Reply {
  return json({ error } satisfies ErrorReply, status);
}

function text(status: number, body: string): Reply {
  return { status, contentType: 'text/plain', body };
}
