// Writes the installation for kustomize: a base with every setting at its default, an overlay for each topology, and
// what is applied beside it to take it away.
import { stringify } from 'yaml';
import type { Manifest } from './manifest.ts';
import { DEFAULT_NAMESPACE, Setting, SETTINGS } from './settings.ts';
import { objectsOf, TOPOLOGIES } from './topologies.ts';

const WRITTEN_BY = '# Written by scripts/generate-manifests.ts.\n';

const yaml = (value: unknown): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

export function kustomizeFiles(manifests: readonly Manifest[]): Map<string, string> {
  const files = new Map<string, string>();
  const put = (name: string, about: string | undefined, value: object): void => {
    const before = files.get(name);
    const head = about === undefined ? '' : `# ${about}\n`;
    files.set(name, `${before === undefined ? WRITTEN_BY : `${before}---\n`}${head}${yaml(value)}`);
  };
  put('base/namespace.yaml', 'Agents need more than the other levels of Pod Security allow.', namespace());
  for (const { file, about, only, object } of manifests) {
    if (only !== 'leaving') put(`base/${file}`, about, withDefaults(object) as object);
  }
  const resources = [...files.keys()].map((name) => name.slice('base/'.length));
  put(
    'base/kustomization.yaml',
    'All but the kinds (manifests/crds), which go first, and stay when this goes.',
    {
      ...kustomization(),
      resources,
    },
  );
  for (const topology of TOPOLOGIES) {
    put(`${topology.name}/kustomization.yaml`, topology.about, {
      ...kustomization(),
      resources: ['../base', 'objects.yaml'],
    });
    for (const object of objectsOf(topology)) put(`${topology.name}/objects.yaml`, undefined, object);
  }
  const leaving = manifests.filter(({ only }) => only === 'leaving');
  for (const { file, about, object } of leaving) {
    put(`uninstall/${file}`, about, withDefaults(object) as object);
  }
  put('uninstall/kustomization.yaml', 'Beside an installation whose agents have been deleted.', {
    ...kustomization(),
    resources: [...new Set(leaving.map(({ file }) => file))],
  });
  return files;
}

const kustomization = () => ({ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' });

const namespace = () => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: {
    name: DEFAULT_NAMESPACE,
    labels: { 'pod-security.kubernetes.io/enforce': 'privileged' },
  },
});

/** The object with the default in the place of each setting. */
function withDefaults(value: unknown): unknown {
  if (value instanceof Setting) return defaultOf(value);
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown) =>
      item instanceof Setting && item.form === 'items'
        ? (defaultOf(item) as unknown[])
        : [withDefaults(item)],
    );
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withDefaults(part)]));
}

function defaultOf({ name, before, form }: Setting): unknown {
  const value = name === 'namespace' ? DEFAULT_NAMESPACE : SETTINGS[name].value;
  return form === 'text' ? `${before}${String(value)}` : value;
}
