// For tests of the FIB: a RIB that holds what the test says, and a host with two links to put routes on.
import type { Forwarding, ForwardingChange, ForwardingView } from '#bgp';
import type { FamilyIndex } from '#ip';
import type { Kernel } from '#linux';
import { tablePrefix } from '../table-prefix.ts';

interface TestPrefix {
  readonly family: FamilyIndex;
  readonly bytes: Uint8Array;
  readonly length: number;
  hops: readonly string[];
  /** 0: no policy says one. */
  metric: number;
}

/** As the speaker's RIB towards its listeners; ids of prefixes without a path are reused, as there. */
export class TestRib implements ForwardingView {
  readonly #ids = new Map<string, number>();
  readonly #prefixes: (TestPrefix | undefined)[] = [];
  readonly #hops: string[] = [];
  /** Of prefixes that are set from now on. */
  metric = 0;

  /** Sets the next hops ('address', 'address%device', each perhaps with '*weight') of prefixes; none withdraws. */
  set(prefixes: readonly string[], hops: readonly string[], tell: (change: ForwardingChange) => void): void {
    const changed: number[][] = [[], []];
    for (const text of prefixes) {
      const { family, bytes, length } = tablePrefix(text);
      const id = this.#ids.get(text) ?? this.#freeId();
      this.#ids.set(text, id);
      this.#prefixes[id] = { family, bytes, length, hops, metric: this.metric };
      changed[family]!.push(id);
    }
    for (const family of [0, 1] as const) {
      const ids = changed[family]!;
      if (ids.length > 0) tell({ family, prefixIds: Uint32Array.from(ids), count: ids.length });
    }
    if (hops.length > 0) return;
    for (const text of prefixes) {
      this.#prefixes[this.#ids.get(text)!] = undefined;
      this.#ids.delete(text);
    }
  }

  #freeId(): number {
    const free = this.#prefixes.indexOf(undefined);
    return free < 0 ? this.#prefixes.length : free;
  }

  readPrefix(family: FamilyIndex, id: number, out: Uint8Array): number {
    const prefix = this.#prefixes[id];
    if (prefix?.family !== family) return -1;
    out.set(prefix.bytes);
    return prefix.length;
  }

  forwarding(_family: FamilyIndex, id: number, out: Forwarding): void {
    const hops = this.#prefixes[id]?.hops ?? [];
    out.kind = hops.length === 0 ? 0 : 2;
    out.metric = this.#prefixes[id]?.metric ?? 0;
    out.count = hops.length;
    for (const [i, text] of hops.entries()) {
      const [hop = '', weight = 1] = text.split('*');
      if (out.weights !== undefined) out.weights[i] = Number(weight);
      if (!this.#hops.includes(hop)) this.#hops.push(hop);
      out.nextHopIds[i] = this.#hops.indexOf(hop);
    }
  }

  nextHop(id: number): { readonly address: string; readonly device?: string } {
    const [address = '', device] = this.#hops[id]!.split('%');
    return device === undefined ? { address } : { address, device };
  }
}

/** Two links up with addresses: eth0 10.9.0.1/24 and fd09::1/64, eth1 10.9.1.1/24; peers b0 and b1 in the same place. */
export async function wireTestHost(kernel: Kernel): Promise<void> {
  const results = await kernel.apply([
    { type: 'setLink', device: 'lo', up: true },
    { type: 'addLink', kind: 'veth', name: 'eth0', up: true, peer: { name: 'b0' } },
    { type: 'addLink', kind: 'veth', name: 'eth1', up: true, peer: { name: 'b1' } },
    { type: 'setLink', device: 'b0', up: true },
    { type: 'setLink', device: 'b1', up: true },
    { type: 'addAddress', device: 'eth0', address: '10.9.0.1/24' },
    { type: 'addAddress', device: 'eth1', address: '10.9.1.1/24' },
    { type: 'addAddress', device: 'eth0', address: 'fd09::1/64', noDad: true },
  ]);
  const error = results.find((result) => result !== undefined);
  if (error !== undefined) throw error;
}

/** Own routes as `ip route` words them, sorted: '10.1.0.0/24 via 10.9.0.2 dev eth0', 'unreachable fd01::/64'. */
export async function ownRoutes(kernel: Kernel): Promise<string[]> {
  const routes = await kernel.routes({ protocol: 179 });
  return routes
    .map(({ destination, type, nextHops, metric }) => {
      const kind = type === 'unicast' ? '' : `${type} `;
      const hops = type === 'unicast' ? nextHops : [];
      const texts = hops.map(
        ({ gateway, device, weight }) =>
          `${gateway === undefined ? '' : ` via ${gateway}`} dev ${device}${weight === undefined ? '' : ` weight ${weight}`}`,
      );
      return `${kind}${destination}${texts.sort().join('')}${metric === 1024 ? '' : ` metric ${metric}`}`;
    })
    .sort();
}
