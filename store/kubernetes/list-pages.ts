// A list of the API server, page after page. Bound: the size that the caller names; what it keeps of them is its own.
import type { ApiServer } from './api-server.ts';

export interface ListPage {
  readonly items: readonly unknown[];
  readonly apiVersion: string | undefined;
  /** Of the list as a whole: a watch goes on from it. */
  readonly version: string;
}

/** @param path of the list, with this query */
export async function* listPages(
  api: ApiServer,
  path: (query: Readonly<Record<string, string>>) => string,
  size: number,
): AsyncGenerator<ListPage, void> {
  for (let next: string | undefined = ''; next !== undefined; ) {
    const query = { limit: String(size), ...(next !== '' && { continue: next }) };
    const answer = (await api.ask({ method: 'GET', path: path(query) })) as {
      apiVersion?: string;
      items?: readonly unknown[] | null;
      metadata?: { resourceVersion?: string; continue?: string };
    };
    const { apiVersion, items, metadata } = answer;
    yield { items: items ?? [], apiVersion, version: versionOf(answer) };
    next = metadata?.continue || undefined;
  }
}

/** Also what a proxy says in the server's place may be JSON, and is no list: throws for it. */
export function versionOf(
  list: { readonly metadata?: { readonly resourceVersion?: string } } | null | undefined,
): string {
  const version = list?.metadata?.resourceVersion ?? '';
  if (version === '') throw new Error('its answer is no list: it has no metadata.resourceVersion');
  return version;
}
