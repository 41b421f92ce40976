// A daemon that is not installed fails the tests in CI, and skips them elsewhere with what to install.
import type { DaemonKind } from './daemon.ts';

export function needsInstalled(context: Mocha.Context, kind: DaemonKind): void {
  const install = kind.missing();
  if (install === undefined) return;
  const message = `${kind.title} is not installed: ${install}`;
  if (process.env['CI'] === 'true') throw new Error(message);
  console.log(`      ${message}`);
  context.skip();
}
