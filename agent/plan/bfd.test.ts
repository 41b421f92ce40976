// BFD of sessions: timers, hops and keys of the plan, and what a session does without what it asks for.
import assert from 'node:assert/strict';
import { type Kind, nothingRefused } from '#api';
import { shownPlan } from './offline.ts';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from './testing/cluster-yaml.ts';

const N1 = nodeYaml('n1', ['10.0.1.1', 'fd00:1::1'], 'labels: { rack: r1 }');
const N2 = nodeYaml('n2', ['10.0.2.1'], 'labels: { rack: r2 }');
const LAN = [{ prefix: '10.0.1.0/24', what: 'the network of link eth0' }];
/** As a node has it whose network is that of all nodes. */
const BOTH_LANS = [...LAN, { prefix: '10.0.2.0/24', what: 'the network of link eth0' }];
const TOR = 'peerIP: 10.0.1.254, asNumber: 65000';
const INSIDE = 'peerIP: 10.0.1.254, asNumber: internal';

type More = Parameters<typeof planOf>[2];

function plan(spec: string, more: readonly string[] = [], input: More = { hostNetworks: LAN }, node = 'n1') {
  return planOf(resourcesFromYaml(N1, N2, objectYaml('BGPPeer', 'tor', `{ ${spec} }`), ...more), node, input);
}

const profile = (spec: string, name = 'fast') => objectYaml('BFDProfile', name, spec);
const signed = (type: string, key = 'bfd') =>
  profile(
    `{ authentication: { type: ${type}, keyID: 7, keyFrom: { secretKeyRef: { name: keys, key: ${key} } } } }`,
  );
const keys = (value: string) =>
  `apiVersion: v1\nkind: Secret\nmetadata: { name: keys }\nstringData: { bfd: "${value}" }`;
const bfdOf = (...args: Parameters<typeof plan>) => plan(...args).peer('tor').bfd;

describe('a session with BFD', () => {
  it('has none unless it asks, and 300 ms times 3 when it says no more than that', () => {
    assert.equal(bfdOf(TOR), undefined);
    assert.deepEqual(bfdOf(`${TOR}, bfd: {}`), {
      profile: 'defaults',
      transmitMicros: 300_000,
      receiveMicros: 300_000,
      multiplier: 3,
      hops: 'single',
      leastTtl: 255,
    });
  });

  it('has what its BFDProfile says', () => {
    const fast = profile(
      '{ transmitInterval: 50ms, receiveInterval: 1.5s, detectMultiplier: 5, passive: true, minimumTTL: 250 }',
    );
    assert.deepEqual(bfdOf(`${TOR}, bfd: { profile: fast, required: true }`, [fast]), {
      profile: 'BFDProfile fast',
      transmitMicros: 50_000,
      receiveMicros: 1_500_000,
      multiplier: 5,
      hops: 'single',
      leastTtl: 255,
      isPassive: true,
      isRequired: true,
    });
  });

  for (const [about, spec, hops, ttl] of [
    ['eBGP on a link', TOR, 'single', 255],
    ['eBGP over three hops', `${TOR}, multihop: 3`, 'multi', 253],
    ['eBGP with a multihop of 1', `${TOR}, multihop: 1`, 'single', 255],
    ['GTSM on a link', `${TOR}, ttlSecurity: 1`, 'single', 255],
    ['GTSM over two hops', `${TOR}, ttlSecurity: 2`, 'multi', 254],
    ['a router of our AS on a network of the node', INSIDE, 'single', 255],
    ['a router of our AS elsewhere', 'peerIP: 10.9.9.9, asNumber: internal', 'multi', 1],
    ['a range of routers elsewhere', 'peerRange: 10.9.0.0/16, asNumber: internal', 'multi', 1],
    ['a range on a network of the node', 'peerRange: 10.0.1.128/25, asNumber: internal', 'single', 255],
    ['a range of another AS', 'peerRange: 10.9.0.0/16, asNumber: 65000', 'single', 255],
    ['a neighbour on a link', 'peerIP: "fe80::1%eth0", asNumber: internal', 'single', 255],
  ] as const) {
    it(`is ${hops} hop with ${about}, TTL ${ttl}`, () => {
      const bfd = bfdOf(`${spec}, bfd: {}`);
      assert.deepEqual([bfd?.hops, bfd?.leastTtl], [hops, ttl]);
    });
  }

  it('is as spec.bfd.multihop says where the router wants it otherwise', () => {
    const asSaid = (spec: string) => {
      const bfd = bfdOf(spec);
      return [bfd?.hops, bfd?.leastTtl];
    };
    assert.deepEqual(asSaid(`${TOR}, bfd: { multihop: true }`), ['multi', 255]);
    assert.deepEqual(asSaid(`${INSIDE}, bfd: { multihop: true }`), ['multi', 1]);
    assert.deepEqual(asSaid(`${TOR}, multihop: 9, bfd: { multihop: false }`), ['single', 255]);
    const onLink = plan('peerIP: "fe80::1%eth0", asNumber: 65000, bfd: { multihop: true }');
    assert.equal(onLink.peer('tor').bfd?.hops, 'single');
    assert.match(
      onLink.problems.join(),
      /^warning: BGPPeer tor: spec.bfd.multihop: true has no effect: a link-local neighbour is one hop away/,
    );
  });

  it('takes the least TTL of its profile over several hops, and never over one', () => {
    const near = profile('{ minimumTTL: 250 }');
    assert.equal(bfdOf(`${TOR}, multihop: 20, bfd: { profile: fast }`, [near])?.leastTtl, 250);
    assert.equal(bfdOf(`${TOR}, bfd: { profile: fast }`, [near])?.leastTtl, 255);
  });

  it('goes by networks of the node where a document of Calico says nothing of hops', () => {
    const calico = (ip: string) =>
      `apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: { name: c }\nspec: { peerIP: ${ip}, asNumber: 65000, bfd: {} }`;
    const hops = (ip: string) => plan(TOR, [calico(ip)]).peer('c').bfd?.hops;
    assert.deepEqual([hops('10.0.1.77'), hops('10.9.9.9')], ['single', 'multi']);
  });

  it('has its key from a Secret, and plans that are shown do not', () => {
    const made = plan(`${TOR}, bfd: { profile: fast }`, [
      signed('MeticulousKeyedSHA1'),
      keys('geheim-geheim'),
    ]);
    assert.deepEqual(made.problems, []);
    const { authentication } = made.peer('tor').bfd!;
    assert.deepEqual([authentication?.type, authentication?.keyId], ['MeticulousKeyedSHA1', 7]);
    assert.equal(Buffer.from(authentication!.key).toString(), 'geheim-geheim');
    const shown = shownPlan(made.plan);
    assert.equal(
      shown.peers.find(({ from }) => from === 'BGPPeer tor')?.bfd?.authentication?.key,
      '(secret)',
    );
    assert.doesNotMatch(JSON.stringify(shown), /geheim/);
  });

  it('lacks BFD without its key, is down without it where it requires it, and the key is never told', () => {
    const at = (type: string, value: string | undefined, required: boolean) => {
      const more = [signed(type), ...(value === undefined ? [] : [keys(value)])];
      return plan(`${TOR}, bfd: { profile: fast, required: ${required} }`, more);
    };
    for (const [type, value, why] of [
      ['KeyedMD5', undefined, 'secretKeyRef.name: "keys" is no Secret'],
      ['KeyedMD5', '', 'secretKeyRef.key: "bfd" is empty in Secret keys'],
      ['SimplePassword', 'x'.repeat(17), 'has 17 octets in Secret keys, and SimplePassword takes 16'],
      ['KeyedMD5', 'x'.repeat(17), 'has 17 octets in Secret keys, and KeyedMD5 takes 16'],
      ['MeticulousKeyedMD5', 'x'.repeat(17), 'and MeticulousKeyedMD5 takes 16'],
      ['KeyedSHA1', 'x'.repeat(21), 'has 21 octets in Secret keys, and KeyedSHA1 takes 20'],
      ['MeticulousKeyedSHA1', 'x'.repeat(21), 'and MeticulousKeyedSHA1 takes 20'],
    ] as const) {
      const [loose, strict] = [at(type, value, false), at(type, value, true)];
      for (const { problems } of [loose, strict]) {
        assert.equal(problems.length, 1);
        assert.match(problems[0]!, /^BFDProfile fast: spec.authentication.keyFrom/);
        assert.ok(problems[0]!.includes(why), problems[0]);
        assert.doesNotMatch(problems[0]!, /xxx/);
      }
      assert.deepEqual(
        [loose, strict].map(({ peer }) => [peer('tor').bfd, peer('tor').config.shutdown?.message]),
        [
          [undefined, undefined],
          [undefined, 'BFD is required, and the key of BFDProfile fast is not to be had'],
        ],
      );
    }
    for (const [type, length] of [['KeyedMD5', 16] as const, ['KeyedSHA1', 20] as const])
      assert.equal(at(type, 'x'.repeat(length), true).peer('tor').bfd?.authentication?.key.length, length);
  });

  it('says what a profile that is not there means: no BFD, or no session', () => {
    const missing = (required: boolean, input: More = {}) =>
      plan(`${TOR}, bfd: { profile: fast, required: ${required} }`, [], input);
    assert.deepEqual(missing(false).problems, [
      'BGPPeer tor: spec.bfd.profile: "fast" is no BFDProfile: the session runs without BFD until there is one',
    ]);
    assert.equal(missing(false).peer('tor').config.shutdown, undefined);
    assert.deepEqual(missing(true).problems, [
      'BGPPeer tor: spec.bfd.profile: "fast" is no BFDProfile: the session, which requires BFD, stays down until there is one',
    ]);
    assert.deepEqual(missing(true).peer('tor').config.shutdown, {
      message: 'BFD is required, and BFDProfile fast is not to be had',
    });
    const objects = new Set(['BFDProfile fast']);
    assert.match(
      missing(false, { refused: { ...nothingRefused, objects } }).problems.join(),
      /is a BFDProfile whose document is refused \(see its own problem\): the session runs/,
    );
    const kinds = new Set<Kind>(['BFDProfile']);
    assert.match(
      missing(false, { refused: { ...nothingRefused, kinds } }).problems.join(),
      /is a BFDProfile of which the store has told nothing: the session runs/,
    );
  });

  it('that would end by one lost packet is warned of, once for all sessions', () => {
    const hasty = profile('{ detectMultiplier: 1 }');
    const second = objectYaml(
      'BGPPeer',
      'two',
      '{ peerIP: 10.0.1.9, asNumber: 65001, bfd: { profile: fast } }',
    );
    assert.deepEqual(plan(`${TOR}, bfd: { profile: fast }`, [hasty, second]).problems, [
      'warning: BFDProfile fast: spec.detectMultiplier: 1 lets one lost packet end the session; 3 is usual',
    ]);
  });

  it('is one with a neighbour of several sessions: the settings of the first hold for all', () => {
    const on = (name: string, port: number, bfd: string) =>
      objectYaml('BGPPeer', name, `{ peerIP: "10.0.1.9:${port}", asNumber: 65000, bfd: { ${bfd} } }`);
    const fast = profile('{ detectMultiplier: 5 }');
    const of = (...peers: string[]) => planOf(resourcesFromYaml(N1, N2, fast, ...peers), 'n1');
    const made = of(on('b', 179, 'required: true'), on('a', 1179, 'profile: fast'));
    assert.deepEqual(
      ['a', 'b'].map((id) => [made.peer(id).bfd?.multiplier, made.peer(id).bfd?.isRequired]),
      [
        [5, undefined],
        [5, true],
      ],
    );
    assert.deepEqual(made.problems, [
      'warning: BGPPeer b: spec.peerIP: "10.0.1.9" is the neighbour of BGPPeer a too, whose settings of BFD hold for both (BFDProfile fast): one BFD session watches a neighbour',
    ]);
    const alike = of(on('b', 179, 'required: true, profile: fast'), on('a', 1179, 'profile: fast'));
    assert.deepEqual(alike.problems, []);
  });

  it('without its password as well is down for the password', () => {
    const spec = `${TOR}, password: { secretKeyRef: { name: s, key: x } }, bfd: { profile: slow, required: true }`;
    assert.equal(plan(spec).peer('tor').config.shutdown?.because, 'missing key');
  });
});

describe('BFD between nodes', () => {
  const mesh = (spec: string) => objectYaml('BGPConfiguration', 'default', `{ nodeMeshBFD: { ${spec} } }`);
  const both = (...more: string[]) =>
    (['n1', 'n2'] as const).map((node, i) => {
      const made = planOf(resourcesFromYaml(N1, N2, ...more), node, { hostNetworks: LAN });
      return { made, peer: made.peer(`mesh/n${2 - i}/ipv4`) };
    });

  it('is that of the BGPConfiguration, and goes over several hops whatever networks a node has', () => {
    for (const { peer } of both(mesh(''))) {
      const { hops, leastTtl, profile: name } = peer.bfd!;
      assert.deepEqual([hops, leastTtl, name], ['multi', 1, 'defaults']);
    }
    assert.equal(both()[0]!.peer.bfd, undefined);
    const isRequired = both(mesh('required: true')).map(({ peer }) => peer.bfd?.isRequired);
    assert.deepEqual(isRequired, [true, true]);
  });

  it('holds for route reflectors too', () => {
    const config = '{ routeReflectors: { nodeSelector: rack == "r2" }, nodeMeshBFD: {} }';
    const made = planOf(resourcesFromYaml(N1, N2, objectYaml('BGPConfiguration', 'default', config)), 'n1');
    assert.equal(made.peer('reflector/n2/ipv4').bfd?.profile, 'defaults');
  });

  it('with a passive profile lets one of the two speak first', () => {
    const passive = profile('{ passive: true }');
    const isPassive = (...more: string[]) => both(passive, ...more).map(({ peer }) => peer.bfd?.isPassive);
    assert.deepEqual(isPassive(mesh('profile: fast')), [undefined, true]);
    const selected = '{ nodeSelector: rack == "r1", peerSelector: rack == "r2", bfd: { profile: fast } }';
    const named = ['n1', 'n2'].map((node, i) => {
      const resources = resourcesFromYaml(N1, N2, passive, objectYaml('BGPPeer', 'pair', selected));
      return planOf(resources, node, { hostNetworks: BOTH_LANS }).peer(`pair/n${2 - i}/ipv4`).bfd;
    });
    assert.deepEqual(
      named.map((bfd) => [bfd?.isPassive, bfd?.hops]),
      [
        [undefined, 'multi'],
        [true, 'multi'],
      ],
    );
  });

  it('names the BGPConfiguration where it is wrong, and the profile where that is, once each', () => {
    const [first] = both(mesh('profile: none, required: true'));
    assert.deepEqual(first!.made.problems, [
      'BGPConfiguration default: spec.nodeMeshBFD.profile: "none" is no BFDProfile: the session, which requires BFD, stays down until there is one',
    ]);
    assert.ok(first!.peer.config.shutdown);
    const [second] = both(mesh('profile: fast'), signed('KeyedMD5'));
    assert.equal(second!.made.problems.length, 1);
    assert.match(second!.made.problems[0]!, /^BFDProfile fast: spec.authentication/);
  });
});
