// BFD in a thread of its own as the agent begins it, in another network namespace, and with the thread in the test's hands.
import { Worker } from 'node:worker_threads';
import { withNetns } from '#linux';
import { startDetectionThread } from '../bindings/detection-thread.ts';
import type { Detection } from '../detection/detection.ts';
import { SILENT } from '../log.ts';

export interface DetectionThread {
  readonly detection: Detection;
  /** The one that runs is the last. */
  readonly workers: readonly Worker[];
  /** Errors of the log. */
  readonly said: readonly string[];
}

/** @param netns its path */
export function detectionThreadIn(netns: string): DetectionThread {
  const workers: Worker[] = [];
  const said: string[] = [];
  const log = { ...SILENT, error: (_: object, message: string) => void said.push(message) };
  const detection = startDetectionThread(log, (file, options) => {
    const worker = withNetns(netns, () => new Worker(file, options));
    workers.push(worker);
    return worker;
  });
  return { detection, workers, said };
}
