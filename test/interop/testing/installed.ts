// Whether a daemon can run on this machine. One that is not installed fails the tests in CI, and skips them elsewhere
// with what to install.
import { hasOneUser } from '#lab';
import type { DaemonKind } from '../daemons/daemon.ts';

export interface Obstacle {
  readonly text: string;
  /** Else the tests are only skipped. */
  readonly isFailure: boolean;
}

export function obstacle(kind: DaemonKind): Obstacle | undefined {
  const install = kind.missing();
  if (install !== undefined) {
    return {
      text: `${kind.title} is not installed: ${install}`,
      isFailure: process.env['CI'] === 'true',
    };
  }
  if (kind.dropsTo !== undefined && hasOneUser()) {
    const text = `${kind.title} becomes user ${kind.dropsTo}, which this user namespace does not have: run as root`;
    return { text, isFailure: false };
  }
  return undefined;
}
