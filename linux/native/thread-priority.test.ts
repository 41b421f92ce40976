// What a thread is given, as the kernel shows it; and that its own threads have the usual.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { ThreadPriority } from './thread-priority.ts';

const MODULE = new URL('./thread-priority.ts', import.meta.url).href;

/** Field 19 is the niceness, 40 the real-time priority, 41 the policy (proc(5)). */
const SEEN = `(() => {
  const fields = require('node:fs').readFileSync('/proc/thread-self/stat', 'latin1').replace(/.*\\) /, '').split(' ');
  return { nice: +fields[16], priority: +fields[37], policy: +fields[38] };
})()`;

interface Seen {
  readonly nice: number;
  readonly priority: number;
  readonly policy: number;
}

/** In a process of its own, and for a thread that is begun after it. */
function raised(...before: string[]): { got: ThreadPriority; own: Seen; begun: Seen } {
  const code = `
    import(${JSON.stringify(MODULE)}).then(({ raiseThreadPriority }) => {
      const got = raiseThreadPriority();
      const { Worker } = require('node:worker_threads');
      const worker = new Worker("require('node:worker_threads').parentPort.postMessage(" + ${JSON.stringify(SEEN)} + ")", { eval: true });
      worker.on('message', (begun) => console.log(JSON.stringify({ got, own: ${SEEN}, begun })));
    });`;
  const [command, ...args] = [...before, process.execPath, '--no-warnings', '-e', code];
  return JSON.parse(execFileSync(command!, args, { encoding: 'utf8' })) as ReturnType<typeof raised>;
}

const USUAL: Seen = { nice: 0, priority: 0, policy: 0 };

describe('the priority of a thread', () => {
  it('is what the kernel allows, for this thread and none that it begins', () => {
    const { got, own, begun } = raised();
    const expected = {
      'real-time': { nice: 0, priority: 1, policy: 2 },
      nice: { nice: -10, priority: 0, policy: 0 },
      usual: USUAL,
    };
    assert.deepEqual({ got, own, begun }, { got, own: expected[got], begun: USUAL });
  });

  it('is the usual where the process may not raise it, and no error', function () {
    try {
      execFileSync('unshare', ['--user', 'true'], { stdio: 'ignore' });
    } catch {
      console.log('      skipped: needs user namespaces');
      this.skip();
    }
    const { got, own } = raised('unshare', '--user');
    assert.deepEqual({ got, own }, { got: 'usual', own: USUAL });
  });
});
