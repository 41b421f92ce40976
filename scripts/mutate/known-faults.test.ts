// Each known fault, put into the product, is noticed by the test file that is named with it: in a process of its own, two
// at a time. (That the test file is green without it is seen where it runs by itself.)
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { KNOWN_FAULTS, type KnownFault } from './known-faults.ts';

const CHILD = new URL('./fault-child.ts', import.meta.url).pathname;
/** Half the CPU time of such a process is reading the sources: once is enough. */
const COMPILED = { NODE_COMPILE_CACHE: new URL('../../build/compile-cache', import.meta.url).pathname };
const AT_ONCE = 2;
const LIMIT_MS = 30_000;

const run = promisify(execFile);

async function outcomeOf(number: number): Promise<string> {
  const { stdout } = await run(process.execPath, ['--no-warnings', CHILD, String(number)], {
    env: { ...process.env, ...COMPILED },
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  return stdout;
}

describe('a known fault', function () {
  this.timeout(KNOWN_FAULTS.length * LIMIT_MS);
  const outcomes = new Map<KnownFault, Promise<string>>();

  before(() => {
    const waiting = [...KNOWN_FAULTS.entries()];
    const ends = new Map<KnownFault, (outcome: string) => void>();
    for (const known of KNOWN_FAULTS) outcomes.set(known, new Promise((end) => void ends.set(known, end)));
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        ends.get(next[1])!(await outcomeOf(next[0]).catch((error: Error) => `no answer: ${error.message}`));
    };
    for (let i = 0; i < AT_ONCE; i++) void work();
  });

  for (const known of KNOWN_FAULTS) {
    it(`is noticed: ${known.fault}`, async () => {
      const { file, was, test } = known;
      const times = readFileSync(file, 'utf8').split(was).length - 1;
      assert.equal(times, 1, `${file} has it ${times} times, and known-faults.ts wants it once: ${was}`);
      assert.ok(existsSync(test), `${test} is not there`);
      assert.match((await outcomes.get(known)) ?? '', /^red /, `by ${test}`);
    });
  }
});
