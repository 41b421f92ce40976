// What the agent hears of BFD when its thread dies: the thread itself is the test's. With real threads: test/agent/.
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { type BfdChange, type BfdSessionConfig, unopenedSession } from '#bfd';
import { SILENT } from '../log.ts';
import { type FromWorker, startDetectionThread, type ToWorker } from './detection-thread.ts';

const WANTED: BfdSessionConfig = {
  ...{ id: 'tor', local: '10.0.0.1', remote: '10.0.0.2', hops: 'single', leastTtl: 255 },
  ...{ transmitMicros: 100_000, receiveMicros: 100_000, multiplier: 3 },
};

class ToldWorker extends EventEmitter {
  readonly told: ToWorker[] = [];
  postMessage(message: ToWorker): void {
    this.told.push(message);
    if (message.type === 'end') this.say({ type: 'ended' });
  }
  say(message: FromWorker): void {
    this.emit('message', message);
  }
  ref(): void {}
  unref(): void {}
  async terminate(): Promise<void> {}
}

describe('BFD whose thread dies', () => {
  function start() {
    const worker = new ToldWorker();
    const detection = startDetectionThread(SILENT, () => worker as unknown as Worker);
    const changes: BfdChange[] = [];
    detection.onChange((change) => changes.push(change));
    detection.apply([WANTED]);
    return { worker, detection, changes };
  }

  it('is down by nobody’s failure, so that nobody goes by what it said, and nobody is torn down', async () => {
    const { worker, detection, changes } = start();
    await using _ = detection;
    const change = { id: 'tor', diagnostic: 0, remoteState: 'Up', remoteDiagnostic: 0 } as const;
    worker.say({
      type: 'change',
      version: 1,
      change: { ...change, from: 'Init', to: 'Up', isRemoteIndependent: false, detectionMicros: 300_000 },
      status: { ...unopenedSession('tor', ''), state: 'Up' },
    });
    worker.emit('exit', 1);
    assert.deepEqual(
      changes.map(({ from, to }) => `${from}>${to}`),
      ['Init>Up', 'Up>AdminDown'],
    );
    assert.equal(detection.status('tor')?.state, 'Down');
  });

  it('says so of sessions that were never heard of as well', async () => {
    const { worker, detection, changes } = start();
    await using _ = detection;
    worker.emit('error', new Error('no such file'));
    worker.emit('exit', 1);
    assert.equal(detection.status('tor')?.problem, 'the thread of BFD ended (no such file) and begins again');
    assert.deepEqual(changes, []);
  });
});
