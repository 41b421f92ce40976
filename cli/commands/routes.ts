// podroute routes [PREFIX|ADDRESS] [--received S | --advertised S | --best | --fib] [--why]
import type { RouteStatus, RoutesReply, StatusReply } from '#agent-api';
import { ask } from '../client.ts';
import { CommandError, EXIT, tell } from '../exit.ts';
import { type OutputFormat, print } from '../output-format.ts';
import { routesTable, sorted } from '../routes-table.ts';

interface RoutesOptions {
  readonly socket: string;
  readonly output: OutputFormat;
  readonly received?: string;
  readonly advertised?: string;
  readonly best?: boolean;
  readonly fib?: boolean;
  readonly why?: boolean;
  readonly longer?: boolean;
  readonly family?: string;
  readonly limit: string;
}

/** What one request asks for at most: the agent answers pages so that it never stalls. */
const PAGE = 1000;

export async function routes(prefix: string | undefined, options: RoutesOptions): Promise<void> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1) {
    throw new CommandError(`routes: --limit ${options.limit}: expected a whole number from 1`, EXIT.wrongUse);
  }
  const found: RouteStatus[] = [];
  const notes: string[] = [];
  let cursor: string | undefined;
  let isCut = false;
  do {
    const page = await ask<RoutesReply>(
      options.socket,
      `/v1/routes?${queryOf(prefix, options, Math.min(PAGE, limit - found.length), cursor)}`,
    );
    found.push(...page.routes);
    notes.push(...(page.notes ?? []));
    cursor = page.nextCursor;
    isCut = cursor !== undefined && found.length >= limit;
  } while (cursor !== undefined && !isCut);
  if (options.advertised !== undefined) notes.push(...(await owedNotes(options.socket, options.advertised)));
  print(sorted(found), options.output, (all) =>
    [routesTable(all, options.why ?? false), ...notes].join('\n'),
  );
  // Programs get the routes alone.
  if (options.output !== 'table') for (const note of notes) tell(`routes: ${note}`);
  if (isCut) tell(`routes: only the first ${limit} are shown (--limit)`);
  if (prefix !== undefined && found.length === 0) process.exitCode = EXIT.badNews;
}

/** The table is what a neighbour has as soon as it takes it; a slow one may still have less. */
async function owedNotes(socket: string, id: string): Promise<string[]> {
  const { sessions } = await ask<StatusReply>(socket, '/v1/status');
  const { owed = { ipv4: 0, ipv6: 0 } } = sessions.find((session) => session.id === id)?.prefixes ?? {};
  const changes = owed.ipv4 + owed.ipv6;
  if (changes === 0) return [];
  return [
    `${id} has not taken ${changes} change${changes === 1 ? '' : 's'} of these routes yet: it may have others`,
  ];
}

function queryOf(
  prefix: string | undefined,
  options: RoutesOptions,
  limit: number,
  cursor: string | undefined,
): string {
  const query = new URLSearchParams({ limit: String(limit) });
  if (options.received !== undefined) {
    query.set('view', 'received');
    query.set('peer', options.received);
  } else if (options.advertised !== undefined) {
    query.set('view', 'advertised');
    query.set('peer', options.advertised);
  } else if (options.fib) query.set('view', 'fib');
  // Somebody who names a prefix wants to know of every path to it.
  else query.set('view', prefix !== undefined && !options.best ? 'all' : 'best');
  if (prefix !== undefined) query.set('prefix', prefix);
  if (options.longer) query.set('longer', 'true');
  if (options.why && prefix !== undefined) query.set('explain', 'true');
  if (options.family !== undefined) query.set('family', options.family);
  if (cursor !== undefined) query.set('cursor', cursor);
  return query.toString();
}
