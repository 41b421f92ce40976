// What --store names: a folder of YAML files, or a cluster's API server.

export type StorePlace =
  | { readonly kind: 'folder'; readonly folder: string }
  /** By a kubeconfig file, or the service account of the pod that the agent runs in. */
  | { readonly kind: 'cluster'; readonly kubeconfig?: string };

export type ClusterPlace = Extract<StorePlace, { readonly kind: 'cluster' }>;

/** What --store names cannot be used: there is no such folder, or its kubeconfig leads nowhere. */
export class StorePlaceError extends Error {}

/** As --store has it. */
export function storePlaceText(place: StorePlace): string {
  if (place.kind === 'folder') return `dir:${place.folder}`;
  return place.kubeconfig === undefined ? 'kubernetes' : `kubernetes:${place.kubeconfig}`;
}

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
