// Opens what --store names: a folder of YAML files, or a cluster's API server.
import { openDirectoryStore, type ParseAside, type Store, type StorePlace } from '#store';
import { realDisk } from '#linux';
import type { OwnInterest } from '#store/kubernetes';
import { systemClock, systemRandom } from '#world';

export interface StoreSettings {
  readonly version: string;
  readonly keepIn: string;
  readonly parseAside: ParseAside;
  /** Whose store of a cluster it is. */
  readonly own: OwnInterest;
}

/** Rejects when a kubeconfig cannot be read. Nothing is asked for before the store is started. */
export async function storeOpener(
  place: StorePlace,
  { version, keepIn, parseAside, own }: StoreSettings,
): Promise<() => Store> {
  if (place.kind === 'folder') {
    const io = { clock: systemClock, disk: realDisk, keepIn, parseAside };
    return () => openDirectoryStore(place.folder, io);
  }
  // Only then: the client of Kubernetes costs 30 MB.
  const { openCluster } = await import('#store/kubernetes');
  const userAgent = `podroute/${version}`;
  const io = { clock: systemClock, random: systemRandom, disk: realDisk, keepIn, userAgent, own };
  const store = openCluster(place, io);
  return () => store;
}
