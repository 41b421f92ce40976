// The installation on a real API server: every overlay is taken as it is, and an agent can do what it must and no more.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { KubernetesApi } from '#lab';
import { startServer } from './testing/real-server.ts';

const FOLDER = join(import.meta.dirname, '../../manifests/kubernetes');
const NAMESPACE = 'podroute-system';

describe('manifests/kubernetes', function () {
  this.timeout(120_000);
  let api: KubernetesApi;
  let server: Awaited<ReturnType<typeof startServer>> | undefined;

  before(async function () {
    // The first run on a machine builds the API server.
    this.timeout(1_800_000);
    server = await startServer();
    ({ api } = server);
  });
  after(async () => server?.[Symbol.asyncDispose]());

  for (const overlay of readdirSync(FOLDER)) {
    it(`${overlay}: the server takes it, and has then what is written`, () => {
      api.kubectl(['apply', '-k', join(FOLDER, overlay)]);
      // Exits with 1 when applying it again would change something.
      api.kubectl(['diff', '-k', join(FOLDER, overlay)]);
    });
  }

  describe('an agent', () => {
    const block = (name: string, node: string, pool = 'gone') => ({
      apiVersion: 'podroute.io/v1',
      kind: 'IPAMBlock',
      metadata: { name },
      spec: { cidr: name.replace(/(\d+)-(\d+)-(\d+)-(\d+)-(\d+)/, '$1.$2.$3.$4/$5'), node, pool },
    });
    const report = (name: string, node = name) => ({
      apiVersion: 'podroute.io/v1',
      kind: 'BGPNodeStatus',
      metadata: { name },
      spec: { node },
    });
    let ofA: string;
    const run = (args: readonly string[], input?: object) =>
      api.kubectl(['--token', ofA, ...args], input && JSON.stringify(input));
    const create = (object: object) => run(['create', '-f', '-'], object);
    const asAdmin = (object: object) => api.kubectl(['create', '-f', '-'], JSON.stringify(object));
    const setStatus = (name: string) =>
      run(['replace', '--subresource=status', '-f', '-'], {
        ...(JSON.parse(run(['get', 'bgpnodestatus', name, '-o', 'json'])) as object),
        status: { version: '1' },
      });

    before(() => {
      for (const name of ['a', 'b']) asAdmin({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
      const { users } = JSON.parse(api.nodeKubeconfig('a')) as { users: [{ user: { token: string } }] };
      ofA = users[0].user.token;
      asAdmin(block('10-9-0-0-26', 'b'));
      asAdmin(report('b'));
      for (const [name, namespace] of [
        ['bgp-passwords', NAMESPACE],
        ['pull-secret', NAMESPACE],
        ['bgp-passwords', 'default'],
      ] as const)
        api.kubectl(['create', 'secret', 'generic', name, '-n', namespace, '--from-literal=x=y']);
    });

    it('writes the status and the blocks of its own node', () => {
      create(report('a'));
      setStatus('a');
      create(block('10-9-1-0-26', 'a'));
      run(['delete', 'ipamblock', '10-9-1-0-26']);
    });

    it('writes no status and no block of another node', () => {
      assert.throws(() => setStatus('b'), /agent of node a writes the status of its own node only/);
      assert.throws(() => create(report('c')), /agent of node a writes the status of its own node only/);
      assert.throws(() => create(block('10-9-2-0-26', 'b')), /agent of node a writes blocks of its own node/);
      assert.throws(
        () => run(['delete', 'ipamblock', '10-9-0-0-26']),
        /agent of node a writes blocks of its/,
      );
      assert.equal(
        api.kubectl(['get', 'ipamblock', '-o', 'name']).trim(),
        'ipamblock.podroute.io/10-9-0-0-26',
      );
    });

    it('writes nothing with a token that is of no pod', () => {
      const unbound = api.kubectl(['create', 'token', 'podroute-agent', '-n', NAMESPACE]).trim();
      assert.throws(
        () =>
          api.kubectl(['--token', unbound, 'create', '-f', '-'], JSON.stringify(block('10-9-3-0-26', 'a'))),
        /this token names no node/,
      );
    });

    it('reads the Secrets with passwords, by name, and no others', () => {
      const named = (name: string) => [`--field-selector=metadata.name=${name}`, '-o', 'name'];
      const passwords = 'bgp-passwords';
      assert.equal(
        run(['get', 'secrets', '-n', NAMESPACE, ...named(passwords)]).trim(),
        `secret/${passwords}`,
      );
      for (const what of [
        ['get', 'secrets', '-n', NAMESPACE],
        ['get', 'secrets', '-n', NAMESPACE, ...named('pull-secret')],
        ['get', 'secret', 'pull-secret', '-n', NAMESPACE],
        ['get', 'secrets', '-n', NAMESPACE, '--field-selector=metadata.name!=x'],
        ['get', 'secrets', '-n', NAMESPACE, '--field-selector=type=Opaque'],
        ['get', 'secrets', '-n', 'default', ...named(passwords)],
        ['get', 'secrets', '-n', 'kube-system'],
        ['get', 'secrets', '-A'],
        [
          'get',
          '--raw',
          `/api/v1/namespaces/${NAMESPACE}/secrets?watch=1&resourceVersion=0&timeoutSeconds=1`,
        ],
        ['delete', 'secret', passwords, '-n', NAMESPACE],
      ]) {
        assert.throws(() => run(what), /Forbidden/, what.join(' '));
      }
    });

    it('marks its own Node as available, takes a taint of podroute off it, and changes nothing else of any Node', () => {
      const patch = (node: string, body: object) => run(['patch', 'node', node, '-p', JSON.stringify(body)]);
      // kubectl would read nodes/status first, which an agent may not.
      const patchStatus = (node: string, body: object) => {
        const headers = [
          'Content-Type: application/strategic-merge-patch+json',
          `Authorization: Bearer ${ofA}`,
        ];
        const answer = execFileSync(
          'curl',
          [
            ...['-sSk', '-X', 'PATCH', '-d', JSON.stringify(body)],
            ...headers.flatMap((header) => ['-H', header]),
            `${api.url}/api/v1/nodes/${node}/status`,
          ],
          { encoding: 'utf8' },
        );
        const { kind, message } = JSON.parse(answer) as { kind: string; message?: string };
        if (kind !== 'Node') throw new Error(message);
      };
      const condition = (type: string) => ({
        status: { conditions: [{ type, status: 'False', reason: 'Ready', message: 'x' }] },
      });
      const own = { key: 'podroute.io/agent-not-ready', effect: 'NoSchedule' };
      const theirs = { key: 'example.org/gpu', effect: 'NoSchedule' };
      api.kubectl(['patch', 'node', 'a', '-p', JSON.stringify({ spec: { taints: [own, theirs] } })]);
      patchStatus('a', condition('NetworkUnavailable'));
      const isTheRest = /agent changes nothing but/;
      assert.throws(() => patchStatus('a', condition('Ready')), isTheRest);
      // The server takes these of a write of the status, too.
      for (const metadata of [
        { labels: { x: 'y' } },
        { annotations: { x: 'y' } },
        { finalizers: ['example.org/x'] },
        { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'b', uid: 'x' }] },
      ]) {
        assert.throws(() => patchStatus('a', { metadata, ...condition('NetworkUnavailable') }), isTheRest);
        assert.throws(() => patch('a', { metadata }), isTheRest);
      }
      // Where the API server looks for its kubelet.
      const elsewhere = { status: { daemonEndpoints: { kubeletEndpoint: { Port: 9999 } } } };
      assert.throws(() => patchStatus('a', elsewhere), isTheRest);
      assert.throws(
        () => patchStatus('b', condition('NetworkUnavailable')),
        /agent of node a writes its own Node only/,
      );
      assert.throws(() => patch('a', { spec: { taints: [own] } }), isTheRest);
      assert.throws(() => patch('a', { spec: { unschedulable: true } }), isTheRest);
      patch('a', { spec: { taints: [theirs] } });
      const { spec } = JSON.parse(api.kubectl(['get', 'node', 'a', '-o', 'json'])) as {
        spec: { taints: { key: string }[] };
      };
      assert.ok(spec.taints.every(({ key }) => key !== own.key));
    });

    it('changes no configuration and no pods', () => {
      for (const [verb, resource] of [
        ['create', 'bgppeers.podroute.io'],
        ['patch', 'ippools.podroute.io'],
        ['delete', 'bgpnodestatuses.podroute.io'],
        ['list', 'events'],
        ['delete', 'nodes'],
        ['patch', 'pods'],
        ['create', 'pods'],
        ['escalate', 'clusterroles'],
      ] as const) {
        assert.throws(() => run(['auth', 'can-i', verb, resource]), Error, `${verb} ${resource}`);
      }
    });
  });
});
