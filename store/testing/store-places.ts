// The stores that pass the contract, each as the views that several nodes have of one, with an operator beside them.
import { type Kind, parseText, type Resource } from '#api';
import { SeededRandom } from '#world';
import { FakeClock, MemoryDisk } from '#world/testing';
import { openDirectoryStore } from '../directory/directory-store.ts';
import { openKubernetesStore } from '../kubernetes/kubernetes-store.ts';
import { RESOURCE_PATHS } from '../kubernetes/resource-paths.ts';
import { MemoryApiServer } from '../kubernetes/testing/memory-api-server.ts';
import { MemoryStore } from '../memory-store.ts';
import type { StorePlace } from './store-contract.ts';

export interface SimulatedPlace extends StorePlace {
  readonly clock: FakeClock;
}

/** A change is told within this. */
const TOLD_MS = 200;

async function directory(): Promise<SimulatedPlace> {
  const clock = new FakeClock();
  const disk = new MemoryDisk();
  await disk.makeFolder('/store');
  return {
    clock,
    secrets: 'all',
    mostTellings: 1,
    settle: () => clock.run(TOLD_MS),
    open: () => openDirectoryStore('/store', { clock, disk }),
    apply: (...yaml) => disk.replace('/store/objects.yaml', Buffer.from(yaml.join('\n---\n'))),
  };
}

async function memory(): Promise<SimulatedPlace> {
  const clock = new FakeClock();
  const shared = new MemoryStore(clock);
  return {
    clock,
    secrets: 'all',
    mostTellings: 1,
    settle: () => clock.run(TOLD_MS),
    open: () => shared.view(),
    apply: async (...yaml) => {
      const documents = parseText(yaml.join('\n---\n'), 'objects.yaml');
      shared.apply(...documents.map(({ resource }) => resource as Resource));
    },
  };
}

async function kubernetes(): Promise<SimulatedPlace> {
  const clock = new FakeClock();
  const server = new MemoryApiServer(clock);
  for (const { base, plural } of Object.values(RESOURCE_PATHS)) server.resources.add(`${base} ${plural}`);
  return {
    clock,
    secrets: 'referred',
    mostTellings: 1,
    settle: () => clock.run(TOLD_MS),
    open: () =>
      openKubernetesStore({
        api: server.connect(),
        clock,
        disk: new MemoryDisk(),
        random: new SeededRandom(1),
        namespace: 'here',
      }),
    apply: async (...yaml) => {
      for (const { written } of parseText(yaml.join('\n---\n'), 'objects.yaml')) {
        const object = written as Parameters<typeof server.apply>[1];
        const { base, plural } = RESOURCE_PATHS[object.kind as Kind];
        server.apply(`${base} ${plural}`, object);
      }
    },
  };
}

export const STORE_PLACES: readonly {
  readonly name: string;
  readonly make: () => Promise<SimulatedPlace>;
}[] = [
  { name: 'of a folder', make: directory },
  { name: 'in memory', make: memory },
  { name: 'of an API server', make: kubernetes },
];
