// The next hops that the RIB's routes use, each with how the kernel reaches it now. Two users: the speaker, which
// wants to know whether a next hop is reachable (track), and next-hop sets of installed routes (acquire).
// Bound: the distinct next hops of the RIB.
import { withZone } from '#ip';
import type { Link } from '#linux';
import { type KernelFacts, type Resolution, resolve, sameResolution } from './resolve.ts';

export interface HopEntry {
  readonly id: number;
  readonly address: string;
  readonly device: string | undefined;
  resolution: Resolution;
  users: number;
  isTracked: boolean;
}

export class NextHops {
  readonly #facts: KernelFacts;
  readonly #byKey = new Map<string, HopEntry>();
  readonly #byId: (HopEntry | undefined)[] = [];
  readonly #free: number[] = [];
  /** Next hops that are reached through another address, whatever the kernel's routes say. Bound: the sessions. */
  #gateways: ReadonlyMap<string, string> = new Map();

  constructor(facts: KernelFacts) {
    this.#facts = facts;
  }

  acquire(address: string, device: string | undefined): HopEntry {
    const key = withZone(address, device);
    let entry = this.#byKey.get(key);
    if (entry === undefined) {
      const id = this.#free.pop() ?? this.#byId.length;
      const resolution = this.#resolve(address, device);
      entry = { id, address, device, resolution, users: 0, isTracked: false };
      this.#byKey.set(key, entry);
      this.#byId[id] = entry;
    }
    entry.users++;
    return entry;
  }

  /** Ask resolveAgain() afterwards. */
  set gateways(gateways: ReadonlyMap<string, string>) {
    this.#gateways = gateways;
  }

  #resolve(address: string, device: string | undefined): Resolution {
    const gateway = device === undefined ? this.#gateways.get(address) : undefined;
    if (gateway === undefined) return resolve(address, device, this.#facts);
    const through = resolve(gateway, undefined, this.#facts);
    return {
      ...through,
      isOnLink: false,
      how: `through its gateway ${gateway}, which ${through.isReachable ? 'is ' : ''}${through.how}`,
    };
  }

  release(id: number): void {
    const entry = this.#byId[id];
    if (entry === undefined || --entry.users > 0) return;
    this.#byKey.delete(withZone(entry.address, entry.device));
    this.#byId[id] = undefined;
    this.#free.push(id);
  }

  /** The speaker wants to be told about this one. */
  track(address: string, device: string | undefined): HopEntry {
    const entry = this.acquire(address, device);
    if (entry.isTracked) this.release(entry.id);
    entry.isTracked = true;
    return entry;
  }

  untrack(address: string, device: string | undefined): void {
    const entry = this.#byKey.get(withZone(address, device));
    if (entry === undefined || !entry.isTracked) return;
    entry.isTracked = false;
    this.release(entry.id);
  }

  get(id: number): HopEntry | undefined {
    return this.#byId[id];
  }

  all(): Iterable<HopEntry> {
    return this.#byKey.values();
  }

  /** Looks again how each is reached; returns those that changed. */
  resolveAgain(): HopEntry[] {
    const changed: HopEntry[] = [];
    for (const entry of this.#byKey.values()) {
      const resolution = this.#resolve(entry.address, entry.device);
      const isSame = sameResolution(entry.resolution, resolution);
      entry.resolution = resolution;
      if (!isSame) changed.push(entry);
    }
    return changed;
  }

  /** Whether a change of this link can change how a next hop is reached. */
  dependsOn(link: Link): boolean {
    for (const entry of this.#byKey.values()) {
      if (entry.device === link.name) return true;
      if (entry.resolution.hops.some((hop) => hop.deviceIndex === link.index)) return true;
    }
    return false;
  }
}
