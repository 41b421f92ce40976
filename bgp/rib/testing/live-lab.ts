// Neighbours whose configuration changes while a RIB is at work, and what forwarding was told: for tests of live changes.
import type { PeerConfig } from '../../config.ts';
import { fakeConfig, type FakePeerOptions } from './fake-session.ts';
import type { RibLab } from './rib-lab.ts';

export const ebgp = (n: number, more: Partial<FakePeerOptions> = {}): FakePeerOptions => ({
  id: `e${n}`,
  address: `192.0.2.${n}`,
  as: 65100 + n,
  ...more,
});
export const ibgp = (n: number, more: Partial<FakePeerOptions> = {}): FakePeerOptions => ({
  id: `i${n}`,
  address: `198.51.100.${n}`,
  as: 65000,
  ...more,
});
export const held = (lab: RibLab, id: string) => Object.fromEntries(lab.session(id).held);
export const A = '20.0.1.0/24';
export const B = '20.0.2.0/24';

export function configure(lab: RibLab, peer: FakePeerOptions, change: Partial<PeerConfig>): void {
  const config = fakeConfig({ ...peer, config: { ...peer.config, ...change } });
  lab.session(peer.id).config = config;
  lab.rib.neighbours.configure(config);
  lab.settle();
}

/** The next hops that forwarding was told last, by prefix. */
export function follow(lab: RibLab): Map<string, string[]> {
  const told = new Map<string, string[]>();
  const { forwarding, nextHops, tables } = lab.rib;
  forwarding.subscribe(({ family, prefixIds, count }) => {
    for (let i = 0; i < count; i++) {
      const out = { kind: 0, metric: 0, count: 0, nextHopIds: new Int32Array(8) };
      forwarding.forwarding(family, prefixIds[i]!, out);
      const hops = [...out.nextHopIds.subarray(0, out.count)].map((id) => nextHops.read(id).address);
      told.set(lab.rib.prefixText(tables[family], prefixIds[i]!), hops.sort());
    }
  });
  return told;
}
