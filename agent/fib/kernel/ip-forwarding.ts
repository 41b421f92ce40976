// The kernel must route packets between links, in both families, or pods reach nobody. Checked at start and switched
// on where it is off. IPv6 forwarding makes the kernel ignore router advertisements unless accept_ra is 2: a node that
// has its default route from one would lose it.
import type { Sysctl } from '#linux';
import type { Log } from '../../log.ts';

const FORWARDING = [
  { family: 'IPv4', name: 'net/ipv4/ip_forward' },
  { family: 'IPv6', name: 'net/ipv6/conf/all/forwarding' },
] as const;

/**
 * @param advertised links that have a route of a router advertisement
 * @returns what could not be switched on, as text for the operator; empty when all is well
 */
export function ensureForwarding(sysctl: Sysctl, advertised: readonly string[], log: Log): string[] {
  const troubles: string[] = [];
  for (const { family, name } of FORWARDING) {
    try {
      if (sysctl.read(name) !== '0') continue;
      if (family === 'IPv6') keepRouterAdvertisements(sysctl, advertised, log);
      sysctl.write(name, '1');
      log.info({ sysctl: name }, `${family} forwarding was off: switched on`);
    } catch (error) {
      // A kernel without IPv6 has no such switch, and nothing to forward.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      troubles.push(`${family} forwarding is off and cannot be switched on (${name}): ${String(error)}`);
    }
  }
  for (const trouble of troubles) log.error({}, trouble);
  return troubles;
}

/** @param links that a router advertisement gave a route */
function keepRouterAdvertisements(sysctl: Sysctl, links: readonly string[], log: Log): void {
  for (const link of links) {
    const name = acceptRa(link);
    try {
      if (sysctl.read(name) !== '1') continue;
      sysctl.write(name, '2');
      log.info({ sysctl: name }, 'router advertisements stay accepted while forwarding');
    } catch (error) {
      log.warn({ sysctl: name, error: String(error) }, 'cannot keep router advertisements accepted');
    }
  }
}

/** Pods are no routers: a route that one of them announces would be every pod's. Earlier versions accepted these. */
export function refusePodsAdvertisements(sysctl: Sysctl, podLinks: readonly string[], log: Log): void {
  for (const link of podLinks) {
    const name = acceptRa(link);
    try {
      if (sysctl.read(name) !== '0') sysctl.write(name, '0');
    } catch (error) {
      // The pod went at this moment, or the kernel has no IPv6.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      log.warn({ sysctl: name, error: String(error) }, 'cannot refuse router advertisements of pods');
    }
  }
}

function acceptRa(link: string): string {
  return `net/ipv6/conf/${link}/accept_ra`;
}
