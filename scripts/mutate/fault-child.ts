// The process that runs one test file with one known fault in the product: `fault-child.ts NUMBER`. Prints `red TITLE`
// for the first test that fails, `green` when none does, `not loaded: …` when the fault is none that a test could notice.
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import Mocha from 'mocha';
import { KNOWN_FAULTS } from './known-faults.ts';

const { file, was, is, test } = KNOWN_FAULTS[Number(process.argv[2])]!;
const path = resolve(file);
const source = stripTypeScriptTypes(readFileSync(path, 'utf8').replace(was, () => is));
registerHooks({
  load: (url, context, next) =>
    url.startsWith('file:') && fileURLToPath(url) === path
      ? { format: 'module', source, shortCircuit: true }
      : next(url, context),
});

/** Mocha insists on printing somewhere. */
class Silence {}

const mocha = new Mocha({
  bail: true,
  timeout: 10_000,
  reporter: Silence as unknown as Mocha.ReporterConstructor,
});
mocha.addFile(resolve(test));
try {
  await mocha.loadFilesAsync();
} catch (error) {
  process.stdout.write(`not loaded: ${String(error)}`, () => process.exit());
}
let outcome = 'green';
const runner = mocha.run(() => process.stdout.write(outcome, () => process.exit()));
runner.once('fail', (failed) => (outcome = `red ${failed.fullTitle()}`));
