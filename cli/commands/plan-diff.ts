// podroute plan --diff: what applying or deleting the objects of a file would change on this node, by its agent; with --dir or
// --store what of it the objects alone tell.
import { diffOfCluster, diffOffline, type MeantFile, type OfflineDiff } from '#agent';
import type { PlanDiffReply, PrefixesDiff, PrefixesDiffs, SessionDiff } from '#agent-api';
import { formatProblem } from '#api';
import { StorePlaceError } from '#store';
import { ask } from '../client.ts';
import { CommandError, EXIT } from '../exit.ts';
import { readFilesBelow, storeOption } from '../files.ts';
import { doubtful, type OutputFormat, print } from '../output-format.ts';
import { VERSION } from './version.ts';

export interface PlanOptions {
  readonly socket: string;
  readonly output: OutputFormat;
  readonly dir?: string;
  readonly store?: string;
  readonly node?: string;
  readonly diff?: string;
  readonly delete?: true;
}

/** Prefixes that a line names; -o json has up to 1,000. */
const SHOWN = 20;

const EFFECTS = {
  nothing: 'no effect',
  later: 'with the next session',
  live: 'at once',
  soft: 'routes are looked at again',
  reset: 'the session begins anew',
} as const;

export async function showDiff(file: string, options: PlanOptions): Promise<void> {
  const [found] = readFilesBelow([file], 'plan');
  if (found?.file !== file)
    throw new CommandError(`plan: --diff ${file}: expected a file, and it is a folder`, EXIT.wrongUse);
  const { dir, store, node, socket, output } = options;
  const deed = options.delete === true ? 'delete' : 'apply';
  const meant = { file, text: found.text, deed } as const;
  const { reply, problems } =
    node === undefined ? await askAgent(socket, meant) : await withoutAgent(meant, node, dir, store);
  print(reply, output, planDiffText);
  if (output === 'table') for (const problem of problems) process.stderr.write(`${problem}\n`);
  if (problems.length > 0) process.exitCode = EXIT.badNews;
}

interface Answer {
  readonly reply: Omit<PlanDiffReply, 'problems'>;
  /** As they are shown. */
  readonly problems: readonly string[];
}

async function askAgent(socket: string, { file, deed, text }: MeantFile): Promise<Answer> {
  const path = `/v1/plan/diff?file=${encodeURIComponent(file)}${deed === 'delete' ? '&delete' : ''}`;
  const reply = await ask<PlanDiffReply>(socket, path, 'POST', text);
  return { reply, problems: reply.problems.map((problem) => problem.text) };
}

async function withoutAgent(
  meant: MeantFile,
  node: string,
  dir: string | undefined,
  store: string | undefined,
): Promise<Answer> {
  const reply = await offlineDiff(meant, node, dir, store);
  return { reply, problems: reply.problems.map(formatProblem) };
}

async function offlineDiff(
  meant: MeantFile,
  node: string,
  dir: string | undefined,
  store: string | undefined,
): Promise<OfflineDiff> {
  const place = store === undefined ? undefined : storeOption('plan', store);
  try {
    if (place?.kind === 'cluster') return await diffOfCluster(place, meant, node, VERSION);
    return await diffOffline(readFilesBelow([place?.folder ?? dir ?? ''], 'plan'), meant, node);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    const isWrongUse = error instanceof RangeError || error instanceof StorePlaceError;
    throw new CommandError(
      `plan: ${(error as Error).message}`,
      isWrongUse ? EXIT.wrongUse : EXIT.agentUnreachable,
    );
  }
}

function planDiffText(reply: Omit<PlanDiffReply, 'problems'>): string {
  const { settings, sessions, originated, withdrawn, best, objects, notes } = reply;
  const lines = [
    ...settings.map(({ setting, from, to }) => `this node: ${setting}: ${from} -> ${to}`),
    ...sessions.flatMap(sessionLines),
    ...originated.map((prefix) => `announce ${prefix}`),
    ...withdrawn.map((prefix) => `withdraw ${prefix}`),
    ...(best === undefined ? [] : bestLines(best)),
  ];
  return [
    lines.length === 0
      ? `${objects.join(', ')}: no session, route or setting would change on this node`
      : lines.join('\n'),
    ...notes.map((note) => doubtful(`not foreseen: ${note}`)),
  ].join('\n');
}

function sessionLines({ id, remote, from, what, why, changes, accepted, sent }: SessionDiff): string[] {
  return [
    `session ${id} (${remote}, ${from}): ${what}${why === undefined ? '' : `: ${why}`}`,
    ...changes.map(({ setting, effect, from: now, to }) => {
      const values = now === undefined ? '' : `${now} -> ${to}: `;
      return `  ${setting}: ${values}${EFFECTS[effect]}`;
    }),
    ...(accepted === undefined
      ? []
      : [
          ...prefixLine('  + ', 'of its routes used then', accepted.appear),
          ...prefixLine('  - ', 'of its routes used no more', accepted.vanish),
          ...prefixLine('  ~ ', 'of its routes used with other attributes', accepted.change),
        ]),
    ...(sent === undefined
      ? []
      : [
          ...prefixLine('  + ', 'sent then', sent.appear),
          ...prefixLine('  - ', 'withdrawn', sent.vanish),
          ...prefixLine('  ~ ', 'sent with other attributes', sent.change),
        ]),
  ];
}

/** Where packets go from here. */
function bestLines({ appear, vanish, change }: PrefixesDiffs): string[] {
  return [
    ...prefixLine('+ ', 'reached from here then', appear),
    ...prefixLine('- ', 'reached from here no more', vanish),
    ...prefixLine('~ ', 'reached from here by another path', change),
  ];
}

function prefixLine(sign: string, what: string, { count, first }: PrefixesDiff): string[] {
  if (count === 0) return [];
  const more = count > SHOWN ? ` and ${count - SHOWN} more` : '';
  return [`${sign}${count} ${what}: ${first.slice(0, SHOWN).join(', ')}${more}`];
}
