// Kernel switches below /proc/sys, of the calling thread's network namespace.

/** readSysctl('net/ipv4/ip_forward') → '1' */
export function readSysctl(name: string): string {
  throw new Error(`not yet: ${name}`);
}
export function writeSysctl(name: string, value: string | number): void {
  throw new Error(`not yet: ${name} ${value}`);
}
/** Lets this host route packets between its links, both families. */
export function enableForwarding(): void {
  throw new Error('not yet');
}
