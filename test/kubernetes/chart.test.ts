// The Helm chart as Helm's own engine renders it, against what kustomize makes of the overlays: the same objects.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { chartRenderer, kubernetesPrograms } from '#lab';

const PROJECT = join(import.meta.dirname, '../..');
const CHART = join(PROJECT, 'manifests/helm/podroute');
const OVERLAYS = join(PROJECT, 'manifests/kubernetes');
const TOPOLOGIES = readdirSync(join(CHART, 'topologies')).map((file) => file.replace('.yaml', ''));
const NAMESPACE = 'podroute-system';

interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: object;
}

type Objects = ReadonlyMap<string, KubernetesObject>;

function objectsIn(text: string): KubernetesObject[] {
  return parseAllDocuments(text).flatMap((document) => {
    assert.deepEqual(document.errors, [], text);
    const object = document.toJS() as KubernetesObject | null;
    return object === null ? [] : [object];
  });
}

function byName(objects: readonly KubernetesObject[]): Objects {
  const named = objects.map(({ kind, metadata: { namespace = '', name } }) => `${kind} ${namespace}/${name}`);
  assert.equal(new Set(named).size, named.length, `twice: ${named.join(', ')}`);
  return new Map(named.map((name, i) => [name, objects[i]!] as const).sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe('the Helm chart', function () {
  this.timeout(60_000);
  let renderer: string;
  let kubectl: string;

  before(function () {
    // The first run on a machine builds them.
    this.timeout(1_800_000);
    renderer = chartRenderer();
    ({ kubectl } = kubernetesPrograms());
  });

  const render = (values: string, namespace = NAMESPACE) => {
    const done = spawnSync(renderer, [CHART, namespace], {
      input: values,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    if (done.status !== 0) throw new Error(done.stderr);
    return JSON.parse(done.stdout) as Record<'templates' | 'crds', Record<string, string>>;
  };
  const ofHelm = (values: string, namespace?: string) =>
    byName(Object.values(render(values, namespace).templates).flatMap(objectsIn));
  const ofKustomize = (overlay: string) =>
    objectsIn(
      execFileSync(kubectl, ['kustomize', join(OVERLAYS, overlay)], { encoding: 'utf8', maxBuffer: 1 << 28 }),
    );
  /** Helm makes the namespace itself. */
  const withoutNamespace = (objects: readonly KubernetesObject[]) =>
    byName(objects.filter(({ kind }) => kind !== 'Namespace'));

  for (const topology of TOPOLOGIES) {
    it(`with the values of ${topology} is what kustomize makes of that overlay`, () => {
      const values = readFileSync(join(CHART, 'topologies', `${topology}.yaml`), 'utf8');
      assert.deepEqual(ofHelm(values), withoutNamespace(ofKustomize(topology)));
    });
  }

  it('has values for every overlay', () => {
    const overlays = readdirSync(OVERLAYS).filter((name) => !['base', 'uninstall'].includes(name));
    assert.deepEqual([...TOPOLOGIES].sort(), overlays.sort());
  });

  it('without values is the base, and a mesh', () => {
    const mesh = {
      apiVersion: 'podroute.io/v1',
      kind: 'BGPConfiguration',
      metadata: { name: 'default' },
      spec: {},
    };
    assert.deepEqual(ofHelm(''), withoutNamespace([...ofKustomize('base'), mesh]));
  });

  it('with uninstall has its DaemonSet in the place of agents and controller, and all else still', () => {
    const values = readFileSync(join(CHART, 'topologies/mesh.yaml'), 'utf8');
    const stay = ofKustomize('mesh').filter(
      ({ kind }) => !['DaemonSet', 'Deployment', 'PodDisruptionBudget'].includes(kind),
    );
    assert.deepEqual(
      ofHelm(`${values}\nuninstall: true\n`),
      withoutNamespace([...stay, ...ofKustomize('uninstall')]),
    );
  });

  it('has the kinds of manifests/crds', () => {
    const folder = join(PROJECT, 'manifests/crds');
    const { crds } = render('');
    assert.deepEqual(
      Object.entries(crds).map(([name, text]) => [name.replace('crds/', ''), text]),
      readdirSync(folder)
        .sort()
        .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
    );
  });

  it("is in the release's namespace, whatever that is called", () => {
    const others = [...ofHelm('', 'elsewhere').keys()].filter((name) => name.includes(NAMESPACE));
    assert.deepEqual(others, []);
    assert.doesNotMatch(JSON.stringify([...ofHelm('', 'elsewhere').values()]), new RegExp(NAMESPACE));
  });

  it('takes each value where it belongs, also one that YAML would read otherwise', () => {
    const env = [{ name: 'KUBERNETES_SERVICE_PORT', value: '6443' }];
    const objects = ofHelm(
      stringify({
        image: 'registry.example.org/podroute:1.0',
        agent: {
          env,
          httpAddress: '[::]',
          httpPort: 8080,
          maxUnavailable: '10%',
          nodeSelector: { a: 'true' },
        },
        hostPaths: { cniBinDir: '/home/kubernetes/bin' },
      }),
    );
    const daemon = JSON.stringify(objects.get(`DaemonSet ${NAMESPACE}/podroute-agent`));
    for (const part of [
      '"image":"registry.example.org/podroute:1.0"',
      '{"name":"HTTP_ADDRESS","value":"[::]"}',
      '{"name":"HTTP","value":"$(HTTP_ADDRESS):8080"}',
      JSON.stringify(env[0]),
      '"port":8080',
      '"maxUnavailable":"10%"',
      '"a":"true"',
      '"path":"/home/kubernetes/bin"',
    ]) {
      assert.ok(daemon.includes(part), `${part} in ${daemon}`);
    }
  });

  for (const [about, values, said] of [
    ['a value that there is not', 'imagee: x', /additional properties 'imagee' not allowed/],
    ['one of a group', 'agent: { loglevel: debug }', /'\/agent'.*'loglevel' not allowed/],
    [
      'a word that is none of those',
      'agent: { logLevel: loud }',
      /'\/agent\/logLevel': value must be one of/,
    ],
    ['a port that there is not', 'agent: { httpPort: 0 }', /'\/agent\/httpPort': minimum: got 0/],
    ['a path that is not from the root', 'hostPaths: { netns: run/netns }', /'\/hostPaths\/netns'/],
    ['a pool without a name', 'ipPools: [{ spec: { cidr: 10.0.0.0/16 } }]', /'\/ipPools\/0'.*'name'/],
    ['a switch that is a word', "uninstall: 'yes'", /'\/uninstall': got string, want boolean/],
  ] as const) {
    it(`refuses ${about}`, () => {
      assert.throws(() => render(values), said);
    });
  }
});
