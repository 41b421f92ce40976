// Whether a daemon can run on this machine. One that is not installed fails the tests in CI, and skips them elsewhere
// with what to install.
import { readFileSync } from 'node:fs';
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

/** In a user namespace that an ordinary user made (scripts/as-root.sh) there is only root. */
function hasOneUser(): boolean {
  const [, , count] = readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/);
  return count === '1';
}
