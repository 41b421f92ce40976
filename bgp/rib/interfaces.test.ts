// Policies that look at the interface over which a route's next hop is reached: asked again whenever that is another.
import assert from 'node:assert/strict';
import type { Policy, PolicyTerm } from '../policy/index.ts';
import { RibLab } from './testing/rib-lab.ts';

const NEXT_HOP = '192.0.2.1';
const PREFIX = '10.1.0.0/16';
const term = (name: string, verdict: 'accept' | 'reject'): PolicyTerm => ({
  match: { interface: name },
  action: { verdict },
  why: `${verdict} ${name}`,
});
const policy = (terms: PolicyTerm[], otherwise: Policy['otherwise']): Policy => ({
  name: 'p',
  terms,
  otherwise,
});

/** What e2 holds of e1's route as the kernel's answers come; undefined: none has come. */
function heldAfter(
  side: 'import' | 'export',
  rules: Policy,
  answers: readonly (readonly string[])[],
): boolean[] {
  const lab = new RibLab();
  const more = { config: { [side]: rules } };
  lab.up({ id: 'e1', address: NEXT_HOP, as: 65101, ...(side === 'import' ? more : {}) });
  lab.up({ id: 'e2', address: '192.0.2.2', as: 65102, ...(side === 'export' ? more : {}) });
  lab.announce('e1', [PREFIX], { path: [65101], nextHop: NEXT_HOP });
  const look = () => {
    lab.settle();
    return lab.session('e2').held.has(PREFIX);
  };
  return [
    look(),
    ...answers.map((interfaces) => {
      lab.rib.updateNextHop(NEXT_HOP, true, 0, undefined, interfaces);
      return look();
    }),
  ];
}

describe('a policy that looks at interfaces', () => {
  for (const side of ['import', 'export'] as const) {
    it(`${side}: accepts by the interface that the next hop has now`, () => {
      const rules = policy([term('eth0', 'accept')], 'reject');
      assert.deepEqual(heldAfter(side, rules, [['eth0'], ['eth1'], ['eth1', 'eth0'], []]), [
        false,
        true,
        false,
        true,
        false,
      ]);
    });

    it(`${side}: rejects by it, and until it is known`, () => {
      const rules = policy([term('*.calico', 'reject')], 'accept');
      assert.deepEqual(heldAfter(side, rules, [['eth0'], ['vxlan.calico'], ['vxlanXcalico'], []]), [
        false,
        true,
        false,
        true,
        true,
      ]);
    });
  }

  it('holds for no prefix of our own, which have no interface', () => {
    const lab = new RibLab();
    const rules = policy([term('*', 'reject')], 'accept');
    lab.up({ id: 'e2', address: '192.0.2.2', as: 65102, config: { export: rules } });
    lab.rib.originated.originate([{ prefix: PREFIX, communities: [], largeCommunities: [], why: 'block' }]);
    lab.rib.wake();
    lab.settle();
    assert.ok(lab.session('e2').held.has(PREFIX));
  });
});
