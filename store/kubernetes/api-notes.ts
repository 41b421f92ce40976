// Events and a Node's marks as requests: an Event is made, and counted on by a patch; of a Node nothing is written but its
// condition NetworkUnavailable and, without it, a start-up taint.
import type { ClusterEvent, ClusterNotes, NodeMarks } from '../cluster-notes.ts';
import { type ApiServer, isStatus } from './api-server.ts';

/** Events about what has no namespace of its own stand there, as kubelet's do. */
const NAMESPACE_OF_THE_CLUSTER = 'default';
const CONDITION = 'NetworkUnavailable';

interface RawNode {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec?: { readonly taints?: readonly { readonly key: string }[] };
  readonly status?: { readonly conditions?: readonly RawCondition[] };
}

interface RawCondition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string;
}

export class ApiNotes implements ClusterNotes {
  readonly #api: ApiServer;

  constructor(api: ApiServer) {
    this.#api = api;
  }

  async recordEvent(event: ClusterEvent): Promise<void> {
    const namespace = event.about.namespace ?? NAMESPACE_OF_THE_CLUSTER;
    const path = `/api/v1/namespaces/${namespace}/events`;
    if (event.count > 1 && (await this.#countOn(`${path}/${event.name}`, event))) return;
    const body = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: event.name, namespace },
      involvedObject: event.about,
      type: event.type,
      reason: event.reason,
      message: event.message,
      count: event.count,
      firstTimestamp: seconds(event.firstAt),
      lastTimestamp: seconds(event.lastAt),
      source: { component: 'podroute', host: event.node },
      reportingComponent: 'podroute.io/agent',
      reportingInstance: event.node,
    };
    try {
      await this.#api.ask({ method: 'POST', path, body });
    } catch (error) {
      // An earlier attempt has made it, and its answer was lost.
      if (!isStatus(error, 409) || !(await this.#countOn(`${path}/${event.name}`, event))) throw error;
    }
  }

  /** False: the server has forgotten it, as it does after an hour. */
  async #countOn(path: string, { message, count, lastAt }: ClusterEvent): Promise<boolean> {
    try {
      const body = { message, count, lastTimestamp: seconds(lastAt) };
      await this.#api.ask({ method: 'PATCH', path, body });
      return true;
    } catch (error) {
      if (isStatus(error, 404)) return false;
      throw error;
    }
  }

  async markNode(node: string, marks: NodeMarks, now: string): Promise<void> {
    const path = `/api/v1/nodes/${encodeURIComponent(node)}`;
    const found = (await this.#api.ask({ method: 'GET', path })) as RawNode;
    const before = found.status?.conditions?.find(({ type }) => type === CONDITION);
    const status = marks.isUnavailable ? 'True' : 'False';
    const { reason, message } = marks;
    if (before?.status !== status || before.reason !== reason || before.message !== message) {
      const since = before?.status === status ? (before.lastTransitionTime ?? now) : now;
      const times = { lastTransitionTime: seconds(since), lastHeartbeatTime: seconds(now) };
      const condition = { type: CONDITION, status, reason, message, ...times };
      await this.#api.ask({
        method: 'PATCH',
        path: `${path}/status`,
        body: { status: { conditions: [condition] } },
      });
    }
    if (!marks.isUnavailable && marks.startUpTaint !== undefined)
      await this.#takeTaintOff(path, marks.startUpTaint);
  }

  /** The list is replaced as a whole, in the version that was read: somebody else may put one on at the same time. */
  async #takeTaintOff(path: string, key: string): Promise<void> {
    const { metadata, spec } = (await this.#api.ask({ method: 'GET', path })) as RawNode;
    const taints = spec?.taints ?? [];
    const others = taints.filter((taint) => taint.key !== key);
    if (others.length === taints.length) return;
    const body = { metadata: { resourceVersion: metadata.resourceVersion }, spec: { taints: others } };
    await this.#api.ask({ method: 'PATCH', path, body });
  }
}

/** What the server keeps of a time there. */
const seconds = (time: string): string => time.replace(/\.\d+Z$/, 'Z');
