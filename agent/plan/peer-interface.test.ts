// peerInterface: the neighbour is who is heard on a link, or a session that waits and says why.
import assert from 'node:assert/strict';
import { interfacesOf } from './plan.ts';
import { nodeYaml, objectYaml, planOf, resourcesFromYaml } from './testing/cluster-yaml.ts';
import type { HeardLink } from './types.ts';

const N1 = nodeYaml('n1', ['10.0.1.1'], 'labels: { rack: r1 }');
const N2 = nodeYaml('n2', ['10.0.2.1'], 'labels: { rack: r2 }');
const NO_MESH = objectYaml('BGPConfiguration', 'default', '{ nodeToNodeMeshEnabled: false }');
const PEER = objectYaml('BGPPeer', 'tor', '{ peerInterface: eth1, asNumber: external }');

describe('a BGPPeer with an interface', () => {
  const since = '2026-01-02T03:04:05.000Z';
  const found = (heard: HeardLink | undefined, peer = PEER) =>
    planOf(resourcesFromYaml(N1, NO_MESH, peer), 'n1', {
      heardLinks: new Map(heard === undefined ? [] : [['eth1', heard]]),
    });

  it('is a session with the link-local address that is heard there, for both families', () => {
    const { plan: made, peer, problems } = found({ state: 'listening', since, neighbour: 'fe80::a' });
    const tor = peer('tor').config;
    assert.deepEqual(tor.remote, { kind: 'address', address: 'fe80::a', device: 'eth1', port: 179 });
    assert.deepEqual([tor.families, tor.extendedNextHop], [['ipv4', 'ipv6'], true]);
    assert.deepEqual([tor.localAddress, tor.remoteAs, tor.ttl.kind], [undefined, 'external', 'direct']);
    assert.deepEqual([made.waiting, problems], [[], []]);
  });

  it('carries one family when it says so, and has the AS that it says', () => {
    const spec = objectYaml('BGPPeer', 'tor', '{ peerInterface: eth1, asNumber: 65000, families: [IPv6] }');
    const tor = found({ state: 'listening', since, neighbour: 'fe80::a' }, spec).peer('tor').config;
    assert.deepEqual([tor.families, tor.remoteAs], [['ipv6'], 65000]);
  });

  it('keeps its neighbour while the link is down', () => {
    assert.deepEqual(found({ state: 'down', since, neighbour: 'fe80::a' }).ids, ['tor']);
  });

  it('warns of a second router on the link', () => {
    const { ids, problems } = found({ state: 'listening', since, neighbour: 'fe80::a', other: 'fe80::b' });
    assert.deepEqual(ids, ['tor']);
    assert.deepEqual(problems, [
      'warning: BGPPeer tor: spec.peerInterface: "eth1" leads to more than one router: fe80::a is taken, which was heard first, and fe80::b is not; a link of an unnumbered session has two ends',
    ]);
  });

  for (const [what, heard, why] of [
    ['the link is not there', { state: 'absent' }, 'this node has no link eth1'],
    ['nobody can listen', { state: 'deaf', why: 'EPERM' }, 'cannot listen on eth1: EPERM'],
    ['the agent has no links', undefined, 'cannot listen on eth1: this agent follows no links (--fib none)'],
    ['the link is down', { state: 'down', since }, `link eth1 is down since ${since}`],
    [
      'nobody is heard',
      { state: 'listening', since },
      `no router advertisement heard on eth1 since ${since}`,
    ],
  ] as const) {
    it(`waits, and says why, when ${what}`, () => {
      const { plan: made, problems } = found(heard);
      assert.deepEqual(made.waiting, [{ id: 'tor', from: 'BGPPeer tor', device: 'eth1', why }]);
      assert.deepEqual(made.peers, []);
      assert.deepEqual(made.speaker.listen, [
        { address: '0.0.0.0', port: 179 },
        { address: '::', port: 179 },
      ]);
      const begin = `warning: BGPPeer tor: spec.peerInterface: "eth1" has no neighbour: ${why}`;
      assert.equal(problems.length, 1);
      assert.ok(problems[0]!.startsWith(begin), problems[0]);
    });
  }

  it('is no problem in files, which nobody listens to', () => {
    const made = planOf(resourcesFromYaml(N1, NO_MESH, PEER), 'n1');
    assert.deepEqual(made.problems, []);
    assert.equal(made.plan.waiting[0]?.why, 'who is heard on eth1 is known on the node only');
  });

  it('is listened for on the nodes that have it', () => {
    const spec = '{ peerInterface: eth1, asNumber: external, nodeSelector: rack == "r1" }';
    const resources = resourcesFromYaml(N1, N2, NO_MESH, objectYaml('BGPPeer', 'tor', spec));
    const of = (nodeName: string) => [...(interfacesOf({ resources, nodeName }) ?? ['no Node'])];
    assert.deepEqual([of('n1'), of('n2'), of('n3')], [['eth1'], [], ['no Node']]);
  });
});
