// Rules of the protocol that nothing else would notice when they are gone: each is one line of the product, and a router
// that lacks it interoperates with everybody and routes wrongly.
import assert from 'node:assert/strict';
import type { TtlRule } from '../io.ts';
import type { Policy } from '../policy/policy.ts';
import {
  attribute,
  announceMessage,
  asPathValue,
  NEXT_HOP,
  ORIGIN_IGP,
  u32,
  update,
} from '../testing/message-bytes.ts';
import { fakeConfig, type FakePeerOptions, OWN_AS } from './testing/fake-session.ts';
import { RibLab } from './testing/rib-lab.ts';

const HOP = '192.0.2.1';

/** 10.1.0.0/16 by HOP with these attributes (hex) behind AS_PATH. */
function route(path: readonly number[], more = ''): Buffer {
  const attributes = `${ORIGIN_IGP} ${attribute(0x40, 2, asPathValue(path))} ${NEXT_HOP} ${more}`;
  return update({ attributes, nlri: '10 0a01' });
}

const OTC = (as: number): string => attribute(0xc0, 35, u32(as));
const best = (lab: RibLab): string[] => lab.routes({ view: 'best' }).map(({ prefix }) => prefix);

describe('rib: rules of the protocol', () => {
  for (const [family, prefixes] of [
    [0, ['10.1.0.0/16', '10.2.0.0/16', '10.3.0.0/16']],
    [1, ['2001:db8:1::/48', '2001:db8:2::/48', '2001:db8:3::/48']],
  ] as const) {
    it(`the prefix limit holds for family ${family}`, () => {
      const lab = new RibLab();
      lab.up({ id: 'a', address: HOP, as: 65001, config: { maxPrefixes: { limit: 2, warnPercent: 100 } } });
      const nextHop = family === 0 ? HOP : '2001:db8::1';
      lab.announce('a', prefixes.slice(0, 2), { path: [65001], nextHop });
      assert.deepEqual(lab.events, []);
      lab.announce('a', prefixes, { path: [65001], nextHop });
      assert.deepEqual(lab.events, [`over limit a ${family}`]);
    });
  }

  it('the first AS must be the neighbour’s where that is asked for, and only there (RFC 4271 section 6.3)', () => {
    for (const [enforceFirstAs, path, isUsed] of [
      [true, [65001, 65009], true],
      [true, [65009, 65001], false],
      [true, [], false],
      [false, [65009, 65001], true],
    ] as const) {
      const lab = new RibLab();
      lab.up({ id: 'a', address: HOP, as: 65001, config: { enforceFirstAs } });
      lab.feed('a', route(path));
      lab.settle();
      assert.equal(best(lab).length, isUsed ? 1 : 0, `${enforceFirstAs} ${path.join()}`);
      assert.equal(lab.rib.peer('a')!.ineligible[0], isUsed ? 0 : 1);
    }
  });

  const FAR = '198.51.100.7';
  for (const [words, nextHop, isOnLink, peer, isUsed] of [
    ['the neighbour’s own address', HOP, false, {}, true],
    ['a third router on a link of ours', FAR, true, {}, true],
    ['a third router behind another', FAR, false, {}, false],
    ['the same with GTSM for one hop', FAR, false, { ttl: { kind: 'gtsm', hops: 1 } }, false],
    ['the same with GTSM for two', FAR, false, { ttl: { kind: 'gtsm', hops: 2 } }, true],
    ['the same from further away', FAR, false, { ttl: { kind: 'multihop', hops: 2 } }, true],
    ['the same inside our AS', FAR, false, { as: OWN_AS }, true],
  ] as const) {
    it(`one hop away in another AS, next hop ${words}: ${isUsed ? '' : 'not '}used (RFC 4271 section 6.3)`, () => {
      const { as = 65001, ttl = { kind: 'direct' } } = peer as { as?: number; ttl?: TtlRule };
      const lab = new RibLab();
      lab.up({ id: 'a', address: HOP, as, config: { ttl } });
      lab.up({ id: 'other', address: FAR, as: 65009 });
      const path = as === OWN_AS ? [7] : [as];
      lab.announce('a', ['10.1.0.0/16'], { path, nextHop, ...(as === OWN_AS && { localPref: 100 }) });
      lab.settle();
      assert.equal(best(lab).length, 1, 'used while nothing is known of it');
      lab.rib.updateNextHop(nextHop, true, isOnLink ? 0 : 20, undefined, ['eth0'], isOnLink);
      lab.settle();
      lab.announce('a', ['10.2.0.0/16'], { path, nextHop, ...(as === OWN_AS && { localPref: 100 }) });
      lab.settle();
      assert.deepEqual(best(lab), isUsed ? ['10.1.0.0/16', '10.2.0.0/16'] : []);
      const { ineligible, unfitHops } = lab.rib.peer('a')!;
      assert.deepEqual([ineligible[0], unfitHops[0]], isUsed ? [0, 0] : [2, 2]);
      if (!isUsed) assert.match(lab.routes({})[0]!.why, /^next hop 198\.51\.100\.7 is not on a link of this/);
    });
  }

  it('a route with OTC from a customer or a client is a leak, from a peer one of another AS (RFC 9234 section 5)', () => {
    for (const [role, otc, isUsed] of [
      ['provider', 65001, false],
      ['rs', 65001, false],
      ['peer', 65001, true],
      ['peer', 65077, false],
      ['customer', 65077, true],
      ['rs-client', 65077, true],
    ] as const) {
      const lab = new RibLab();
      lab.up({ id: 'a', address: HOP, as: 65001, negotiated: { role } });
      lab.feed('a', route([65001], OTC(otc)));
      lab.settle();
      assert.equal(best(lab).length, isUsed ? 1 : 0, `we are ${role}, OTC ${otc}`);
    }
  });

  it('the AS that we have towards a neighbour is a loop in what it sends, as our own is (RFC 4271 section 9.1.2)', () => {
    for (const [as, isUsed] of [
      [64999, false],
      [OWN_AS, false],
      [64998, true],
    ] as const) {
      const lab = new RibLab();
      lab.up({ id: 'a', address: HOP, as: 65001, localAs: 64999 });
      lab.feed('a', route([65001, as]));
      lab.settle();
      assert.equal(best(lab).length, isUsed ? 1 : 0, `AS ${as}`);
      assert.equal(lab.rib.peer('a')!.ownAsLoops[0], isUsed ? 0 : 1);
    }
  });

  const pathOf = (lab: RibLab, id: string): string | undefined =>
    /path=(\S*)/.exec(lab.session(id).held.get('10.1.0.0/16') ?? '')?.[1];

  it('the neighbour’s AS is replaced by ours where its sites would take their routes for loops', () => {
    const lab = new RibLab();
    const site = { address: '192.0.2.2', as: 65001, families: ['ipv4'] as const };
    lab.up({ ...site, id: 'site', config: { asOverride: true } });
    lab.up({ ...site, id: 'plain', address: '192.0.2.3' });
    lab.up({ ...site, id: 'other', address: '192.0.2.4', as: 65004, config: { asOverride: true } });
    lab.up({ id: 'a', address: HOP, as: 65001 });
    lab.feed('a', route([65001, 65001, 65009, 65004]));
    lab.settle();
    assert.equal(pathOf(lab, 'site'), `${OWN_AS},${OWN_AS},${OWN_AS},65009,65004`);
    assert.equal(pathOf(lab, 'plain'), `${OWN_AS},65001,65001,65009,65004`);
    assert.equal(pathOf(lab, 'other'), `${OWN_AS},65001,65001,65009,${OWN_AS}`);
  });

  it('the AS that we have towards a neighbour stands before ours, and before what comes in, where that is asked for (RFC 7705)', () => {
    const LOCAL = 64999;
    for (const [prependIn, prependOut, sent, taken] of [
      [false, false, `${LOCAL},65001`, '65002,65009'],
      [false, true, `${LOCAL},${OWN_AS},65001`, '65002,65009'],
      [true, true, `${LOCAL},${OWN_AS},65001`, `${LOCAL},65002,65009`],
    ] as const) {
      const lab = new RibLab();
      const moved: FakePeerOptions = { id: 'moved', address: '192.0.2.2', as: 65002, localAs: LOCAL };
      const config = { localAs: LOCAL, localAsRules: { prependIn, prependOut }, enforceFirstAs: true };
      lab.up({ ...moved, config });
      lab.up({ id: 'a', address: HOP, as: 65001 });
      lab.up({ id: 'i', address: '192.0.2.9', as: OWN_AS });
      lab.feed('a', route([65001]));
      lab.settle();
      assert.equal(pathOf(lab, 'moved'), sent);
      lab.withdraw('a', ['10.1.0.0/16']);
      lab.feed('moved', route([65002, 65009]));
      lab.settle();
      assert.equal(pathOf(lab, 'i'), taken, 'it is no loop');
      const [came] = lab.routes({ view: 'received', peer: 'moved' });
      assert.equal(came?.asPath, '65002 65009');
      // And the other way while the session goes on.
      const changed = fakeConfig({
        ...moved,
        config: { ...config, localAsRules: { prependIn: !prependIn, prependOut } },
      });
      lab.session('moved').config = changed;
      lab.rib.neighbours.configure(changed);
      lab.settle();
      assert.equal(pathOf(lab, 'i'), prependIn ? '65002,65009' : `${LOCAL},65002,65009`);
      lab.feed('moved', route([65002, LOCAL]));
      lab.settle();
      assert.equal(best(lab).length, 0, 'our own AS in what came is a loop');
      lab.up({ ...moved, id: 'inner', address: '192.0.2.8', as: LOCAL, config });
      lab.feed('inner', route([65009]));
      lab.settle();
      assert.equal(lab.routes({ view: 'best' })[0]?.asPath, '65009', 'of that AS');
    }
  });

  it('NO_EXPORT_SUBCONFED, NO_EXPORT and NO_ADVERTISE go to nobody who must not have them (RFC 1997)', () => {
    for (const [community, toExternal, toInternal] of [
      [0xffffff01, false, true],
      [0xffffff02, false, false],
      [0xffffff03, false, true],
      [0xffffff04, true, true],
    ] as const) {
      const lab = new RibLab();
      const external = lab.up({ id: 'e', address: '192.0.2.2', as: 65002 });
      const internal = lab.up({ id: 'i', address: '192.0.2.3', as: OWN_AS });
      lab.up({ id: 'a', address: HOP, as: 65001 });
      lab.announce('a', ['10.1.0.0/16'], { path: [65001], nextHop: HOP, communities: [community] });
      lab.settle();
      assert.deepEqual([external.held.size, internal.held.size], [toExternal ? 1 : 0, toInternal ? 1 : 0]);
    }
  });

  it('a community of a route that starts here is sent, and keeps it here from nobody (RFC 1997)', () => {
    for (const name of ['no-export', 'no-advertise', 'no-export-subconfed']) {
      const lab = new RibLab();
      const external = lab.up({ id: 'e', address: '192.0.2.2', as: 65002 });
      const internal = lab.up({ id: 'i', address: '192.0.2.3', as: OWN_AS });
      lab.rib.originated.originate([{ prefix: '10.1.0.0/16', communities: [name], why: 'x' }]);
      lab.rib.wake();
      lab.settle();
      for (const { held } of [external, internal])
        assert.match(held.get('10.1.0.0/16') ?? 'not sent', new RegExp(` comm=${name}$`));
    }
  });

  it('all three numbers of a large community are compared by a policy (RFC 8092)', () => {
    const policy: Policy = {
      name: 'large',
      terms: [{ match: { communities: ['65000:1:2'] }, action: { verdict: 'accept' }, why: 'x' }],
      otherwise: 'reject',
    };
    for (const [value, isUsed] of [
      [[65000, 1, 2], true],
      [[65000, 1, 3], false],
      [[65000, 2, 2], false],
      [[65001, 1, 2], false],
    ] as const) {
      const lab = new RibLab();
      lab.up({ id: 'a', address: HOP, as: 65001, config: { import: policy } });
      lab.feed('a', route([65001], attribute(0xc0, 32, value.map(u32).join(''))));
      lab.settle();
      assert.equal(best(lab).length, isUsed ? 1 : 0, value.join(':'));
    }
  });

  it('neighbours that differ in removePrivateAs or role share no update group', () => {
    const lab = new RibLab();
    const common = { families: ['ipv4'] as const };
    const plain = lab.up({ ...common, id: 'plain', address: '192.0.2.10', as: 3010 });
    const stripped = lab.up({
      ...common,
      ...{ id: 'stripped', address: '192.0.2.11', as: 3011, config: { removePrivateAs: true } },
    });
    const customer = lab.up({
      ...common,
      ...{ id: 'customer', address: '192.0.2.12', as: 3012, negotiated: { role: 'provider' } },
    });
    const upstream = lab.up({
      ...common,
      ...{ id: 'upstream', address: '192.0.2.13', as: 3013, negotiated: { role: 'customer' } },
    });
    lab.up({ ...common, id: 'a', address: HOP, as: 65001 });
    lab.feed('a', route([65001, 4000]));
    lab.settle();
    assert.equal(pathOf(lab, 'plain'), `${OWN_AS},65001,4000`);
    assert.equal(pathOf(lab, 'stripped'), `${OWN_AS},4000`);
    const groups = lab.rib.exports.groups[0];
    const ofSession = [plain, stripped, customer, upstream].map((s) => lab.rib.exports.groupOf(s, 0));
    assert.equal(new Set(ofSession).size, 4);
    assert.ok(ofSession.every((group) => groups.includes(group!)));
    lab.feed('a', route([65001, 4000], OTC(65001)));
    lab.settle();
    assert.deepEqual(
      [plain, customer, upstream].map((s) => s.held.size),
      [1, 1, 0],
      'OTC goes up to no provider',
    );
  });
});

describe('rib: shares of paths that are used together', () => {
  /** A link bandwidth (draft-ietf-idr-link-bandwidth): 0x40 stays in the AS, 0x00 does not; octets a second. */
  const bandwidth = (octets: number, type = 0x40): string => {
    const value = Buffer.alloc(4);
    value.writeFloatBE(octets);
    return attribute(0xc0, 16, `${type.toString(16).padStart(2, '0')}04 fde8 ${value.toString('hex')}`);
  };

  function shares(lab: RibLab): number[] {
    const out = {
      ...{ kind: 0, metric: 0, count: 0 },
      ...{ nextHopIds: new Int32Array(16), weights: new Uint16Array(16).fill(99) },
    };
    lab.rib.forwarding.forwarding(0, lab.rib.tables[0].prefixes.find4(0x0a010000, 16), out);
    return [...out.weights.subarray(0, out.count)];
  }

  function send(lab: RibLab, n: number, more: string): void {
    const hop = attribute(0x40, 3, `c00002${n.toString(16).padStart(2, '0')}`);
    const attributes = `${ORIGIN_IGP} ${attribute(0x40, 2, asPathValue([65000 + n]))} ${hop} ${more}`;
    lab.feed(`n${n}`, update({ attributes, nlri: '10 0a01' }));
  }

  for (const [what, given, expected] of [
    ['by the bandwidths that they came with, of either form', [[1.25e9], [2.5e9, 0x00]], [1, 2]],
    ['equal, where one came without', [[1.25e9], undefined], [1, 1]],
    ['equal, where one says none', [[1.25e9], [0]], [1, 1]],
    ['none less than 1', [[1], [1.25e9]], [1, 240]],
    ['of one path 1', [[5e9]], [1]],
  ] as const) {
    it(what, () => {
      const lab = new RibLab({ ebgp: 4, ibgp: 4, relax: true });
      given.forEach((one, i) => {
        lab.up({ id: `n${i + 1}`, address: `192.0.2.${i + 1}`, as: 65001 + i });
        send(lab, i + 1, one === undefined ? '' : bandwidth(one[0], one[1]));
      });
      lab.settle();
      assert.deepEqual(shares(lab), expected);
    });
  }

  it('follow a path whose bandwidth changes, and whether weights are wanted', () => {
    const lab = new RibLab({ ebgp: 4, ibgp: 4, relax: true });
    for (const n of [1, 2]) lab.up({ id: `n${n}`, address: `192.0.2.${n}`, as: 65000 + n });
    const told: number[][] = [];
    lab.rib.forwarding.subscribe(() => told.push(shares(lab)));
    for (const n of [1, 2]) send(lab, n, bandwidth(1e9));
    lab.settle();
    send(lab, 2, bandwidth(3e9));
    lab.settle();
    assert.deepEqual(told.at(-1), [1, 3]);
    const { identity } = lab.rib.intern;
    lab.rib.reconfigure(identity, { ebgp: 4, ibgp: 4, relax: true, weighted: false });
    lab.settle();
    assert.deepEqual(told.at(-1), [1, 1]);
    lab.rib.reconfigure(identity, { ebgp: 4, ibgp: 4, relax: true, weighted: true });
    lab.settle();
    assert.deepEqual(told.at(-1), [1, 3]);
  });
});

describe('rib: which paths are used together', () => {
  /** Next hops of 10.1.0.0/16 in use. */
  function used(lab: RibLab): number {
    const out = { kind: 0, metric: 0, count: 0, nextHopIds: new Int32Array(256) };
    lab.rib.forwarding.forwarding(0, lab.rib.tables[0].prefixes.find4(0x0a010000, 16), out);
    return out.count;
  }

  function announceFrom(
    lab: RibLab,
    n: number,
    as: number,
    path: readonly number[],
    more: object = {},
  ): void {
    const address = `192.0.2.${n}`;
    lab.up({ id: `n${n}`, address, as });
    lab.feed(`n${n}`, announceMessage(['10.1.0.0/16'], { path, nextHop: address, ...more }));
  }

  it('as many eBGP paths as are allowed, and none that is worse', () => {
    for (const [ebgp, equal, expected] of [
      [1, 3, 1],
      [2, 3, 2],
      [4, 3, 3],
    ] as const) {
      const lab = new RibLab({ ebgp, ibgp: 8, relax: false });
      for (let n = 1; n <= equal; n++) announceFrom(lab, n, 65001, [65001, 7]);
      announceFrom(lab, 9, 65001, [65001, 7, 7]);
      announceFrom(lab, 10, 65001, [65001, 7], { med: 5 });
      lab.settle();
      assert.equal(used(lab), expected, `${ebgp} of ${equal}`);
    }
  });

  it('up to 128, which is the most that BGPConfiguration allows', () => {
    const lab = new RibLab({ ebgp: 128, ibgp: 1, relax: false });
    for (let n = 1; n <= 130; n++) announceFrom(lab, n, 65001, [65001, 7]);
    lab.settle();
    assert.equal(used(lab), 128);
    assert.equal(lab.routes({ view: 'best' }).length, 128);
  });

  it('iBGP paths by their own limit, and only with one AS_PATH unless that is relaxed', () => {
    for (const [ibgp, relax, paths, expected] of [
      [1, false, [[7], [7]], 1],
      [4, false, [[7], [7], [7]], 3],
      [2, false, [[7], [7], [7]], 2],
      [4, false, [[7], [8], [9]], 1],
      [4, true, [[7], [8], [9]], 3],
    ] as const) {
      const lab = new RibLab({ ebgp: 8, ibgp, relax });
      paths.forEach((path, i) => announceFrom(lab, i + 1, OWN_AS, path, { localPref: 100 }));
      lab.settle();
      assert.equal(used(lab), expected, `${ibgp} ${relax} ${paths.join(' ')}`);
    }
  });

  it('eBGP paths of different neighbouring AS only when relaxed', () => {
    for (const [relax, expected] of [
      [false, 1],
      [true, 2],
    ] as const) {
      const lab = new RibLab({ ebgp: 8, ibgp: 8, relax });
      announceFrom(lab, 1, 65001, [65001, 7]);
      announceFrom(lab, 2, 65002, [65002, 7]);
      lab.settle();
      assert.equal(used(lab), expected);
    }
  });
});
