// The Pods of one node, as far as it has to be known whether one is there: names and UIDs, by a watch of that node's Pods
// alone. They are no objects of a plan, are not kept on disk, and nothing waits for them. Bound: the Pods of a node.
import type { Clock, Random } from '#world';
import type { OwnPods } from '../store.ts';
import { type ApiServer, failureText } from './api-server.ts';
import { keyOfRaw, type Raw } from './list-contents.ts';
import { type ListState, Reflector } from './reflector.ts';

/** On the mirror of a static Pod: the UID that the kubelet gives to the runtime, which the mirror itself has not. */
const MIRROR = 'kubernetes.io/config.mirror';

export class OwnPodsList implements Disposable {
  readonly #clock: Clock;
  readonly #reflector: Reflector;
  /** 'namespace/name' → UID, as the runtime is told it. */
  readonly #uids = new Map<string, string>();
  /** Undefined: the list is not current. */
  #heardSinceMs: number | undefined;

  /** @param stateChanged called when problem() may be another one */
  constructor(
    node: string,
    io: { readonly api: ApiServer; readonly clock: Clock; readonly random: Random },
    stateChanged: () => void,
  ) {
    this.#clock = io.clock;
    const list = { path: '/api/v1/pods', fieldSelector: `spec.nodeName=${node}` };
    this.#reflector = new Reflector(list, io, {
      part: (object) => uidOf(object as Raw),
      replaced: (objects) => {
        this.#uids.clear();
        for (const object of objects) this.#put(object as PodUid);
      },
      changed: (object) => this.#put(uidOf(object as Raw)),
      removed: (object) => void this.#uids.delete(keyOfRaw(object as Raw)),
      stateChanged: () => {
        const isCurrent = this.#reflector.state().kind === 'current';
        this.#heardSinceMs = isCurrent ? (this.#heardSinceMs ?? this.#clock.now()) : undefined;
        stateChanged();
      },
    });
  }

  start(): void {
    this.#reflector.start();
  }

  /** Undefined: it is not heard now. */
  pods(): OwnPods | undefined {
    if (this.#heardSinceMs === undefined) return undefined;
    return {
      heardSinceMs: this.#heardSinceMs,
      has: (namespace, name, uid) => {
        const found = this.#uids.get(`${namespace}/${name}`);
        return found !== undefined && (uid === undefined || uid === found);
      },
    };
  }

  state(): ListState {
    return this.#reflector.state();
  }

  /**
   * What is wrong with it alone; undefined: nothing, or the server is away for all lists alike.
   *
   * @param forMs how long the server must have refused it
   */
  problem(forMs: number): string | undefined {
    const state = this.#reflector.state();
    if (state.kind !== 'starting' && state.kind !== 'behind') return undefined;
    const { last, refusesSinceMs = Number.POSITIVE_INFINITY } = state.failure ?? {};
    if (last?.kind !== 'refused' || last.status !== 403) return undefined;
    if (this.#clock.now() - refusesSinceMs < forMs) return undefined;
    return `the API server refuses to show this node's: ${failureText(last)}; addresses of Pods that are gone are not looked for`;
  }

  [Symbol.dispose](): void {
    this.#reflector[Symbol.dispose]();
  }

  #put(pod: PodUid): void {
    this.#uids.set(keyOfRaw(pod), pod.metadata.uid);
  }
}

interface PodUid {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid: string };
}

/** As the runtime is told it. */
function uidOf({ metadata: { name, namespace, uid, annotations } }: Raw): PodUid {
  const mirrored = (annotations as Readonly<Record<string, unknown>> | undefined)?.[MIRROR];
  return {
    metadata: { name, ...(namespace !== undefined && { namespace }), uid: String(mirrored ?? uid) },
  };
}
