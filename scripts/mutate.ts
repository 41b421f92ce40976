// npm run mutate [-- AREA|PATH…] [--sample N] [--seed S] [--workers N] [--again] [--write] [--list] [--verbose]
// Breaks decisions one at a time and asks the unit tests whether they notice; docs/testing.md says how to read it.
import { parseArgs } from 'node:util';
import { planOf, runArea, type Tried } from './mutate/area-run.ts';
import { areas } from './mutate/areas.ts';
import type { Mutant } from './mutate/mutants.ts';
import { Survivors } from './mutate/survivors.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    again: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const tell = (line: string): void => console.log(line);
const areaNames = (): string =>
  areas([])
    .map(({ name }) => name)
    .join(', ');

/** `count` of them, the same ones for one seed. */
function sampleOf(mutants: readonly Mutant[], count: number, seed: number): Set<Mutant> {
  let state = seed | 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  return new Set(
    mutants
      .map((mutant) => ({ mutant, order: next() }))
      .sort((a, b) => a.order - b.order)
      .slice(0, count)
      .map(({ mutant }) => mutant),
  );
}

if (values.help) {
  tell(
    'npm run mutate [-- AREA|PATH…] [--sample N] [--seed S] [--workers N] [--again] [--write] [--list] [--verbose]',
  );
  tell(`areas: ${areaNames()}; docs/testing.md says what each option is for`);
  process.exit(0);
}
const chosenAreas = areas(positionals);
if (chosenAreas.length === 0) {
  console.error(`no area or file has ${positionals.join(', ')} in its name; areas: ${areaNames()}`);
  process.exit(2);
}
let id = 1;
const plans = chosenAreas.map((area) => {
  const plan = planOf(area, id);
  id += plan.mutants.length;
  return plan;
});
const survivors = new Survivors();
const all = plans.flatMap(({ mutants }) =>
  mutants.filter((mutant) => !values.again || survivors.reason(mutant) !== undefined),
);
const sample =
  values.sample === undefined ? new Set(all) : sampleOf(all, Number(values.sample), Number(values.seed));
if (values.list) {
  for (const { file, line, name } of sample) tell(`${file}:${line}  ${name}`);
  process.exit(0);
}

const failures: string[] = [];
const rows: string[][] = [];
const totals = { mutants: 0, killed: 0, harmless: 0, open: 0 };

function judge(name: string, tried: readonly Tried[]): void {
  const killed = tried.filter(({ outcome }) => outcome.kind === 'killed').length;
  const left = tried.filter(({ outcome }) => outcome.kind !== 'killed');
  const harmless = left.filter(({ mutant }) => /^(?!open)/.test(survivors.reason(mutant) ?? 'open')).length;
  for (const { mutant, outcome } of left) {
    const reason = survivors.reason(mutant);
    if (reason !== undefined) continue;
    failures.push(`${mutant.file}:${mutant.line}: ${outcome.kind}: ${mutant.name}`);
  }
  totals.mutants += tried.length;
  totals.killed += killed;
  totals.harmless += harmless;
  totals.open += left.length - harmless;
  rows.push(rowOf(name, tried.length, killed, harmless, left.length - harmless));
}

const rowOf = (name: string, mutants: number, killed: number, harmless: number, open: number): string[] => [
  name,
  String(mutants),
  String(killed),
  String(harmless),
  String(open),
  `${((100 * killed) / Math.max(1, mutants - harmless)).toFixed(1)} %`,
];

for (const plan of plans) {
  const chosen = plan.mutants.filter((mutant) => sample.has(mutant));
  if (chosen.length === 0) continue;
  tell(`${plan.area.name}: ${chosen.length} mutants`);
  const tried = await runArea(
    plan,
    chosen,
    Number(values.workers),
    tell,
    (line) => values.verbose && tell(line),
  );
  const killed = new Set(
    tried.filter(({ outcome }) => outcome.kind === 'killed').map(({ mutant }) => mutant),
  );
  const { files } = plan.area;
  if (values.write && values.sample === undefined) {
    const isTried = new Set(chosen);
    survivors.write(
      files,
      plan.mutants.filter((mutant) => isTried.has(mutant) && !killed.has(mutant)),
    );
  }
  failures.push(...survivors.outdated(files, plan.mutants, killed));
  judge(plan.area.name, tried);
}
rows.push(rowOf('all', totals.mutants, totals.killed, totals.harmless, totals.open));

tell('');
for (const failure of failures) tell(failure);
tell('\n| area | mutants | killed | survive with a reason | open | score |\n|---|---|---|---|---|---|');
for (const row of rows) tell(`| ${row.join(' | ')} |`);
process.exitCode = failures.length === 0 ? 0 : 1;
