// An API server in memory: objects with versions, lists in pages or as a stream, watches from a version, compaction,
// status subresources, conflicts, and whatever may go wrong on the way. All time is the clock's. What it does is held
// against the real one by the contract test that both pass.
import {
  ApiError,
  type ApiCall,
  type ApiFailure,
  type ApiServer,
  type LineSink,
  refusal,
} from '../api-server.ts';
import type { Clock, Timer } from '#world';

interface Raw {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion: string;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

interface Event {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  /** '/apis/podroute.io/v1 ippools' */
  readonly resource: string;
  readonly object: Raw;
}

interface Watch {
  readonly resource: string;
  readonly matches: (object: Raw) => boolean;
  readonly sink: LineSink;
  readonly timer: Timer;
}

const UNREACHABLE: ApiFailure = { kind: 'unreachable', message: 'connect ECONNREFUSED' };

export class MemoryApiServer {
  readonly #clock: Clock;
  readonly #objects = new Map<string, Map<string, Raw>>();
  readonly #watches = new Set<Watch>();
  #events: Event[] = [];
  #version = 100;
  #oldest = 0;
  #uid = 0;
  /** What every request gets from now on. */
  failure: ApiFailure | undefined;
  /** What a stream that begins with a list is refused with: by a server from before WatchList, or an old etcd. */
  streamingListRefusal: ApiFailure | undefined;
  /** Of a server, or a proxy before it, that cannot keep a connection. */
  endWatchesAtOnce = false;
  /** What each list of a resource has besides its objects: no object of Kubernetes. */
  readonly strays = new Map<string, unknown>();
  /** Kinds that it has; a request for another is 404. */
  readonly resources = new Set<string>();
  /** Every request: 'GET /apis/…'. */
  readonly log: string[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A client's connection. */
  connect(): ApiServer {
    return {
      place: 'https://api.test:6443',
      ask: (call) => this.#ask(call),
      stream: (path, sink) => this.#stream(path, sink),
    };
  }

  /** As kubectl apply does: made, or changed as a whole. */
  apply(
    resource: string,
    object: Omit<Raw, 'metadata'> & { readonly metadata: { readonly name: string } },
  ): void {
    const key = keyOf(object as Raw);
    this.#put(resource, { ...(object as Raw) }, this.#of(resource).get(key));
  }

  /** As kubectl delete does. */
  remove(resource: string, key: string): void {
    const object = this.#of(resource).get(key);
    if (object !== undefined) this.#delete(resource, object);
  }

  /** The server goes away, and so do all connections. */
  stop(): void {
    this.failure = UNREACHABLE;
    this.cutWatches(UNREACHABLE);
  }

  start(): void {
    this.failure = undefined;
  }

  cutWatches(failure?: ApiFailure): void {
    for (const watch of [...this.#watches]) {
      this.#watches.delete(watch);
      watch.timer.cancel();
      watch.sink.end(failure);
    }
  }

  /** Watches of earlier versions are expired. @param isAhead those of the newest one, too */
  compact(isAhead = false): void {
    if (isAhead) this.#version++;
    this.#events = [];
    this.#oldest = this.#version;
  }

  get watches(): number {
    return this.#watches.size;
  }

  async #ask({ method, path, body }: ApiCall): Promise<unknown> {
    this.log.push(`${method} ${path}`);
    await Promise.resolve();
    if (this.failure !== undefined) throw new ApiError(this.failure);
    const { resource, namespace, name, isStatus, query } = this.#route(path);
    if (path === '/apis') return this.#groups();
    if (path === '/apis/podroute.io/v1') return this.#kindsOf(path);
    this.#mustHave(resource);
    const key = namespace === undefined ? (name ?? '') : `${namespace}/${name}`;
    const found = this.#of(resource).get(key);
    if (method === 'GET' && name === undefined) return this.#list(resource, namespace, query);
    if (method === 'POST') return this.#create(resource, namespace, body as Raw);
    if (found === undefined) throw refused(404, 'NotFound', `${resource} "${key}" not found`);
    switch (method) {
      case 'GET':
        return found;
      case 'PATCH':
        if ((body as Partial<Raw>).metadata?.resourceVersion !== undefined) mustBeNewest(found, body as Raw);
        return this.#put(resource, merged(found, body) as Raw, found);
      case 'PUT':
        return this.#replace(resource, found, body as Raw, isStatus);
      case 'DELETE': {
        const wanted = (body as { preconditions?: { resourceVersion?: string } }).preconditions
          ?.resourceVersion;
        if (wanted !== undefined && wanted !== found.metadata.resourceVersion) {
          throw refused(409, 'Conflict', 'the ResourceVersion in the precondition does not match');
        }
        this.#delete(resource, found);
        return { kind: 'Status', status: 'Success' };
      }
    }
  }

  #stream(path: string, sink: LineSink): Disposable {
    this.log.push(`WATCH ${path}`);
    let watch: Watch | undefined;
    let isCut = false;
    const end = (failure: ApiFailure | undefined) => {
      if (!isCut) sink.end(failure);
    };
    void Promise.resolve().then(() => {
      if (isCut) return;
      if (this.failure !== undefined) return end(this.failure);
      const { resource, namespace, query } = this.#route(path);
      if (!this.resources.has(resource))
        return end(refusal(404, { reason: 'NotFound', message: 'no such kind' }));
      const matches = matcher(namespace, query);
      const isInitial = query.get('sendInitialEvents') === 'true';
      if (isInitial && this.streamingListRefusal !== undefined) return end(this.streamingListRefusal);
      sink.opened();
      if (this.endWatchesAtOnce && !isInitial) return end(undefined);
      const from = Number(query.get('resourceVersion') ?? this.#version);
      if (!isInitial && from < this.#oldest) {
        sink.line({
          type: 'ERROR',
          object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' },
        });
        return end(undefined);
      }
      const seconds = Number(query.get('timeoutSeconds'));
      const timer = this.#clock.setTimer(seconds * 1000, () => {
        if (watch !== undefined) this.#watches.delete(watch);
        end(undefined);
      });
      watch = { resource, matches, sink, timer };
      this.#watches.add(watch);
      if (isInitial) {
        for (const object of this.#of(resource).values()) {
          if (matches(object)) sink.line({ type: 'ADDED', object });
        }
        if (this.strays.has(resource)) sink.line({ type: 'ADDED', object: this.strays.get(resource) });
        if (isCut) return;
        const annotations = { 'k8s.io/initial-events-end': 'true' };
        sink.line({
          type: 'BOOKMARK',
          object: { metadata: { resourceVersion: String(this.#version), annotations } },
        });
        return;
      }
      for (const event of this.#events) {
        if (event.version > from && event.resource === resource && matches(event.object)) send(sink, event);
      }
    });
    return {
      [Symbol.dispose]: () => {
        isCut = true;
        if (watch === undefined) return;
        watch.timer.cancel();
        this.#watches.delete(watch);
      },
    };
  }

  #route(path: string) {
    const [place = '', search = ''] = path.split('?');
    const found =
      /^(?<base>\/api\/v1|\/apis\/[^/]+\/[^/]+)(\/namespaces\/(?<namespace>[^/]+))?\/(?<plural>[^/]+)(\/(?<name>[^/]+))?(?<status>\/status)?$/.exec(
        place,
      )?.groups ?? {};
    return {
      resource: `${found['base']} ${found['plural']}`,
      namespace: found['namespace'],
      name: found['name'],
      isStatus: found['status'] !== undefined,
      query: new URLSearchParams(search),
    };
  }

  #groups(): unknown {
    const bases = new Set([...this.resources].map((resource) => resource.split(' ')[0]!));
    const versions = [...bases]
      .filter((base) => base.startsWith('/apis/'))
      .map((base) => base.slice('/apis/'.length));
    return { groups: versions.map((groupVersion) => ({ versions: [{ groupVersion }] })) };
  }

  #kindsOf(base: string): unknown {
    const own = [...this.resources].filter((resource) => resource.startsWith(`${base} `));
    return { resources: own.map((resource) => ({ name: resource.slice(base.length + 1) })) };
  }

  #mustHave(resource: string): void {
    if (!this.resources.has(resource))
      throw refused(404, 'NotFound', 'the server could not find the requested resource');
  }

  #list(resource: string, namespace: string | undefined, query: URLSearchParams): unknown {
    const matches = matcher(namespace, query);
    const all = [...this.#of(resource)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object)
      .filter(matches);
    if (this.strays.has(resource)) all.push(this.strays.get(resource) as Raw);
    const from = Number(query.get('continue') ?? 0);
    const limit = Number(query.get('limit') ?? all.length);
    const isMore = from + limit < all.length;
    return {
      apiVersion: resource.split(' ')[0]!.replace(/^\/apis?\//, ''),
      metadata: {
        resourceVersion: String(this.#version),
        ...(isMore && { continue: String(from + limit) }),
      },
      items: all.slice(from, from + limit),
    };
  }

  #create(resource: string, namespace: string | undefined, body: Raw): Raw {
    const object = namespace === undefined ? body : { ...body, metadata: { ...body.metadata, namespace } };
    if (this.#of(resource).has(keyOf(object))) throw refused(409, 'AlreadyExists', 'already exists');
    return this.#put(resource, without(object, 'status'), undefined);
  }

  #replace(resource: string, found: Raw, body: Raw, isStatus: boolean): Raw {
    mustBeNewest(found, body);
    const status = isStatus ? body.status : found.status;
    const rest = without(isStatus ? found : body, 'status');
    return this.#put(resource, status === undefined ? rest : { ...rest, status }, found);
  }

  #put(resource: string, object: Raw, before: Raw | undefined): Raw {
    const version = ++this.#version;
    const uid = before?.metadata['uid'] ?? `uid-${++this.#uid}`;
    const stored = { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(version) } };
    this.#of(resource).set(keyOf(stored), stored);
    this.#happen({ version, type: before === undefined ? 'ADDED' : 'MODIFIED', resource, object: stored });
    return stored;
  }

  #delete(resource: string, object: Raw): void {
    const version = ++this.#version;
    this.#of(resource).delete(keyOf(object));
    const last = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
    this.#happen({ version, type: 'DELETED', resource, object: last });
  }

  #happen(event: Event): void {
    this.#events.push(event);
    for (const { resource, matches, sink } of this.#watches) {
      if (resource === event.resource && matches(event.object)) send(sink, event);
    }
  }

  #of(resource: string): Map<string, Raw> {
    let objects = this.#objects.get(resource);
    if (objects === undefined) this.#objects.set(resource, (objects = new Map()));
    return objects;
  }
}

const send = (sink: LineSink, { type, object }: Event): void => sink.line({ type, object });

const keyOf = ({ metadata: { name, namespace } }: Raw): string =>
  namespace === undefined ? name : `${namespace}/${name}`;

const refused = (status: number, reason: string, message: string): ApiError =>
  new ApiError(refusal(status, { reason, message }));

function mustBeNewest(found: Raw, given: Raw): void {
  if (given.metadata.resourceVersion !== found.metadata.resourceVersion)
    throw refused(409, 'Conflict', 'the object has been modified');
}

function without(object: Raw, field: 'status'): Raw {
  const { [field]: _, ...rest } = object;
  return rest as Raw;
}

/** @param label 'podroute.io/node=n1' */
function hasLabel(labels: unknown, label: string): boolean {
  const [key = '', value] = label.split('=');
  return ((labels ?? {}) as Readonly<Record<string, string>>)[key] === value;
}

/** As a strategic merge patch: conditions are merged by their type, other lists are replaced. */
function merged(before: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(before as object | undefined) };
  for (const [key, value] of Object.entries(patch)) {
    result[key] =
      key === 'conditions'
        ? mergedConditions((result[key] ?? []) as readonly Condition[], value as readonly Condition[])
        : merged(result[key], value);
  }
  return result;
}

interface Condition {
  readonly type: string;
}

function mergedConditions(before: readonly Condition[], patch: readonly Condition[]): Condition[] {
  const rest = before.filter((one) => patch.every(({ type }) => type !== one.type));
  return [...rest, ...patch];
}

function matcher(namespace: string | undefined, query: URLSearchParams): (object: Raw) => boolean {
  const [, field, wanted] =
    /^(metadata\.name|spec\.nodeName)=(.*)$/.exec(query.get('fieldSelector') ?? '') ?? [];
  const nodeOf = (spec: unknown) => (spec as { readonly nodeName?: string } | undefined)?.nodeName;
  const labels = (query.get('labelSelector') ?? '').split(',').filter((part) => part !== '');
  return ({ metadata, spec }) =>
    (namespace === undefined || metadata.namespace === namespace) &&
    (field === undefined || (field === 'metadata.name' ? metadata.name : nodeOf(spec)) === wanted) &&
    labels.every((label) => hasLabel(metadata['labels'], label));
}
