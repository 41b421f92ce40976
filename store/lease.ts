// A lease that one of many holds: Kubernetes' own object, and how a candidate takes, renews and gives it back by compare
// and swap. As in client-go's leader election no two clocks are compared: a holder is taken for gone when its lease did
// not change for so long as it said, by the watch of the one who looks.
import type { Clock } from '#world';
import type { Lease, Store } from './store.ts';

export interface CandidateOptions {
  readonly namespace: string;
  /** The lease's. */
  readonly name: string;
  /** Nobody else's: a node's name and something that differs at each start. */
  readonly identity: string;
  /** How long others leave a holder that says nothing alone. */
  readonly durationSeconds: number;
}

export type LeaseState =
  | { readonly kind: 'held' }
  /** Empty holder: another was first and gave it back since. */
  | { readonly kind: 'taken'; readonly holder: string };

export class LeaseCandidate {
  readonly #options: CandidateOptions;
  readonly #store: Pick<Store, 'get' | 'create' | 'update'>;
  readonly #clock: Clock;
  #seen: Lease | undefined;
  /** Clock.now() when #seen was first seen. */
  #seenAtMs = 0;
  #heldUntilMs = Number.NEGATIVE_INFINITY;

  constructor(store: Pick<Store, 'get' | 'create' | 'update'>, clock: Clock, options: CandidateOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#options = options;
  }

  /** Nobody else can hold it now. Ends by itself: whoever does not renew in time has lost it before others take it. */
  get isHeld(): boolean {
    return this.#clock.now() < this.#heldUntilMs;
  }

  /** Takes the lease when it is free, and renews it when it is ours: to be called every third of its duration or so. */
  async acquire(): Promise<LeaseState> {
    const { namespace, name, identity } = this.#options;
    const askedAtMs = this.#clock.now();
    const found = await this.#store.get({ kind: 'Lease', namespace, name });
    this.#see(found);
    if (found !== undefined && !this.#isFree(found)) {
      this.#heldUntilMs = Number.NEGATIVE_INFINITY;
      return { kind: 'taken', holder: found.spec.holderIdentity };
    }
    const wanted = this.#version(found, identity, this.#options.durationSeconds);
    return this.#write(found, wanted, askedAtMs);
  }

  /** Others need not wait for its end. Nothing when it is not ours. */
  async release(): Promise<void> {
    const held = this.#seen;
    this.#heldUntilMs = Number.NEGATIVE_INFINITY;
    if (held?.spec.holderIdentity !== this.#options.identity) return;
    const result = await this.#store.update(this.#version(held, '', 1));
    if (result.kind === 'stored') this.#see(result.object);
  }

  async #write(found: Lease | undefined, wanted: Lease, askedAtMs: number): Promise<LeaseState> {
    const result = await (found === undefined ? this.#store.create(wanted) : this.#store.update(wanted));
    switch (result.kind) {
      case 'stored':
        this.#see(result.object);
        // From before the question on: others count from when they see the answer to it.
        this.#heldUntilMs = askedAtMs + this.#options.durationSeconds * 1000;
        return { kind: 'held' };
      case 'conflict':
        this.#see(result.newest);
        this.#heldUntilMs = Number.NEGATIVE_INFINITY;
        return { kind: 'taken', holder: result.newest.spec.holderIdentity };
      case 'unreadable':
        throw new Error(result.why);
      case 'notFound':
        this.#heldUntilMs = Number.NEGATIVE_INFINITY;
        return { kind: 'taken', holder: '' };
    }
  }

  #see(lease: Lease | undefined): void {
    if (lease?.metadata.resourceVersion === this.#seen?.metadata.resourceVersion) return;
    this.#seen = lease;
    this.#seenAtMs = this.#clock.now();
  }

  #isFree({ spec }: Lease): boolean {
    if (spec.holderIdentity === '' || spec.holderIdentity === this.#options.identity) return true;
    return this.#clock.now() >= this.#seenAtMs + spec.leaseDurationSeconds * 1000;
  }

  #version(before: Lease | undefined, holderIdentity: string, leaseDurationSeconds: number): Lease {
    const { namespace, name } = this.#options;
    const now = new Date(this.#clock.wall()).toISOString();
    const isSame = before?.spec.holderIdentity === holderIdentity;
    const transitions = before?.spec.leaseTransitions ?? 0;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: before?.metadata ?? { name, namespace },
      spec: {
        holderIdentity,
        leaseDurationSeconds,
        acquireTime: isSame ? before.spec.acquireTime : now,
        renewTime: now,
        leaseTransitions:
          before === undefined || isSame || holderIdentity === '' ? transitions : transitions + 1,
      },
    };
  }
}
