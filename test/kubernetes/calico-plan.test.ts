// `podroute plan` of a cluster that runs Calico, on a real API server: Calico's objects as kubectl has them, no CRD of
// podroute, and an account that may read and do nothing else.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { KubernetesApi } from '#lab';
import { startServer } from './testing/real-server.ts';

const MAIN = resolve(import.meta.dirname, '../../cli/main.ts');
const KINDS = {
  BGPConfiguration: 'bgpconfigurations',
  BGPPeer: 'bgppeers',
  BGPFilter: 'bgpfilters',
  IPPool: 'ippools',
  IPReservation: 'ipreservations',
};

/** As Calico's own, which have no schema that says much. */
const calicoCrd = ([kind, plural]: readonly [string, string]) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.crd.projectcalico.org` },
  spec: {
    group: 'crd.projectcalico.org',
    scope: 'Cluster',
    names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
    preserveUnknownFields: false,
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});

const calico = (kind: string, name: string, spec: object) => ({
  apiVersion: 'crd.projectcalico.org/v1',
  kind,
  metadata: { name, annotations: { 'projectcalico.org/metadata': '{"creationTimestamp":null}' } },
  spec,
});
const node = (name: string, address: string) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name,
    annotations: { 'projectcalico.org/IPv4Address': `${address}/24` },
    labels: { rack: 'r1' },
  },
});
const READER = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'looks' },
  rules: [
    { apiGroups: ['crd.projectcalico.org'], resources: ['*'], verbs: ['list'] },
    { apiGroups: [''], resources: ['nodes'], verbs: ['list'] },
  ],
};
const BINDING = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'looks' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'looks' },
  subjects: [{ kind: 'ServiceAccount', name: 'looks', namespace: 'default' }],
};

describe('podroute plan of a cluster with Calico', function () {
  this.timeout(120_000);
  let api: KubernetesApi;
  let server: AsyncDisposable;
  let folder: string;
  let kubeconfig: string;

  before(async function () {
    // The first run on a machine builds the server.
    this.timeout(1_800_000);
    const started = await startServer('without kinds');
    ({ api } = started);
    server = started;
    folder = mkdtempSync(join(tmpdir(), 'podroute-plan-'));
    apply(...Object.entries(KINDS).map(calicoCrd));
    api.kubectl(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=30s']);
    apply(node('n1', '192.0.2.11'), node('n2', '192.0.2.12'), READER, BINDING);
    apply(
      calico('IPPool', 'default-ipv4-ippool', {
        ...{ cidr: '192.168.0.0/16', blockSize: 26, ipipMode: 'Never', vxlanMode: 'Never' },
        ...{ natOutgoing: true, nodeSelector: 'all()', allowedUses: ['Workload', 'Tunnel'] },
      }),
      calico('BGPConfiguration', 'default', { asNumber: 64600, nodeToNodeMeshEnabled: true, listenPort: 0 }),
      calico('BGPPeer', 'rack-tor', {
        ...{ peerIP: '192.0.2.1', asNumber: 65000, nodeSelector: "rack == 'r1'" },
        password: { secretKeyRef: { name: 'bgp-secrets', key: 'rack' } },
      }),
    );
    api.kubectl(['create', 'serviceaccount', 'looks', '-n', 'default']);
    kubeconfig = join(folder, 'kubeconfig');
    const token = api.kubectl(['create', 'token', 'looks', '-n', 'default']).trim();
    writeFileSync(kubeconfig, api.kubeconfigFor(token));
  });
  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    await server[Symbol.asyncDispose]();
  });

  function apply(...objects: readonly object[]): void {
    api.kubectl(['apply', '-f', '-'], objects.map((one) => JSON.stringify(one)).join('\n---\n'));
  }
  const plan = (...args: string[]) =>
    spawnSync(process.execPath, [MAIN, 'plan', ...args], { encoding: 'utf8', timeout: 60_000 });

  it('shows what podroute would do on a node, without its CRDs and without a right to write', () => {
    const versions = () =>
      api.kubectl(['get', 'bgppeers,ippools,nodes', '-o', 'jsonpath={.items[*].metadata.resourceVersion}']);
    const before = versions();
    const { stdout, stderr, status } = plan(
      '--store',
      `kubernetes:${kubeconfig}`,
      '--node',
      'n1',
      '-o',
      'json',
    );
    const reply = JSON.parse(stdout) as {
      readonly plan: {
        readonly node: { readonly asNumber: number; readonly addresses: object };
        readonly peers: readonly { readonly config: { readonly id: string }; readonly implied?: string[] }[];
        readonly kernel: { readonly clusterPrefixes: readonly string[] };
      };
      readonly problems: readonly { readonly object: string; readonly message: string }[];
      readonly notes: readonly string[];
    };
    assert.equal(stderr, '');
    assert.deepEqual(reply.plan.node.addresses, { ipv4: '192.0.2.11' });
    assert.equal(reply.plan.node.asNumber, 64600);
    assert.deepEqual(
      reply.plan.peers.map(({ config }) => config.id),
      ['mesh/n2/ipv4', 'rack-tor'],
    );
    assert.match(reply.plan.peers[1]!.implied!.join(), /import: All/);
    assert.deepEqual(reply.plan.kernel.clusterPrefixes, ['192.168.0.0/16']);
    assert.match(reply.notes.join(), /n1 has no IPAMBlock of podroute in the cluster/);
    // The account may not see the Secret: what follows from that is said, and is the exit code.
    assert.match(
      reply.problems.map(({ object, message }) => `${object} ${message}`).join(),
      /BGPPeer rack-tor is no Secret: the session stays down/,
    );
    assert.equal(status, 1);
    assert.equal(versions(), before);
  });

  it('reads the Secret with an account that may, and tells nobody what is in it', () => {
    api.kubectl([
      'create',
      'secret',
      'generic',
      'bgp-secrets',
      '--from-literal=rack=hunter2',
      '-n',
      'default',
    ]);
    const { stdout, stderr } = plan('--store', `kubernetes:${api.kubeconfig}`, '--node', 'n1');
    assert.match(stdout, /md5Key: \(secret\)/);
    assert.doesNotMatch(stdout + stderr, /hunter2/);
    assert.doesNotMatch(stderr, /is no Secret/);
  });

  it('says which server does not answer', async () => {
    await api.pause();
    const { stderr, status } = plan('--store', `kubernetes:${kubeconfig}`, '--node', 'n1');
    assert.equal(status, 3);
    assert.match(stderr, /^podroute: plan: .*ECONNREFUSED/);
  });
});
