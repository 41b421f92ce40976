// What podroute leaves on a node, and taking it away. As long as pods of podroute run, all that they need stays (routes, the
// table of their sources, the journal of their addresses, the executable that a DEL is called by), and only the conflist
// goes: no new pod comes.
import { CONFLIST_NAME } from '#cni-plugin';
import { POD_LINK } from '#ipam';
import { type Kernel, PODROUTE_PROTOCOL, type PodSources, type Route } from '#linux';
import { listed } from './listed.ts';

export interface InstalledPlaces {
  readonly stateDir: string;
  readonly runDir: string;
  readonly cniConfDir: string;
  readonly cniBinDir: string;
}

export interface UninstallIo {
  readonly places: InstalledPlaces;
  readonly kernel: Pick<Kernel, 'links' | 'routes' | 'apply'>;
  readonly podSources: Pick<PodSources, 'dropped' | 'remove'>;
  readonly files: {
    /** A file, or a folder that is not empty. */
    isThere(path: string): Promise<boolean>;
    /** With all below it. A folder that something is mounted on is emptied. */
    remove(path: string): Promise<void>;
  };
}

type Thing =
  | { readonly kind: 'conflist' | 'file'; readonly path: string }
  | { readonly kind: 'routes'; readonly routes: readonly Route[] }
  | { readonly kind: 'table' };

export interface Fate {
  /** 'the conflist', '12 kernel routes' */
  readonly what: string;
  readonly where: string;
  readonly fate: 'goes' | 'gone' | 'stays' | 'failed';
  /** Of what stays or failed. */
  readonly why?: string;
}

const NAMED = 5;

/** @param isMeant false: only says what there is and what would become of it */
export async function uninstall(io: UninstallIo, isMeant: boolean): Promise<Fate[]> {
  const links = (await io.kernel.links()).map(({ name }) => name).filter((name) => POD_LINK.test(name));
  const whyStays =
    links.length === 0
      ? undefined
      : `${links.length} pods of podroute run here (${listed(links.sort(), NAMED)}): delete them, or move them to other nodes`;
  const fates: Fate[] = [];
  for (const thing of await found(io)) {
    const named = describe(thing);
    if (whyStays !== undefined && thing.kind !== 'conflist') {
      fates.push({ ...named, fate: 'stays', why: whyStays });
    } else if (!isMeant) {
      fates.push({ ...named, fate: 'goes' });
    } else {
      const why = await takeAway(io, thing);
      fates.push({ ...named, ...(why === undefined ? { fate: 'gone' } : { fate: 'failed', why }) });
    }
  }
  return fates;
}

/** In the order in which it goes: first what brings new pods. */
async function found({ places, kernel, podSources, files }: UninstallIo): Promise<Thing[]> {
  const { stateDir, runDir, cniConfDir, cniBinDir } = places;
  const conflist = `${cniConfDir}/${CONFLIST_NAME}`;
  const things: Thing[] = [];
  if (await files.isThere(conflist)) things.push({ kind: 'conflist', path: conflist });
  const routes = await kernel.routes({ protocol: PODROUTE_PROTOCOL });
  if (routes.length > 0) things.push({ kind: 'routes', routes });
  if ('source' in (await podSources.dropped())) things.push({ kind: 'table' });
  for (const path of [`${cniBinDir}/podroute`, stateDir, runDir]) {
    if (await files.isThere(path)) things.push({ kind: 'file', path });
  }
  return things;
}

function describe(thing: Thing): Pick<Fate, 'what' | 'where'> {
  switch (thing.kind) {
    case 'conflist':
      return { what: 'conflist', where: thing.path };
    case 'file':
      return { what: 'files', where: thing.path };
    case 'routes': {
      const tables = [...new Set(thing.routes.map(({ table }) => table))].sort((a, b) => a - b);
      const where = `protocol ${PODROUTE_PROTOCOL}, table ${tables.join(', ')}`;
      return { what: `${thing.routes.length} kernel routes`, where };
    }
    case 'table':
      return { what: 'nftables table', where: 'inet podroute' };
  }
}

/** @returns why not */
async function takeAway(
  { kernel, podSources, files }: UninstallIo,
  thing: Thing,
): Promise<string | undefined> {
  switch (thing.kind) {
    case 'conflist':
    case 'file':
      return files.remove(thing.path).then(
        () => undefined,
        (error: unknown) => (error as Error).message,
      );
    case 'routes': {
      const requests = thing.routes.map(
        ({ destination, table, protocol, metric, type }) =>
          ({ type: 'deleteRoute', route: { destination, table, protocol, metric, type } }) as const,
      );
      const failed = (await kernel.apply(requests)).filter((error) => error !== undefined);
      return failed[0] && `${failed.length} of them: ${failed[0].message}`;
    }
    case 'table':
      return (await podSources.remove())?.message;
  }
}
