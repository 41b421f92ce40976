// The stores that pass the contract, each as the views that several nodes have of one, with an operator beside them.
import { parseText, type Resource } from '#api';
import { FakeClock, MemoryDisk } from '#world/testing';
import { openDirectoryStore } from '../directory/directory-store.ts';
import { MemoryStore } from '../memory-store.ts';
import type { Store } from '../store.ts';

export interface StorePlace {
  readonly clock: FakeClock;
  /** A node's view, to be started; whoever opens it disposes of it. */
  open(): Store;
  /** What an operator applies. */
  apply(...yaml: readonly string[]): Promise<void>;
}

async function directory(): Promise<StorePlace> {
  const clock = new FakeClock();
  const disk = new MemoryDisk();
  await disk.makeFolder('/store');
  return {
    clock,
    open: () => openDirectoryStore('/store', { clock, disk }),
    apply: (...yaml) => disk.replace('/store/objects.yaml', Buffer.from(yaml.join('\n---\n'))),
  };
}

async function memory(): Promise<StorePlace> {
  const clock = new FakeClock();
  const shared = new MemoryStore(clock);
  return {
    clock,
    open: () => shared.view(),
    apply: async (...yaml) => {
      const documents = parseText(yaml.join('\n---\n'), 'objects.yaml');
      shared.apply(...documents.map(({ resource }) => resource as Resource));
    },
  };
}

export const STORE_PLACES: readonly { readonly name: string; readonly make: () => Promise<StorePlace> }[] = [
  { name: 'of a folder', make: directory },
  { name: 'in memory', make: memory },
];
