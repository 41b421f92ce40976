// The process that runs tests with broken sources; scripts/mutate/runner.ts starts it and may kill it, since a broken
// loop need not end. First order: which files are broken and how; then one order a mutant. Tests are loaded once, and
// run by mocha in the same process again and again; sources that were broken when they were loaded (`static`) need a
// process of their own.
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import Mocha from 'mocha';
import { mutate } from './mutants.ts';

export interface Setup {
  readonly files: ReadonlyArray<{ readonly file: string; readonly firstId: number }>;
  readonly tests: readonly string[];
  /** `cover` notes which test passes which mutant, `try` can put one in force. */
  readonly mode: 'cover' | 'try';
  /** In force while the sources are loaded; 0 is none. */
  readonly static: number;
}

/** Run these tests, round by round until one fails, with this mutant in force. */
export interface Order {
  readonly mutant: number;
  readonly rounds: ReadonlyArray<readonly string[]>;
}

export interface TestRecord {
  readonly title: string;
  readonly ms: number;
  /** Of the processor: the same on a busy machine. */
  readonly workMs: number;
  /** Why it cannot be asked; undefined when it passes. */
  readonly trouble: string | undefined;
  readonly hits: readonly number[];
}

export type Reply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'broken on load'; readonly error: string }
  | { readonly kind: 'covered'; readonly tests: readonly TestRecord[]; readonly onLoad: readonly number[] }
  /** `isClean`: what failed passes again without the mutant, so this process may go on. */
  | { readonly kind: 'tried'; readonly killer: string | undefined; readonly isClean: boolean };

interface Switch {
  a: number;
  c(id: number): boolean;
}

const SLOWEST_TEST_MS = 6_000;
let hits = new Set<number>();
const control: Switch = {
  a: 0,
  c: (id) => {
    hits.add(id);
    return false;
  },
};
(globalThis as unknown as { mutant: Switch }).mutant = control;

const reply = (message: Reply): void => void process.send?.(message);

function breakSources(setup: Setup): void {
  const broken = new Map<string, string>();
  for (const { file, firstId } of setup.files) {
    const path = resolve(file);
    const source = mutate(file, readFileSync(path, 'utf8'), firstId).instrument((id) =>
      setup.mode === 'cover' ? `mutant.c(${id})` : `mutant.a===${id}`,
    );
    broken.set(path, stripTypeScriptTypes(source));
  }
  registerHooks({
    load(url, context, next) {
      const source = url.startsWith('file:') ? broken.get(fileURLToPath(url)) : undefined;
      return source === undefined ? next(url, context) : { format: 'module', source, shortCircuit: true };
    },
  });
}

/** Silent; mocha insists on printing somewhere. */
class Silence {}

async function load(setup: Setup): Promise<Mocha> {
  const mocha = new Mocha({
    timeout: SLOWEST_TEST_MS,
    bail: setup.mode === 'try',
    reporter: Silence as unknown as Mocha.ReporterConstructor,
  });
  mocha.cleanReferencesAfterRun(false);
  for (const test of setup.tests) mocha.addFile(resolve(test));
  await mocha.loadFilesAsync();
  return mocha;
}

/** Runs what `isWanted` and returns the title of the first test that failed. */
function run(mocha: Mocha, isWanted: (title: string) => boolean, watch?: (runner: Mocha.Runner) => void) {
  // Mocha asks a pattern about each full title; an object that answers is all it needs.
  mocha.options.grep = { test: isWanted } as unknown as RegExp;
  return new Promise<string | undefined>((done) => {
    let failed: string | undefined;
    const runner = mocha.run(() => done(failed));
    runner.on('fail', (test) => (failed ??= test.fullTitle()));
    watch?.(runner);
  });
}

async function cover(mocha: Mocha): Promise<Reply> {
  const onLoad = [...hits];
  const tests: TestRecord[] = [];
  let began = 0;
  let work = process.cpuUsage();
  await run(
    mocha,
    () => true,
    (runner) => {
      // Of `before each` as well: hits are collected from the end of one test to the end of the next.
      hits = new Set();
      began = performance.now();
      work = process.cpuUsage();
      runner.on('test end', (test) => {
        const trouble = test.state === 'passed' ? undefined : (test.err?.message ?? 'skipped');
        const { user, system } = process.cpuUsage(work);
        const took = { ms: performance.now() - began, workMs: (user + system) / 1000 };
        tests.push({ title: test.fullTitle(), ...took, trouble, hits: [...hits] });
        began = performance.now();
        work = process.cpuUsage();
        hits = new Set();
      });
    },
  );
  return { kind: 'covered', tests, onLoad };
}

async function tryOut(mocha: Mocha, order: Order): Promise<Reply> {
  control.a = order.mutant;
  let killer: string | undefined;
  for (const round of order.rounds) {
    const wanted = new Set(round);
    killer = await run(mocha, (title) => wanted.has(title));
    if (killer !== undefined) break;
  }
  control.a = 0;
  if (killer === undefined) return { kind: 'tried', killer, isClean: true };
  return { kind: 'tried', killer, isClean: (await run(mocha, (title) => title === killer)) === undefined };
}

async function begin(setup: Setup): Promise<void> {
  // The same cases in each run: a survivor must survive tomorrow as well. And what fails is not made smaller.
  fc.configureGlobal({ seed: 1, endOnFailure: true });
  breakSources(setup);
  control.a = setup.static;
  let mocha: Mocha;
  try {
    mocha = await load(setup);
  } catch (error) {
    return reply({ kind: 'broken on load', error: String(error) });
  }
  if (setup.mode === 'cover') return reply(await cover(mocha));
  process.on('message', (order: Order) => void tryOut(mocha, order).then(reply));
  reply({ kind: 'ready' });
}

// What a broken test left behind may throw after its end: the next order shows whether it did harm.
process.on('uncaughtException', () => undefined);
process.on('unhandledRejection', () => undefined);
process.once('disconnect', () => process.exit());
process.once('message', (setup: Setup) => void begin(setup));
