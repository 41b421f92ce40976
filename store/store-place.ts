// What --store names: a folder of YAML files, or a cluster's API server.

export type StorePlace =
  | { readonly kind: 'folder'; readonly folder: string }
  /** By a kubeconfig file, or the service account of the pod that the agent runs in. */
  | { readonly kind: 'cluster'; readonly kubeconfig?: string };

/** 'dir:PATH', 'kubernetes' or 'kubernetes:KUBECONFIG'; undefined: anything else. */
export function parseStorePlace(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): StorePlace | undefined {
  const [, kind, rest] = /^(dir|kubernetes)(?::(.+))?$/.exec(text) ?? [];
  if (kind === 'dir') return rest === undefined ? undefined : { kind: 'folder', folder: rest };
  if (kind === undefined) return undefined;
  const isPod = environment['KUBERNETES_SERVICE_HOST'] !== undefined;
  const kubeconfig = rest ?? (isPod ? undefined : environment['KUBECONFIG']);
  return { kind: 'cluster', ...(kubeconfig !== undefined && { kubeconfig }) };
}
