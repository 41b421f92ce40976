// What a host's kernel has routes to, as `ip route` shows it.
import type { Host } from './hosts.ts';

/** The prefixes of a host's kernel routes that fit `ip route show FILTER…`, both families. */
export function kernelPrefixes(host: Host, ...filter: string[]): string[] {
  return ['-4', '-6'].flatMap((family) =>
    [
      ...host
        .ip(family, 'route', 'show', ...filter)
        .matchAll(/^(?:unreachable )?([0-9a-f][0-9a-f:.]*\/\d+) /gm),
    ].map((match) => match[1] as string),
  );
}

/** Whether the host's kernel has a route to each of the prefixes. */
export function knowsAll(host: Host, prefixes: readonly string[]): boolean {
  const known = new Set(kernelPrefixes(host));
  return prefixes.every((prefix) => known.has(prefix));
}

/** Whether the host's kernel has a route to none of the prefixes. */
export function knowsNone(host: Host, prefixes: readonly string[]): boolean {
  const known = new Set(kernelPrefixes(host));
  return !prefixes.some((prefix) => known.has(prefix));
}
