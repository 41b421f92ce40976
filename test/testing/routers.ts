// The routers that tests and the bench run beside ours: whether they are installed, and which version.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { FRR_FOLDER } from '#lab';

export interface Installed {
  /** Undefined when it can run, else the command that installs it. */
  missing(): string | undefined;
  version(): string;
}

function installed(
  executable: string,
  debianPackage: string,
  versionCommand: readonly string[],
  pattern: RegExp,
): Installed {
  return {
    missing: () => (existsSync(executable) ? undefined : `apt-get install ${debianPackage}`),
    version: () => versionFrom(versionCommand, pattern),
  };
}

export const BIRD = installed('/usr/sbin/bird', 'bird2', ['bird', '--version'], /version (\S+)/);
export const FRR = installed(
  `${FRR_FOLDER}/bgpd`,
  'frr',
  [`${FRR_FOLDER}/bgpd`, '--version'],
  /version (\S+)/,
);
export const GOBGP = installed('/usr/bin/gobgpd', 'gobgpd', ['gobgpd', '--version'], /version (\S+)/);
export const OPENBGPD = installed(
  '/usr/sbin/bgpctl',
  'openbgpd',
  ['dpkg-query', '-W', 'openbgpd'],
  /\s(\S+)-/,
);
export const EXABGP = installed('/usr/sbin/exabgp', 'exabgp', ['dpkg-query', '-W', 'exabgp'], /\s(\S+)-/);

/** First match of `pattern` in what the command prints (stdout and stderr), or 'unknown'. */
export function versionFrom(command: readonly string[], pattern: RegExp): string {
  const result = spawnSync(command[0] as string, command.slice(1), { encoding: 'utf8' });
  return pattern.exec(`${result.stdout}${result.stderr}`)?.[1] ?? 'unknown';
}
