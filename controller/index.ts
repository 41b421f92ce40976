// The door of the controller. What it needs is imported when it runs.
import type { ControllerOptions } from './main.ts';

export type { ControllerOptions } from './main.ts';
export type { DutyLog } from './duty-log.ts';

/** Runs a controller until SIGTERM or SIGINT. Resolves with the exit code: 0 after an orderly stop. */
export async function runController(options: ControllerOptions): Promise<number> {
  const { runController: run } = await import('./main.ts');
  return run(options);
}
