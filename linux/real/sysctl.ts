// Kernel switches below /proc/sys. Those of net/ are of the calling thread's network namespace: use withNetns for
// another one (the calls are synchronous for that reason).
import { readFileSync, writeFileSync } from 'node:fs';
import { KernelError } from '../kernel-error.ts';

/** readSysctl('net/ipv4/ip_forward') gives '1'. Throws KernelError, ENOENT when this kernel has no such switch. */
export function readSysctl(name: string): string {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
  } catch (error) {
    throw new KernelError('read sysctl', name, -((error as NodeJS.ErrnoException).errno ?? 0));
  }
}

export function writeSysctl(name: string, value: string | number): void {
  try {
    writeFileSync(`/proc/sys/${name}`, `${value}`);
  } catch (error) {
    throw new KernelError(
      'write sysctl',
      `${name} = ${value}`,
      -((error as NodeJS.ErrnoException).errno ?? 0),
    );
  }
}
