// Tries the mutants of one area: first which test passes which mutant, then each mutant against those tests, the quick
// ones first. What is only read while a file is loaded (a table, a limit) is tried in a process of its own.
import { readFileSync } from 'node:fs';
import type { Area } from './areas.ts';
import type { TestRecord } from './child.ts';
import { type Mutant, mutate } from './mutants.ts';
import { type Outcome, Runner } from './runner.ts';

export interface Tried {
  readonly mutant: Mutant;
  readonly outcome: Outcome | { readonly kind: 'not covered' };
}

/** Rounds end after tests that take this long; what is slower than the last is left out. */
const ROUNDS_MS = [5, 40, 300, 1_500];
/** A run may take this many times what its tests took, and this much more. */
const PATIENCE = 3;
const PATIENCE_MS = 2_000;

export interface AreaPlan {
  readonly area: Area;
  readonly mutants: readonly Mutant[];
}

export function planOf(area: Area, firstId: number): AreaPlan {
  let id = firstId;
  const mutants = area.files.flatMap((file) => {
    const found = mutate(file, readFileSync(file, 'utf8'), id).mutants;
    id += found.length;
    return found;
  });
  return { area, mutants };
}

function roundsOf(tests: readonly TestRecord[]): { rounds: string[][]; ms: number } {
  const rounds: string[][] = [];
  let ms = 0;
  ROUNDS_MS.forEach((limit, i) => {
    const here = tests.filter((test) => test.workMs < limit && test.workMs >= (ROUNDS_MS[i - 1] ?? 0));
    ms += here.reduce((sum, test) => sum + test.ms, 0);
    if (here.length > 0) rounds.push(here.map(({ title }) => title));
  });
  return { rounds, ms };
}

export async function runArea(
  { area, mutants }: AreaPlan,
  chosen: readonly Mutant[],
  workers: number,
  tell: (line: string) => void,
  tellMore: (line: string) => void,
): Promise<Tried[]> {
  const files = area.files.map((file) => ({
    file,
    firstId: mutants.find((mutant) => mutant.file === file)?.id ?? 0,
  }));
  const setup = { files, tests: area.tests } as const;
  const began = performance.now();
  using coverage = new Runner({ ...setup, mode: 'cover', static: 0 });
  const covered = await coverage.cover();
  const tests = covered.tests.filter(({ trouble }) => trouble === undefined);
  for (const { title, trouble } of covered.tests)
    if (trouble !== undefined) tell(`  not asked (${trouble.split('\n', 1)[0]}): ${title}`);
  for (const { title, workMs } of tests.filter((test) => test.workMs >= ROUNDS_MS.at(-1)!))
    tell(`  not asked (takes ${Math.round(workMs / 1000)} s): ${title}`);
  tell(`  ${tests.length} tests, ${Math.round((performance.now() - began) / 1000)} s`);

  const passing = new Map<number, TestRecord[]>();
  for (const test of tests) {
    for (const id of test.hits) passing.set(id, [...(passing.get(id) ?? []), test]);
  }
  const onLoad = new Set(covered.onLoad);
  const waiting = [...chosen];
  const tried: Tried[] = [];
  const killers = new RecentKillers();
  const work = async (): Promise<void> => {
    using runner = new Runner({ ...setup, mode: 'try', static: 0 });
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const { id } = mutant;
      const start = performance.now();
      let outcome: Tried['outcome'] = { kind: 'not covered' };
      const passed = passing.get(id);
      if (passed !== undefined) outcome = await tryWith(runner, id, passed, killers);
      if (outcome.kind !== 'killed' && onLoad.has(id)) {
        using fresh = new Runner({ ...setup, mode: 'try', static: id });
        outcome = await tryWith(fresh, id, tests, killers);
      }
      tried.push({ mutant, outcome });
      const by = outcome.kind === 'killed' ? ` by ${outcome.by}` : '';
      const took = `${Math.round(performance.now() - start)} ms`;
      tellMore(`  ${took}: ${mutant.file}:${mutant.line}: ${mutant.name}: ${outcome.kind}${by}`);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return tried;
}

async function tryWith(
  runner: Runner,
  mutant: number,
  tests: readonly TestRecord[],
  killers: RecentKillers,
): Promise<Outcome> {
  const { rounds, ms } = roundsOf(tests);
  const known = new Set(tests.map(({ title }) => title));
  const first = killers.titles.filter((title) => known.has(title));
  const order = { mutant, rounds: [...first.map((title) => [title]), ...rounds] };
  const outcome = await runner.try(order, PATIENCE * ms + PATIENCE_MS);
  if (outcome.kind === 'killed') killers.note(outcome.by);
  return outcome;
}

/** The tests that noticed the mutants before: they stand close, and notice most of the next ones. */
class RecentKillers {
  readonly #most = 5;
  titles: string[] = [];

  note(title: string): void {
    this.titles = [title, ...this.titles.filter((other) => other !== title)].slice(0, this.#most);
  }
}
