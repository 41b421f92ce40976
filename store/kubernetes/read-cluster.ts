// What a cluster's API server has at this moment, as documents, for who looks once: nothing is watched and nothing written.
// Kinds that it does not have are read as none, so that a cluster of Calico can be looked at before podroute is there.
import { type Kind, parseDocument, resourcesOf, type TextDocument } from '#api';
import { type ApiServer, isStatus } from './api-server.ts';
import { type Raw, readPart } from './list-contents.ts';
import { listPages } from './list-pages.ts';
import { referredSecrets } from './watched-lists.ts';
import {
  CALICO_GROUPS,
  CALICO_KINDS,
  listName,
  listPath,
  PLAN_KINDS,
  RESOURCE_PATHS,
} from './resource-paths.ts';

const PAGE = 500;

const OURS = 'podroute.io/v1';

interface Place {
  readonly kind: Kind;
  readonly base: string;
  readonly plural: string;
}

/** @param namespace where podroute's Secrets stand. Rejects when the server does not answer, or refuses to show a list. */
export async function readCluster(api: ApiServer, namespace: string): Promise<TextDocument[]> {
  const { groups } = (await api.ask({ method: 'GET', path: '/apis' })) as {
    readonly groups: readonly { readonly versions: readonly { readonly groupVersion: string }[] }[];
  };
  const served = new Set(groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => groupVersion)));
  const calico = CALICO_GROUPS.find((group) => served.has(group));
  const places: Place[] = [
    ...(served.has(OURS) ? await ourKinds(api) : []).map((kind) => ({ kind, ...RESOURCE_PATHS[kind] })),
    { kind: 'Node', ...RESOURCE_PATHS.Node },
    ...Object.entries(calico === undefined ? {} : CALICO_KINDS).map(([kind, plural]) => ({
      ...{ kind: kind as Kind, plural, base: `/apis/${calico}` },
    })),
  ];
  const documents: TextDocument[] = [];
  for (const place of places) documents.push(...(await readList(api, place)));
  const resources = resourcesOf(documents.flatMap(({ resource }) => resource ?? []));
  for (const name of referredSecrets(resources)) documents.push(...(await readSecret(api, namespace, name)));
  return documents;
}

/** CRDs may be older than we are. Of a kind that there is not an account without the right to it hears 403, not 404. */
async function ourKinds(api: ApiServer) {
  const { resources } = (await api.ask({ method: 'GET', path: `/apis/${OURS}` })) as {
    readonly resources: readonly { readonly name: string }[];
  };
  const names = new Set(resources.map(({ name }) => name));
  return PLAN_KINDS.filter((kind) => names.has(RESOURCE_PATHS[kind].plural));
}

async function readList(api: ApiServer, { kind, base, plural }: Place): Promise<TextDocument[]> {
  const documents: TextDocument[] = [];
  const path = (query: Readonly<Record<string, string>>) =>
    `${listPath({ base, plural })}?${new URLSearchParams(query).toString()}`;
  try {
    for await (const { items } of listPages(api, path, PAGE))
      for (const item of items) documents.push(documentOf(kind, base, listName({ base, plural }), item));
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
  }
  return documents;
}

/** None where there is none, and where we may not see it: then its sessions have no password, and the plan says so. */
async function readSecret(api: ApiServer, namespace: string, name: string): Promise<TextDocument[]> {
  const { base, plural } = RESOURCE_PATHS.Secret;
  try {
    const path = `${listPath({ base, plural }, namespace)}/${encodeURIComponent(name)}`;
    return [documentOf('Secret', base, `secrets/${name}`, await api.ask({ method: 'GET', path }))];
  } catch (error) {
    if (isStatus(error, 404) || isStatus(error, 403)) return [];
    throw error;
  }
}

function documentOf(kind: Kind, base: string, file: string, item: unknown): TextDocument {
  const apiVersion = base.replace(/^\/apis?\//, '');
  const value = { apiVersion, kind, ...readPart(kind, item as Raw) };
  return { ...parseDocument(value), file, lineOf: () => undefined };
}
