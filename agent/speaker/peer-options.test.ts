// What a BGPPeer asks for, from its YAML over the wire to what the routes show.
import assert from 'node:assert/strict';
import { nodeYaml, objectYaml } from '../plan/testing/cluster-yaml.ts';
import { startNode, TestCluster, type TestNode } from '../testing/cluster.ts';

const POOL = objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }');
const NO_MESH = objectYaml('BGPConfiguration', 'default', '{ nodeToNodeMeshEnabled: false }');

const node = (n: number, more = '') => nodeYaml(`n${n}`, [`10.0.0.${n}`], more);
const inAs = (n: number, as: number) => node(n, `annotations: { podroute.io/ASNumber: "${as}" }`);
const peer = (name: string, spec: string) => objectYaml('BGPPeer', name, `{ ${spec} }`);

const received = (of: TestNode) =>
  of.source.routes({ view: 'all', longer: false, limit: 20 }).routes.filter(({ isLocal }) => !isLocal);
const prefixes = (of: TestNode) => received(of).map((route) => route.prefix);
const agreed = (of: TestNode, id: string) =>
  of.agent.driver.speaker?.status().peers.find((status) => status.id === id)?.capabilities.agreed ?? [];

describe('a BGPPeer with', () => {
  it('addPaths: all paths of a prefix arrive at the clients of a reflector, by default and with Send, not with None', async () => {
    const ANYCAST = '10.244.9.0/26';
    for (const [addPaths, paths] of [
      [', addPaths: None', 1],
      [', addPaths: Send', 2],
      ['', 2],
    ] as const) {
      const store = new TestCluster();
      const reflector = node(
        3,
        'labels: { rr: "true" }, annotations: { podroute.io/RouteReflectorClusterID: 10.0.0.3 }',
      );
      const to = peer('clients', `nodeSelector: has(rr), peerSelector: "!has(rr)"${addPaths}`);
      store.set(node(1), node(2), reflector, node(4), POOL, NO_MESH, to);
      await using _one = await startNode(1, store, [ANYCAST]);
      await using _two = await startNode(2, store, [ANYCAST]);
      await using rr = await startNode(3, store, []);
      await using reader = await startNode(4, store, []);
      await store.until('both paths at the reflector', () => received(rr).length === 2);
      await store.until(`${paths} at the client`, () => received(reader).length === paths);
      assert.deepEqual(new Set(prefixes(reader)), new Set([ANYCAST]));
      assert.equal(new Set(received(reader).map((route) => route.pathId)).size, paths);
      const isOn = paths === 2;
      assert.equal(agreed(reader, 'clients/n3/ipv4').includes('add-path ipv4 unicast receive'), isOn);
      assert.equal(agreed(rr, 'clients/n4/ipv4').includes('add-path ipv4 unicast send'), isOn);
    }
  });

  it('role: what came from one provider does not go to another', async () => {
    for (const [role, isLeaked] of [
      ['', true],
      [', role: Customer', false],
    ] as const) {
      const store = new TestCluster();
      const open = 'import: All, export: All';
      const provider = role === '' ? '' : ', role: Provider';
      store.set(
        ...[inAs(1, 65001), inAs(2, 65002), inAs(3, 65003), POOL, NO_MESH],
        peer('up', `node: n2, peerIP: 10.0.0.1, asNumber: 65001, ${open}${role}`),
        peer('other', `node: n2, peerIP: 10.0.0.3, asNumber: 65003, ${open}${role}`),
        peer('down-1', `node: n1, peerIP: 10.0.0.2, asNumber: 65002, ${open}${provider}`),
        peer('down-3', `node: n3, peerIP: 10.0.0.2, asNumber: 65002, ${open}${provider}`),
      );
      await using _up = await startNode(1, store);
      await using customer = await startNode(2, store);
      await using other = await startNode(3, store);
      await store.until('the customer to have both', () => received(customer).length === 2);
      await store.until('its own at the other provider', () => prefixes(other).includes('10.244.2.0/26'));
      if (isLeaked) await store.until('a leak', () => prefixes(other).includes('10.244.1.0/26'));
      else {
        // A leak would be on its way by now.
        await store.simulation.run(10_000);
        assert.deepEqual(prefixes(other), ['10.244.2.0/26']);
      }
      assert.equal(agreed(customer, 'up').includes('role customer'), !isLeaked);
    }
  });

  it('a role that does not fit: no session, and why is said', async () => {
    const store = new TestCluster();
    store.set(
      ...[inAs(1, 65001), inAs(2, 65002), POOL, NO_MESH],
      peer('a', 'node: n1, peerIP: 10.0.0.2, asNumber: 65002, role: Provider'),
      peer('b', 'node: n2, peerIP: 10.0.0.1, asNumber: 65001, role: Provider'),
    );
    await using a = await startNode(1, store);
    await using b = await startNode(2, store);
    const sent = (of: TestNode) => of.agent.driver.speaker?.status().peers[0]?.lastNotificationOut;
    await store.until('a refusal', () => (sent(a) ?? sent(b)) !== undefined);
    const refusal = sent(a) ?? sent(b);
    assert.deepEqual([refusal?.code, refusal?.subcode], [2, 11]);
    assert.match(
      refusal?.reason ?? '',
      /the neighbour says it is provider; our role provider goes only with customer/,
    );
  });

  it('removePrivateAS: the path that goes out has none', async () => {
    const store = new TestCluster();
    const open = 'import: All, export: All';
    store.set(
      ...[inAs(1, 64601), inAs(2, 3320), inAs(3, 3209), POOL, NO_MESH],
      peer('a', `node: n1, peerIP: 10.0.0.2, asNumber: 3320, ${open}`),
      peer('b', `node: n2, peerIP: 10.0.0.1, asNumber: 64601, ${open}`),
      peer('c', `node: n2, peerIP: 10.0.0.3, asNumber: 3209, ${open}, removePrivateAS: true`),
      peer('d', `node: n3, peerIP: 10.0.0.2, asNumber: 3320, ${open}`),
    );
    await using _a = await startNode(1, store);
    await using _b = await startNode(2, store);
    await using c = await startNode(3, store);
    await store.until('the route', () => prefixes(c).includes('10.244.1.0/26'));
    assert.equal(received(c).find((route) => route.prefix === '10.244.1.0/26')?.asPath, '3320');
  });

  it('numAllowedLocalASNumbers: nodes of one AS behind a router have each other’s routes; without it, a hint', async () => {
    const store = new TestCluster();
    const cluster = (more: string) => [
      ...[inAs(1, 65001), inAs(2, 65002), inAs(3, 65001), POOL, NO_MESH],
      peer('tor', `nodeSelector: "!has(tor)", peerIP: 10.0.0.2, asNumber: 65002${more}`),
      peer('nodes', 'node: n2, peerRange: 10.0.0.0/24, asNumber: 65001, import: All, export: All'),
    ];
    store.set(...cluster(''));
    await using a = await startNode(1, store);
    await using _tor = await startNode(2, store, []);
    await using _b = await startNode(3, store);
    const session = () => a.source.status().sessions.find(({ id }) => id === 'tor');
    await store.until('a refusal', () => session()?.prefixes.ownAsLoops.ipv4 === 1);
    assert.equal(session()?.prefixes.accepted.ipv4, 0);
    assert.match(
      session()?.hint ?? '',
      /^1 route is refused: our own AS 65001 is in AS_PATH.*numAllowedLocalASNumbers: 1 in BGPPeer tor/,
    );
    assert.match(received(a)[0]?.why ?? '', /our own AS 65001 is in AS_PATH once, none is allowed/);
    store.set(...cluster(', numAllowedLocalASNumbers: 1'));
    await store.until('the route', () => received(a)[0]?.isBest === true);
    assert.deepEqual([session()?.prefixes.ownAsLoops.ipv4, session()?.hint], [0, undefined]);
    assert.equal(session()?.flaps, 0);
  });

  it('peerRange: status lists the range with how many connected, and each of these as a session', async () => {
    const store = new TestCluster();
    const fleet = peer(
      'fleet',
      'node: n1, peerRange: 10.0.0.0/24, asNumber: internal, passive: true, maxPeers: 5',
    );
    const back = peer('back', 'node: n2, peerIP: 10.0.0.1, asNumber: internal');
    store.set(node(1), node(2), POOL, NO_MESH, fleet, back);
    await using one = await startNode(1, store);
    await using _two = await startNode(2, store);
    await store.until('the session', () => one.source.status().sessions[0]?.state === 'Established');
    const { ranges, sessions } = one.source.status();
    assert.deepEqual(ranges, [
      {
        id: 'fleet',
        from: 'BGPPeer fleet',
        prefix: '10.0.0.0/24',
        neighbours: 1,
        most: 5,
        refused: 0,
      },
    ]);
    assert.deepEqual([sessions[0]?.id, sessions[0]?.from], ['fleet/10.0.0.2', 'BGPPeer fleet']);
  });

  it('defaultOriginate: a default route to the neighbour alone, beside filters, none of it in a kernel, gone when it says None', async () => {
    const store = new TestCluster();
    const filter = objectYaml('BGPFilter', 'nothing', '{ exportV4: [ { action: Reject } ] }');
    const to = (name: string, more: string) =>
      peer(name, `node: n1, peerIP: 10.0.0.2, asNumber: 65002, families: [IPv4, IPv6]${more}`);
    const both = (n: number, as: number) =>
      nodeYaml(`n${n}`, [`10.0.0.${n}`, `fd00::${n}`], `annotations: { podroute.io/ASNumber: "${as}" }`);
    const set = (more: string, ...others: string[]) =>
      store.set(
        ...[both(1, 65001), both(2, 65002), inAs(3, 65003), POOL, NO_MESH],
        to('one', more),
        peer('back', 'node: n2, peerIP: 10.0.0.1, asNumber: 65001, import: All, families: [IPv4, IPv6]'),
        peer('three', 'node: n1, peerIP: 10.0.0.3, asNumber: 65003'),
        peer('three-back', 'node: n3, peerIP: 10.0.0.1, asNumber: 65001, import: All'),
        ...others,
      );
    set(', filters: [nothing], defaultOriginate: Both', filter);
    await using one = await startNode(1, store);
    await using two = await startNode(2, store);
    await using three = await startNode(3, store);
    await store.until('both default routes', () => prefixes(two).length === 2);
    assert.deepEqual(
      received(two).map(({ prefix, nextHops, asPath }) => [prefix, nextHops.join(), asPath]),
      [
        ['0.0.0.0/0', '10.0.0.1', '65001'],
        ['::/0', 'fd00::1', '65001'],
      ],
    );
    await store.until('own blocks at the other', () => prefixes(three).length === 1);
    assert.deepEqual(prefixes(three), ['10.244.1.0/26']);
    const kernel = await one.kernel.routes({ protocol: 179 });
    assert.deepEqual(
      kernel.filter(({ destination }) => destination.endsWith('/0')),
      [],
    );
    const since = one.source.status().sessions.map((session) => session.since);
    set(', filters: [nothing], defaultOriginate: IPv6', filter);
    await store.until('only the one of IPv6', () => prefixes(two).join() === '::/0');
    // The filter is not there any more: nothing at all goes out (RFC 8212).
    set(', filters: [nothing], defaultOriginate: Both');
    await store.until('nothing', () => prefixes(two).length === 0);
    set(', defaultOriginate: IPv4');
    await store.until('own block and default', () => prefixes(two).length === 2);
    set(', defaultOriginate: None');
    await store.until('no default', () => prefixes(two).join() === '10.244.1.0/26');
    assert.deepEqual(
      one.source.status().sessions.map((session) => session.since),
      since,
      'no session saw it',
    );
  });
});
