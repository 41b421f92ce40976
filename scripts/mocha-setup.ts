// What holds for every test file: mocha loads this before them (.mocharc.json).
// - PODROUTE_SEED replays what a failure printed, also for fast-check, which prints its own `seed` and `path`.
// - What an agent would write on a node is written nowhere on this machine: every test gives its agents other folders.
// - With CI=true a test that is skipped fails the run, where this process is root: all it needs can be installed then.
import fc from 'fast-check';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

// A property that fails makes its example smaller for as long as it likes, and lets no timer of mocha's fire meanwhile.
fc.configureGlobal({ interruptAfterTimeLimit: 120_000, markInterruptAsFailure: true });
const seed = process.env['PODROUTE_SEED'];
if (seed !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) });

const OF_A_NODE = ['/etc/cni/net.d', '/var/lib/podroute'];
const filesOfANode = (): string[] =>
  OF_A_NODE.filter((folder) => existsSync(folder)).flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
  );
const before = new Set(filesOfANode());

export const mochaHooks = {
  afterAll(this: Mocha.Context): void {
    const left = filesOfANode().filter((path) => !before.has(path));
    if (left.length > 0) throw new Error(`tests wrote on this machine: ${left.join(', ')}`);
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
