// Hostile neighbours for tests: each floods from a thread of its own.
import { resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { asOf, type SpeakerUnderFire } from './speaker-under-fire.ts';

export interface Attack {
  readonly port: number;
  readonly host: number;
  readonly asNumber: number;
  readonly kind: 'keepalive' | 'refresh' | 'update' | 'attributes' | 'bulk' | 'marks' | 'malformed';
}

export interface Flood {
  isClosed: boolean;
  /** Ends it; what it sent. */
  stop(): Promise<{ readonly sent: number; readonly bytes: number }>;
}

/** Resolves once the session is established and the flood has begun. */
export function flood(speaker: SpeakerUnderFire, host: number, kind: Attack['kind']): Promise<Flood> {
  const workerData: Attack = { port: speaker.port, host, asNumber: asOf(host), kind };
  const worker = new Worker(resolve(import.meta.dirname, 'attacker.ts'), { workerData });
  return new Promise((done, fail) => {
    const handle: Flood = {
      isClosed: false,
      stop: () =>
        new Promise((end) => {
          worker.on('message', (told) => {
            if (typeof told === 'object') worker.once('exit', () => end(told));
          });
          worker.postMessage('stop');
        }),
    };
    worker.on('error', fail);
    worker.on('message', (told) => {
      if (told === 'established') done(handle);
      if (told === 'closed') handle.isClosed = true;
    });
  });
}
