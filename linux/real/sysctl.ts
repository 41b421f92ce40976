// Kernel switches below /proc/sys. Those of net/ are of the calling thread's network namespace: use withNetns for
// another one (the calls are synchronous for that reason).
import { readFileSync, writeFileSync } from 'node:fs';
import { KernelError } from '../kernel-error.ts';

/** A container that is not privileged cannot write its own /proc/sys: the host's net/ is mounted somewhere else there. */
const ROOT = process.env['PODROUTE_PROC_SYS'] ?? '/proc/sys';

/** readSysctl('net/ipv4/ip_forward') gives '1'. Throws KernelError, ENOENT when this kernel has no such switch. */
export function readSysctl(name: string): string {
  try {
    return readFileSync(`${ROOT}/${name}`, 'utf8').trim();
  } catch (error) {
    throw new KernelError('read sysctl', name, -((error as NodeJS.ErrnoException).errno ?? 0));
  }
}

export function writeSysctl(name: string, value: string | number): void {
  try {
    writeFileSync(`${ROOT}/${name}`, `${value}`);
  } catch (error) {
    throw new KernelError(
      'write sysctl',
      `${name} = ${value}`,
      -((error as NodeJS.ErrnoException).errno ?? 0),
    );
  }
}
