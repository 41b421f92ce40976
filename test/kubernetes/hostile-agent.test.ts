// An agent that somebody has taken over, with its token, on a real API server: what it can do to the blocks of others and
// to what operators read. manifests.test.ts says what an agent must be able to do.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { KubernetesApi } from '#lab';
import { waitUntil } from '#world';
import { startServer } from './testing/real-server.ts';
import { type Answer, Requests } from './testing/requests.ts';

const NAMESPACE = 'podroute-system';
const MAIN = resolve(import.meta.dirname, '../../cli/main.ts');

type Metadata = Readonly<Record<string, unknown>>;

describe('an agent that was taken over', function () {
  this.timeout(120_000);
  let api: KubernetesApi;
  let server: Awaited<ReturnType<typeof startServer>> | undefined;
  let ofA: string;
  let requests: Requests | undefined;

  const asAdmin = (object: object) => api.kubectl(['create', '-f', '-'], JSON.stringify(object));
  const run = (args: readonly string[], input?: object) =>
    api.kubectl(['--token', ofA, ...args], input && JSON.stringify(input));
  const create = (object: object) => run(['create', '-f', '-'], object);
  const pool = (name: string, cidr: string, blockSize?: number) => ({
    apiVersion: 'podroute.io/v1',
    kind: 'IPPool',
    metadata: { name },
    spec: { cidr, ...(blockSize !== undefined && { blockSize }) },
  });
  const block = (name: string, cidr: string, of?: string, metadata: Metadata = {}, node = 'a') => ({
    apiVersion: 'podroute.io/v1',
    kind: 'IPAMBlock',
    metadata: { name, ...metadata },
    spec: { cidr, node, ...(of !== undefined && { pool: of }) },
  });
  /** Of everything that it might have changed. */
  const versions = () =>
    api
      .kubectl([
        ...['get', 'nodes,ippools.podroute.io,ipamblocks,bgppeers.podroute.io,bgpnodestatuses', '-o'],
        'jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.resourceVersion}{"\\n"}{end}',
      ])
      .split('\n');
  const V6 = 'fd00-0010-0000-0000-0000-0000-0000-0040-122';
  const OWN = { labels: { 'podroute.io/node': 'a' } };

  before(async function () {
    // The first run on a machine builds the API server.
    this.timeout(1_800_000);
    server = await startServer();
    ({ api } = server);
    for (const [i, name] of ['a', 'b'].entries()) {
      const annotations = { 'podroute.io/IPv4Address': `192.0.2.${i}/24` };
      asAdmin({ apiVersion: 'v1', kind: 'Node', metadata: { name, annotations } });
    }
    const { users } = JSON.parse(api.nodeKubeconfig('a')) as { users: [{ user: { token: string } }] };
    ofA = users[0].user.token;
    requests = new Requests(api, ofA);
    asAdmin(pool('v4', '10.9.0.0/16'));
    asAdmin(pool('v4-of-28', '10.8.0.0/16', 28));
    asAdmin(pool('v4-small', '10.7.0.0/30'));
    asAdmin(pool('v6', 'fd00:10::/64'));
    asAdmin(block('10-9-0-64-26', '10.9.0.64/26', 'v4', { labels: { 'podroute.io/node': 'b' } }, 'b'));
    asAdmin(pool('meanwhile', '10.6.0.0/16'));
    // The server looks for new policies, and for what they look at, once a second.
    const isRefused = (of: string, cidr: string) => {
      try {
        run(['create', '--dry-run=server', '-f', '-'], block(cidr.replaceAll(/[./]/g, '-'), cidr, of));
        return false;
      } catch {
        return true;
      }
    };
    await waitUntil(
      'the policies to be in force',
      30_000,
      () => isRefused('v4', '10.9.9.0/27') && isRefused('meanwhile', '10.6.9.0/27'),
    );
    asAdmin(block('10-6-0-0-26', '10.6.0.0/26', 'meanwhile', { finalizers: ['example.org/kept'] }));
  });
  after(async () => {
    requests?.[Symbol.dispose]();
    await server?.[Symbol.asyncDispose]();
  });

  it('claims the blocks that its pools have', () => {
    for (const [name, cidr, its] of [
      ['10-9-1-0-26', '10.9.1.0/26', 'v4'],
      ['10-8-1-16-28', '10.8.1.16/28', 'v4-of-28'],
      ['10-7-0-0-30', '10.7.0.0/30', 'v4-small'],
      [V6, 'fd00:10::40/122', 'v6'],
      // Of a pool that is read in place, or that is gone.
      ['10-5-0-0-26', '10.5.0.0/26', 'of-calico'],
    ] as const) {
      create(block(name, cidr, its, OWN));
      run(['delete', 'ipamblock', name]);
    }
  });

  it('brings no prefix in by a block of a pool that there is not, which the policy cannot tell from Calico’s', () => {
    const made = [
      ['198-51-100-0-24', '198.51.100.0/24', 'none-such'],
      ['10-5-1-0-26', '10.5.1.0/26', 'none-such'],
      ['fd77-0000-0000-0000-0000-0000-0000-0000-116', 'fd77::/116', 'none-such'],
    ] as const;
    for (const [name, cidr, its] of made) create(block(name, cidr, its));
    const args = ['plan', '--store', `kubernetes:${api.kubeconfig}`, '--node', 'b', '-o', 'json'];
    const { stdout, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
    const { plan } = JSON.parse(stdout) as { plan: { kernel: { clusterPrefixes: readonly string[] } } };
    assert.deepEqual(
      [...plan.kernel.clusterPrefixes].sort(),
      ['10.6.0.0/16', '10.7.0.0/30', '10.8.0.0/16', '10.9.0.0/16', 'fd00:10::/64'],
      stderr,
    );
    assert.match(stdout, /is no IPPool.*: not let in nor held: .*198\.51\.100\.0\/24 of node a/);
    for (const [name] of made) run(['delete', 'ipamblock', name]);
  });

  it('makes no second block of a CIDR by another name', () => {
    for (const [name, cidr, its] of [
      ['mine', '10.9.0.64/26', 'v4'],
      ['10-9-0-64-026', '10.9.0.64/26', 'v4'],
      ['10-9-0-0-26', '10.9.0.64/26', 'v4'],
      ['fd00-0010-0000-0000-0000-0000-0000-0000-122', 'fd00:10::40/122', 'v6'],
      ['fd00-10-0-0-0-0-0-40-122', 'fd00:10::40/122', 'v6'],
      ['fd00-0010-0000-0000-0000-0000-0000-0040-0122', 'fd00:10::40/122', 'v6'],
    ] as const)
      assert.throws(() => create(block(name, cidr, its)), /the name of a block says its CIDR/, name);
    assert.throws(() => create(block('10-9-0-64-26', '10.9.0.64/26', 'v4')), /already exists/);
  });

  it('makes no block of another size than its pool has, or that reaches out of it, whatever it says of its pool', () => {
    // Both the pool that it names and the one that it overlaps refuse it: the server tells of one of them.
    for (const [name, cidr] of [
      ['10-9-0-64-27', '10.9.0.64/27'],
      ['10-9-0-64-32', '10.9.0.64/32'],
      ['10-9-0-0-24', '10.9.0.0/24'],
      ['10-8-0-0-15', '10.8.0.0/15'],
      ['10-8-0-0-26', '10.8.0.0/26'],
    ] as const)
      for (const its of ['v4', 'v4-of-28', 'v6', 'none-such'])
        assert.throws(
          () => create(block(name, cidr, its)),
          /is no block of \/\d+ inside IPPool v[46]|larger than any pool has/,
          cidr,
        );
    // Of a pool that is not there, nor overlaps any: Calico's are not asked.
    const large = [
      ['192-168-0-0-19', '192.168.0.0/19'],
      ['fd77-0000-0000-0000-0000-0000-0000-0000-115', 'fd77::/115'],
    ] as const;
    for (const [name, cidr] of large)
      assert.throws(() => create(block(name, cidr, 'none-such')), /is larger than any pool has them/);
    assert.throws(() => create(block('10-2-0-0-26', '10.2.0.0/26', 'v4')), /inside IPPool v4/);
    assert.throws(() => create(block('10-9-2-0-26', '10.9.2.0/26')), /names its pool/);
  });

  it('gives a block no labels, annotations, finalizers or owners, and changes nothing of one but its own label', () => {
    const owner = { apiVersion: 'v1', kind: 'Node', name: 'b', uid: 'x' };
    const extra: readonly Metadata[] = [
      { finalizers: ['example.org/stays'] },
      { ownerReferences: [owner] },
      { annotations: { x: 'y' } },
      { labels: { 'podroute.io/node': 'b' } },
      { labels: { app: 'x' } },
    ];
    for (const metadata of extra) {
      const made = block('10-9-3-0-26', '10.9.3.0/26', 'v4', metadata);
      assert.throws(() => create(made), /has no annotations, finalizers|labels a block with/);
    }
    create(block('10-9-3-0-26', '10.9.3.0/26', 'v4'));
    const replace = (change: (object: { metadata: Metadata; spec: object }) => object, name: string) => {
      const found = JSON.parse(api.kubectl(['get', 'ipamblock', name, '-o', 'json'])) as {
        metadata: Metadata;
        spec: object;
      };
      run(['replace', '-f', '-'], change(found));
    };
    const isRefused = /changes nothing but its label|labels a block with/;
    for (const metadata of extra)
      assert.throws(
        () => replace((found) => ({ ...found, metadata: { ...found.metadata, ...metadata } }), '10-9-3-0-26'),
        isRefused,
      );
    const spec = { node: 'a', cidr: '10.9.3.0/26', pool: 'v4-of-28' };
    assert.throws(() => replace((found) => ({ ...found, spec }), '10-9-3-0-26'), isRefused);
    const isFreed = (found: { metadata: Metadata }) => ({
      ...found,
      metadata: { ...found.metadata, finalizers: [] },
    });
    assert.throws(() => replace(isFreed, '10-6-0-0-26'), isRefused);
    replace((found) => ({ ...found, metadata: { ...found.metadata, ...OWN } }), '10-9-3-0-26');
    run(['delete', 'ipamblock', '10-9-3-0-26']);
  });

  it('writes Events of its own, about its own Node and podroute’s kinds, and none of others', async () => {
    const event = (name: string, extra: object = {}) => ({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: 'default' },
      involvedObject: { apiVersion: 'v1', kind: 'Node', name: 'a' },
      ...{ type: 'Normal', reason: 'SessionUp', message: 'x', count: 1 },
      ...{ firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:00Z' },
      source: { component: 'podroute', host: 'a' },
      ...{ reportingComponent: 'podroute.io/agent', reportingInstance: 'a' },
      ...extra,
    });
    create(event('own'));
    const patchEvent = (name: string, body: object) =>
      // kubectl would read the Event first, which an agent may not.
      requests!.send('PATCH', `/api/v1/namespaces/default/events/${name}`, body);
    const saying = ({ body }: Answer) => (body as { message?: string }).message ?? '';
    assert.equal((await patchEvent('own', { message: 'y', count: 2 })).status, 200);
    create(
      event('of-a-peer', { involvedObject: { apiVersion: 'podroute.io/v1', kind: 'BGPPeer', name: 'p' } }),
    );
    for (const [name, extra] of Object.entries({
      host: { source: { component: 'podroute', host: 'b' } },
      instance: { reportingInstance: 'b' },
      component: { reportingComponent: 'kubelet' },
      node: { involvedObject: { apiVersion: 'v1', kind: 'Node', name: 'b' } },
      pod: { involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: 'a' } },
    }))
      assert.throws(
        () => create(event(name, extra)),
        /an agent writes Events about|writes Events that/,
        name,
      );
    asAdmin(event('of-b', { source: { component: 'podroute', host: 'b' }, reportingInstance: 'b' }));
    asAdmin(
      event('of-kubelet', { source: { component: 'kubelet', host: 'a' }, reportingComponent: 'kubelet' }),
    );
    for (const name of ['of-b', 'of-kubelet']) {
      assert.match(saying(await patchEvent(name, { message: 'z' })), /writes Events that it reports itself/);
      const taken = {
        source: { host: 'a' },
        reportingInstance: 'a',
        reportingComponent: 'podroute.io/agent',
      };
      assert.match(saying(await patchEvent(name, taken)), /writes Events that it reports itself/);
    }
  });

  it('is refused whatever else there is to take: pools, peers, Secrets, pods, tokens, policies, and its own role', async () => {
    const before = versions();
    const ours = '/apis/podroute.io/v1';
    const core = '/api/v1/namespaces';
    const rbac = '/apis/rbac.authorization.k8s.io/v1';
    const admission = '/apis/admissionregistration.k8s.io/v1';
    const daemons = `/apis/apps/v1/namespaces/${NAMESPACE}/daemonsets`;
    const peer = { apiVersion: 'podroute.io/v1', kind: 'BGPPeer', metadata: { name: 'x' } };
    const status = { apiVersion: 'podroute.io/v1', kind: 'BGPNodeStatus', metadata: { name: 'b' } };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x' } };
    const token = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} };
    for (const [method, path, body] of [
      ['POST', `${ours}/bgppeers`, { ...peer, spec: { peerIP: '192.0.2.1', asNumber: 65000 } }],
      ['PUT', `${ours}/ippools/v4`, pool('v4', '10.9.0.0/16')],
      ['PUT', `${ours}/ippools/v4/status`, pool('v4', '10.9.0.0/16')],
      ['PATCH', `${ours}/ippools/v4`, { metadata: { finalizers: [] } }],
      ['DELETE', `${ours}/ippools/v4`],
      ['DELETE', `${ours}/ipamblocks`],
      ['DELETE', `${ours}/ipamblocks/10-9-0-64-26`],
      ['PATCH', `${ours}/ipamblocks/10-9-0-64-26`, { spec: { node: 'a' } }],
      ['POST', `${ours}/bgpnodestatuses`, { ...status, spec: { node: 'b' } }],
      ['POST', `${ours}/bgpnodestatuses`, { ...status, spec: { node: 'a' } }],
      ['DELETE', `${ours}/bgpnodestatuses/b`],
      ['DELETE', '/api/v1/nodes/b'],
      ['DELETE', '/api/v1/nodes/a'],
      ['PATCH', '/api/v1/nodes/b', { spec: { taints: [{ key: 'podroute.io/x', effect: 'NoExecute' }] } }],
      ['PATCH', '/api/v1/nodes/a', { spec: { taints: [{ key: 'podroute.io/x', effect: 'NoExecute' }] } }],
      ['GET', '/api/v1/nodes/b/proxy/pods'],
      ['GET', `${core}/${NAMESPACE}/secrets`],
      ['GET', `${core}/${NAMESPACE}/secrets?watch=1&resourceVersion=0&timeoutSeconds=1`],
      ['GET', `${core}/${NAMESPACE}/secrets/sh.helm.release.v1.podroute.v1`],
      ['PATCH', `${core}/${NAMESPACE}/secrets/bgp-passwords`, { stringData: { x: 'y' } }],
      ['POST', `${core}/${NAMESPACE}/pods`, { ...pod, spec: { containers: [{ name: 'x', image: 'x' }] } }],
      ['POST', `${core}/${NAMESPACE}/serviceaccounts/podroute-controller/token`, token],
      ['POST', `${core}/${NAMESPACE}/serviceaccounts/podroute-agent/token`, token],
      ['POST', `${core}/kube-system/events`, { apiVersion: 'v1', kind: 'Event', metadata: { name: 'x' } }],
      ['GET', `${core}/default/events`],
      ['DELETE', `${core}/default/events`],
      ['PATCH', `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/podroute-controller`, {}],
      ['PATCH', `${rbac}/clusterroles/podroute-agent`, { rules: [] }],
      ['DELETE', `${admission}/validatingadmissionpolicybindings/podroute-own-node`],
      ['DELETE', `${admission}/validatingadmissionpolicies/podroute-blocks-of-pools`],
      ['PATCH', `${daemons}/podroute-agent`, { spec: { paused: true } }],
      ['DELETE', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ippools.podroute.io'],
    ] as const) {
      const answer = await requests!.send(method, path, body);
      const said = `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`;
      assert.ok([403, 422].includes(answer.status), said);
      assert.match(said, /forbidden/, said);
    }
    assert.deepEqual(versions(), before);
  });

  it('is held to every field that a Node of this API server has, but its taints and conditions', () => {
    const { components } = JSON.parse(api.kubectl(['get', '--raw', '/openapi/v3/api/v1'])) as {
      components: { schemas: Record<string, { properties: object }> };
    };
    const policy = api.kubectl(['get', 'validatingadmissionpolicy', 'podroute-own-node', '-o', 'json']);
    for (const [part, free] of [
      ['spec', 'taints'],
      ['status', 'conditions'],
    ] as const) {
      const kind = `io.k8s.api.core.v1.Node${part[0]!.toUpperCase()}${part.slice(1)}`;
      const fields = Object.keys(components.schemas[kind]!.properties).filter((field) => field !== free);
      assert.ok(fields.length > 5);
      const isHeld = (field: string) =>
        policy.includes(`object.${part}.?${field} == oldObject.${part}.?${field}`);
      assert.deepEqual(
        fields.filter((field) => !isHeld(field)),
        [],
        kind,
      );
    }
  });

  it('has these rights and no others', () => {
    const rights = run(['auth', 'can-i', '--list', '-n', NAMESPACE, '--no-headers'])
      .split('\n')
      .filter((line) => line.includes('[') && !line.startsWith(' ') && !/^self|\.k8s\.io/.test(line))
      .map((line) => line.trim().replaceAll(/\s+/g, ' ').replaceAll('[] ', ''))
      .sort();
    const read = '[get list watch]';
    assert.deepEqual(
      rights,
      [
        ...['bgpconfigurations', 'bgpfilters', 'bgppeers', 'ippools', 'ipreservations'].flatMap((kind) =>
          ['crd.projectcalico.org', 'podroute.io', 'projectcalico.org'].map(
            (group) => `${kind}.${group} ${read}`,
          ),
        ),
        `bfdprofiles.podroute.io ${read}`,
        'bgpnodestatuses.podroute.io [get create]',
        'bgpnodestatuses.podroute.io/status [update]',
        'ipamblocks.podroute.io [get list watch create update delete]',
        `ipclaims.podroute.io ${read}`,
        'nodes [get list watch patch]',
        'nodes/status [patch]',
        'pods [list watch]',
        `secrets [bgp-passwords] ${read}`,
      ].sort(),
    );
  });
});
