// What holds for every test file: mocha loads this before them (.mocharc.json).
// - PODROUTE_SEED replays what a failure printed, also for fast-check, which prints its own `seed` and `path`.
// - With CI=true a test that is skipped fails the run, where this process is root: all it needs can be installed then.
import fc from 'fast-check';
import { readFileSync } from 'node:fs';

// A property that fails makes its example smaller for as long as it likes, and lets no timer of mocha's fire meanwhile.
fc.configureGlobal({ interruptAfterTimeLimit: 120_000, markInterruptAsFailure: true });
const seed = process.env['PODROUTE_SEED'];
if (seed !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) });

export const mochaHooks = {
  afterAll(this: Mocha.Context): void {
    const root = this.test?.parent;
    if (root === undefined || process.env['CI'] !== 'true' || !isWholeRoot()) return;
    const titles = skipped(root);
    if (titles.length === 0) return;
    throw new Error(
      `CI=true, this is root, and ${titles.length} tests were skipped:\n  ${titles.join('\n  ')}`,
    );
  },
};

function skipped(suite: Mocha.Suite): string[] {
  const own = suite.tests.filter((test) => test.isPending()).map((test) => test.fullTitle());
  return [...own, ...suite.suites.flatMap(skipped)];
}

/** Root, and not only that of a user namespace with one user. */
function isWholeRoot(): boolean {
  const [, , users] = readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/);
  return process.getuid?.() === 0 && users !== '1';
}
