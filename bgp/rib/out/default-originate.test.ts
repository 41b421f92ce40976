// A default route for neighbours that ask for one: beside the export policy, in place of any other default, and of no use here.
import assert from 'node:assert/strict';
import type { PeerConfig } from '../../config.ts';
import type { Policy } from '../../policy/policy.ts';
import { configure, ebgp, held, ibgp } from '../testing/live-lab.ts';
import { RibLab } from '../testing/rib-lab.ts';
import type { FakePeerOptions } from '../testing/fake-session.ts';

const NOTHING: Policy = { name: 'nothing', terms: [], otherwise: 'reject' };
const asks = (options: FakePeerOptions, config: Partial<PeerConfig> = {}): FakePeerOptions => ({
  ...options,
  config: { defaultOriginate: ['ipv4'], ...config },
});
const DEFAULT = '0.0.0.0/0';
const OURS = 'nh=10.0.0.1 path=65000';

function stand(
  lab: RibLab,
  more: { readonly communities?: readonly string[]; readonly localPref?: number } = {},
) {
  const route = { onRequest: true, why: 'defaultOriginate', ...more } as const;
  lab.rib.originated.originate([DEFAULT, '::/0'].map((prefix) => ({ prefix, ...route })));
  lab.rib.wake();
  lab.settle();
}

/** What forwarding has of the IPv4 default route: 0 none, 2 learned. */
function forwardingKind(lab: RibLab): number {
  const out = { kind: 9, metric: 0, count: 0, nextHopIds: new Int32Array(8) };
  lab.rib.forwarding.forwarding(0, lab.rib.tables[0].prefixes.find4(0, 0), out);
  return out.kind;
}

describe('default originate', () => {
  it('goes to who asks, in the families that are asked for, past a policy that lets nothing out', () => {
    const lab = new RibLab();
    lab.up(asks(ebgp(1), { export: NOTHING }));
    lab.up(asks(ibgp(2), { defaultOriginate: ['ipv4', 'ipv6'] }));
    lab.up(ebgp(3));
    stand(lab);
    assert.deepEqual(held(lab, 'e1'), { [DEFAULT]: OURS });
    assert.deepEqual(held(lab, 'i2'), {
      [DEFAULT]: 'nh=10.0.0.1 path= lp=100',
      '::/0': 'nh=fd00::1 path= lp=100',
    });
    assert.deepEqual(held(lab, 'e3'), {});
    assert.equal(forwardingKind(lab), 0, 'it is not used here');
    assert.deepEqual(lab.routes({ view: 'best' }), []);
  });

  it('stands in for a default that is learned, also towards who sent that one, and is passed on to nobody', () => {
    const lab = new RibLab();
    const source = asks(ebgp(1));
    for (const peer of [source, asks(ebgp(2)), ebgp(3)]) lab.up(peer);
    stand(lab);
    lab.announce('e1', [DEFAULT], { path: [65101], nextHop: '192.0.2.1' });
    lab.settle();
    assert.deepEqual([held(lab, 'e1'), held(lab, 'e2')], [{ [DEFAULT]: OURS }, { [DEFAULT]: OURS }]);
    assert.deepEqual(held(lab, 'e3'), { [DEFAULT]: `${OURS},65101` });
    assert.equal(forwardingKind(lab), 2, 'the learned one is used');
    configure(lab, asks(ebgp(2)), { defaultOriginate: [] });
    assert.deepEqual(held(lab, 'e2'), { [DEFAULT]: `${OURS},65101` });
    configure(lab, source, { defaultOriginate: [] });
    assert.deepEqual(held(lab, 'e1'), {}, 'its own never comes back');
  });

  it('comes and goes with the field while the session stands, and changes with the route', () => {
    const lab = new RibLab();
    for (const peer of [ebgp(1), ebgp(2)]) lab.up(peer);
    stand(lab);
    const before = lab.session('e2').messages;
    configure(lab, ebgp(1), { defaultOriginate: ['ipv4'] });
    assert.deepEqual(held(lab, 'e1'), { [DEFAULT]: OURS });
    stand(lab, { communities: ['65535:0'] });
    assert.match(held(lab, 'e1')[DEFAULT]!, /comm=graceful-shutdown/);
    configure(lab, ebgp(1), { defaultOriginate: ['ipv6'] });
    assert.deepEqual(Object.keys(held(lab, 'e1')), ['::/0']);
    configure(lab, ebgp(1), {});
    assert.deepEqual(held(lab, 'e1'), {});
    assert.equal(lab.session('e2').messages, before, 'nobody else hears of it');
    lab.rib.originated.withdraw([DEFAULT, '::/0']);
    lab.rib.wake();
    lab.settle();
    assert.deepEqual(lab.pages.sizes().prefixes, { ipv4: 0, ipv6: 0 });
  });

  it('goes with ADD-PATH too, alone among default routes', () => {
    const lab = new RibLab();
    lab.up(asks({ ...ibgp(1), addPathSend: true }));
    for (const n of [2, 3]) {
      lab.up(ebgp(n));
      lab.announce(`e${n}`, [DEFAULT], { path: [65100 + n], nextHop: `192.0.2.${n}` });
    }
    lab.settle();
    assert.equal(lab.session('i1').held.size, 2);
    stand(lab);
    const text = Object.values(held(lab, 'i1')).join();
    assert.match(text, /^nh=10.0.0.1 path= lp=100$/);
    lab.rib.originated.withdraw([DEFAULT]);
    lab.rib.wake();
    lab.settle();
    assert.equal(lab.session('i1').held.size, 2);
  });

  it('is shown with what was sent, and why it is or is not', () => {
    const lab = new RibLab();
    lab.up(asks(ebgp(1), { export: NOTHING }));
    lab.up(ebgp(2));
    stand(lab);
    const [sent] = lab.routes({ view: 'advertised', peer: 'e1' });
    assert.deepEqual([sent?.prefix, sent?.nextHop, sent?.asPath], [DEFAULT, '10.0.0.1', '65000']);
    const page = lab.pages.routes({ view: 'all', prefix: DEFAULT, explain: true, limit: 9 });
    const why = 'not used here: it is for neighbours with defaultOriginate (from defaultOriginate)';
    assert.deepEqual(
      page.routes.map((route) => route.why),
      [why],
    );
    assert.deepEqual(page.notes, [
      `${DEFAULT}: sent to e1`,
      `${DEFAULT}: not sent to e2: no path to it can be used`,
    ]);
  });
});
