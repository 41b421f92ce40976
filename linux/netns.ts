// Network namespaces: named ones below /run/netns as `ip netns` makes them, and any by path.

/** '/run/netns/NAME' */
export function netnsPath(name: string): string {
  return `/run/netns/${name}`;
}
export function createNetns(name: string): string {
  throw new Error(`not yet: create ${name}`);
}
export function deleteNetns(name: string): void {
  throw new Error(`not yet: delete ${name}`);
}
export function listNetns(): string[] {
  throw new Error('not yet');
}
/** Runs a synchronous function with this thread in the namespace. */
export function withNetns<T>(path: string | { pid: number }, run: () => T): T {
  throw new Error(`not yet: ${String(path)} ${String(run)}`);
}
