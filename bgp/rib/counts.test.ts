// What status says of a neighbour's routes: counted as they change, never by looking at all of them.
import assert from 'node:assert/strict';
import { type Policy, REJECT_ALL } from '../policy/policy.ts';
import { type FamilyRoutes, peerRoutes } from '../speaker-status.ts';
import { fakeConfig } from './testing/fake-session.ts';
import { RibLab } from './testing/rib-lab.ts';

const ebgp = (n: number, more = {}) => ({ id: `e${n}`, address: `192.0.2.${n}`, as: 65100 + n, ...more });
const client = (n: number) => ({ id: `i${n}`, address: `198.51.100.${n}`, as: 65000, client: true });
const counts = (lab: RibLab, id: string): FamilyRoutes => peerRoutes(lab.rib, id)!.families[0]!;

describe('rib: counts for status', () => {
  it('tell accepted routes from those that policy or the protocol refuses, as both change', () => {
    const lab = new RibLab();
    lab.up(ebgp(1));
    lab.announce('e1', ['10.1.0.0/16', '10.2.0.0/16'], { path: [65101], nextHop: '192.0.2.1' });
    lab.announce('e1', ['10.3.0.0/16'], { path: [65101, 65000], nextHop: '192.0.2.1' });
    lab.settle();
    const { received, accepted, filtered, ineligible, ownAsLoops } = counts(lab, 'e1');
    assert.deepEqual(
      { received, accepted, filtered, ineligible, ownAsLoops },
      {
        received: 3,
        accepted: 2,
        filtered: 0,
        ineligible: 1,
        ownAsLoops: 1,
      },
    );
    const config = fakeConfig(ebgp(1, { config: { import: REJECT_ALL } }));
    lab.session('e1').config = config;
    lab.rib.neighbours.configure(config);
    lab.settle();
    lab.withdraw('e1', ['10.1.0.0/16']);
    assert.equal(counts(lab, 'e1').filtered, 1);
    assert.equal(counts(lab, 'e1').accepted, 0);
    lab.announce('e1', ['10.3.0.0/16'], { path: [65101], nextHop: '192.0.2.1' });
    assert.deepEqual([counts(lab, 'e1').filtered, counts(lab, 'e1').ineligible], [2, 0]);
    assert.equal(counts(lab, 'e1').ownAsLoops, 0);
    lab.down('e1');
    lab.settle();
    lab.up(ebgp(1));
    assert.equal(counts(lab, 'e1').received, 0, 'a new session begins at nothing');
    assert.equal(counts(lab, 'e1').filtered, 0);
  });

  it('tell routes through our own address, also where an address is ours later or a policy sets it', () => {
    const lab = new RibLab();
    const seen = () => {
      const { accepted, ineligible, unfitHops, ownAsLoops } = counts(lab, 'e1');
      return [accepted, ineligible, unfitHops, ownAsLoops];
    };
    lab.up(ebgp(1, { config: { enforceFirstAs: true } }));
    lab.announce('e1', ['10.1.0.0/16', '10.2.0.0/16'], { path: [65101], nextHop: '192.0.2.77' });
    lab.announce('e1', ['10.3.0.0/16'], { path: [65101, 65000], nextHop: '192.0.2.77' });
    lab.announce('e1', ['10.4.0.0/16'], { path: [65101], nextHop: '192.0.2.1' });
    lab.announce('e1', ['10.5.0.0/16'], { path: [7], nextHop: '192.0.2.1' });
    lab.settle();
    assert.deepEqual(seen(), [3, 2, 0, 1]);
    lab.up(ebgp(2, { negotiated: { localAddress: '192.0.2.77' } }));
    lab.settle();
    assert.deepEqual(seen(), [1, 4, 2, 1]);
    lab.announce('e1', ['10.1.0.0/16'], { path: [65101], nextHop: '192.0.2.1' });
    lab.withdraw('e1', ['10.2.0.0/16']);
    lab.settle();
    assert.deepEqual(seen(), [2, 2, 0, 1]);
    const set = { nextHop: '192.0.2.77' };
    const terms = [{ match: {}, action: { verdict: 'accept' as const, set }, why: 'rule 1' }];
    const config = fakeConfig(
      ebgp(1, { config: { enforceFirstAs: true, import: { name: 'p', terms, otherwise: 'reject' } } }),
    );
    lab.session('e1').config = config;
    lab.rib.neighbours.configure(config);
    lab.settle();
    assert.deepEqual(seen(), [0, 4, 2, 1]);
  });

  it('tell our own routes that come back from other loops', () => {
    const lab = new RibLab();
    lab.rib.originated.originate([{ prefix: '10.9.0.0/26', why: 'block' }]);
    lab.up(ebgp(1));
    lab.announce('e1', ['10.9.0.0/26', '10.8.0.0/26'], { path: [65101, 65000], nextHop: '192.0.2.1' });
    lab.settle();
    assert.deepEqual([counts(lab, 'e1').ownAsLoops, counts(lab, 'e1').ownReturns], [2, 1]);
    lab.withdraw('e1', ['10.9.0.0/26', '10.8.0.0/26']);
    lab.settle();
    assert.deepEqual([counts(lab, 'e1').ownAsLoops, counts(lab, 'e1').ownReturns], [0, 0]);
  });

  it('name what of ours a neighbour announces, and only what is not our own come back', () => {
    const lab = new RibLab();
    const own = (...prefixes: string[]): Policy => ({
      name: 'own',
      terms: [
        {
          match: { prefixes: prefixes.map((prefix) => ({ prefix, operator: 'in' })) },
          action: { verdict: 'reject', isOwn: true },
          why: 'ours',
        },
      ],
      otherwise: 'accept',
    });
    const claims = () => peerRoutes(lab.rib, 'e1')!.ownClaims;
    const peer = ebgp(1, { config: { import: own('10.9.0.0/26'), allowedLocalAs: 1 } });
    lab.up(peer);
    const theirs = { path: [65101], nextHop: '192.0.2.1' };
    lab.announce('e1', ['10.9.0.0/26', '10.9.0.7/32', '10.8.0.0/26'], theirs);
    assert.deepEqual(claims(), ['10.9.0.0/26', '10.9.0.7/32']);
    lab.settle();
    assert.deepEqual(
      lab.routes({ view: 'best' }).map(({ prefix }) => prefix),
      ['10.8.0.0/26'],
    );
    lab.withdraw('e1', ['10.9.0.7/32']);
    assert.deepEqual(claims(), ['10.9.0.0/26']);
    lab.announce('e1', ['10.9.0.0/26'], { path: [65101, 65000], nextHop: '192.0.2.1' });
    assert.deepEqual(claims(), [], 'our own AS is in AS_PATH: it may be ours');
    // What is ours changes while the neighbour says nothing.
    const config = fakeConfig({ ...peer, config: { import: own('10.8.0.0/16') } });
    lab.session('e1').config = config;
    lab.rib.neighbours.configure(config);
    lab.settle();
    assert.deepEqual(claims(), ['10.8.0.0/26']);
    lab.down('e1');
    lab.settle();
    assert.deepEqual(claims(), []);
  });

  it('leave out of what is advertised what came from the peer itself', () => {
    const lab = new RibLab();
    for (const n of [1, 2, 3]) lab.up(ebgp(n));
    lab.announce('e1', ['10.1.0.0/16', '10.2.0.0/16'], { path: [65101], nextHop: '192.0.2.1' });
    lab.announce('e2', ['10.3.0.0/16'], { path: [65102], nextHop: '192.0.2.2' });
    lab.settle();
    const advertised = () => ['e1', 'e2', 'e3'].map((id) => counts(lab, id).advertised);
    assert.deepEqual(advertised(), [1, 2, 3]);
    lab.announce('e2', ['10.1.0.0/16'], { path: [], nextHop: '192.0.2.2' });
    lab.settle();
    assert.deepEqual(advertised(), [2, 1, 3], 'the better path of e2 goes to e1 and no longer to e2');
    lab.withdraw('e2', ['10.1.0.0/16', '10.3.0.0/16']);
    lab.settle();
    assert.deepEqual(advertised(), [0, 2, 2]);
  });

  it('leave out routes through the peer’s own address, also when it comes later than they', () => {
    const lab = new RibLab();
    lab.up(client(1));
    lab.announce('i1', ['10.1.0.0/16', '10.2.0.0/16'], { path: [], nextHop: '198.51.100.2' });
    lab.announce('i1', ['10.3.0.0/16'], { path: [], nextHop: '198.51.100.1' });
    lab.up(client(3));
    lab.settle();
    lab.up(client(2));
    lab.settle();
    assert.deepEqual([...lab.session('i2').held.keys()], ['10.3.0.0/16']);
    assert.equal(counts(lab, 'i2').advertised, 1);
    assert.equal(counts(lab, 'i3').advertised, 3);
    lab.withdraw('i1', ['10.2.0.0/16']);
    lab.settle();
    assert.equal(counts(lab, 'i2').advertised, 1);
    assert.equal(counts(lab, 'i3').advertised, 2);
  });

  it('say what a peer has not got yet', () => {
    const lab = new RibLab();
    lab.up(ebgp(1));
    lab.up(ebgp(2));
    lab.settle();
    lab.session('e2').room = 0;
    lab.announce('e1', ['10.1.0.0/16'], { path: [65101], nextHop: '192.0.2.1' });
    lab.settle();
    lab.announce('e1', ['10.2.0.0/16', '10.3.0.0/16'], { path: [65101], nextHop: '192.0.2.1' });
    lab.settle();
    assert.deepEqual([counts(lab, 'e2').advertised, counts(lab, 'e2').owed], [3, 2]);
    lab.drain('e2', Number.POSITIVE_INFINITY);
    lab.settle();
    assert.deepEqual([counts(lab, 'e2').advertised, counts(lab, 'e2').owed], [3, 0]);
  });

  it('say it once of a route that changes before its turn in the first transfer comes', () => {
    const lab = new RibLab({ ebgp: 1, ibgp: 1, relax: false }, 4);
    const prefixes = Array.from({ length: 40 }, (_, i) => `10.${i}.0.0/16`);
    lab.up(ebgp(1));
    lab.announce('e1', prefixes, { path: [65101], nextHop: '192.0.2.1' });
    lab.settle();
    lab.up(ebgp(2, { families: ['ipv4'] })).room = 1;
    lab.settle();
    assert.equal(counts(lab, 'e2').owed, 36);
    for (const med of [1, 2]) {
      lab.announce('e1', prefixes, { path: [65101, med], nextHop: '192.0.2.1' });
      lab.settle();
    }
    assert.equal(counts(lab, 'e2').owed, 40);
    lab.drain('e2', Number.POSITIVE_INFINITY);
    lab.settle();
    assert.equal(counts(lab, 'e2').owed, 0);
  });
});
