// What --store names: a folder of YAML files, or a cluster's API server.
import { openDirectoryStore, type ParseAside, type Store } from '#store';
import { realDisk } from '#linux';
import { systemClock, systemRandom } from '#world';

export type StorePlace =
  | { readonly kind: 'folder'; readonly folder: string }
  /** By a kubeconfig file, or the service account of the pod that the agent runs in. */
  | { readonly kind: 'cluster'; readonly kubeconfig?: string };

export interface StoreSettings {
  readonly version: string;
  readonly keepIn: string;
  readonly parseAside: ParseAside;
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

/** Rejects when a kubeconfig cannot be read. Nothing is asked for before the store is started. */
export async function storeOpener(
  place: StorePlace,
  { version, keepIn, parseAside }: StoreSettings,
): Promise<() => Store> {
  if (place.kind === 'folder') {
    const io = { clock: systemClock, disk: realDisk, keepIn, parseAside };
    return () => openDirectoryStore(place.folder, io);
  }
  // Only then: the client of Kubernetes costs 30 MB.
  const { openCluster } = await import('#store/kubernetes');
  const userAgent = `podroute/${version}`;
  const io = { clock: systemClock, random: systemRandom, disk: realDisk, keepIn, userAgent };
  const store = openCluster(place, io);
  return () => store;
}
