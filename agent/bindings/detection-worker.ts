// The thread beside the agent's that runs BFD (see detection-thread.ts): what is wanted in, changes and status out.
import { parentPort, workerData } from 'node:worker_threads';
import { raiseThreadPriority, udp } from '#linux';
import { systemClock, systemRandom, systemScheduler } from '#world';
import { localDetection } from '../detection/local-detection.ts';
import { type FromWorker, processMs, type ToWorker, type WorkerData } from './detection-thread.ts';

/** How often the status of all sessions is told; one that changes tells its own with the change. */
const STATUS_MS = 1_000;

const port = parentPort!;
const say = (message: FromWorker): void => port.postMessage(message);

/** The agent's clock: that of a thread has a zero of its own. */
const ahead = processMs() - systemClock.now() - (workerData as WorkerData).zeroMs;
const detection = localDetection({
  clock: { ...systemClock, now: () => systemClock.now() + ahead },
  scheduler: systemScheduler,
  random: systemRandom,
  datagrams: udp,
});
let ids: readonly string[] = [];
let version = 0;

function statusOfAll() {
  return ids.flatMap((id) => detection.status(id) ?? []);
}

detection.onChange((change) => {
  const status = detection.status(change.id);
  if (status !== undefined) say({ type: 'change', version, change, status });
});
const telling = setInterval(() => {
  if (ids.length > 0)
    say({ type: 'status', version, statuses: statusOfAll(), unclaimed: detection.unclaimed() });
}, STATUS_MS);

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'apply':
      version = message.version;
      ids = message.wanted.map(({ id }) => id);
      detection.apply(message.wanted);
      return;
    case 'end':
      clearInterval(telling);
      void detection[Symbol.asyncDispose]().then(() => {
        say({ type: 'ended' });
        port.close();
      });
      return;
  }
});
say({ type: 'begun', priority: raiseThreadPriority() });
