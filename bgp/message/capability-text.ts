// Capabilities as people read them, for status and log.

import { familyOfAfi } from '#ip';
import type { AfiSafi, Capabilities } from './capabilities.ts';
import { hex } from './big-endian.ts';

const ROLES: readonly string[] = ['provider', 'route server', 'route server client', 'customer', 'peer'];
const DIRECTIONS: readonly string[] = ['none', 'receive', 'send', 'both'];
const SAFIS: Readonly<Record<number, string>> = { 1: 'unicast', 2: 'multicast', 4: 'labeled', 128: 'vpn' };

/** One line a capability: 'multiprotocol ipv4 unicast', 'graceful restart 120 s, notification, ipv4 unicast kept'. */
export function describeCapabilities(caps: Capabilities): string[] {
  const lines: string[] = caps.multiprotocol.map((f) => `multiprotocol ${familyName(f)}`);
  if (caps.routeRefresh) lines.push('route refresh');
  if (caps.enhancedRouteRefresh) lines.push('enhanced route refresh');
  if (caps.extendedMessages) lines.push('extended messages');
  for (const tuple of caps.extendedNextHop) {
    lines.push(`extended next hop ${familyName(tuple)} by ${afiName(tuple.nextHopAfi)}`);
  }
  if (caps.role !== undefined) lines.push(`role ${ROLES[caps.role] ?? caps.role}`);
  if (caps.fourByteAs !== undefined) lines.push(`four-octet AS ${caps.fourByteAs}`);
  if (caps.gracefulRestart !== undefined) {
    const { timeSeconds, restarting, notification, families } = caps.gracefulRestart;
    const details = [`graceful restart ${timeSeconds} s`];
    if (restarting) details.push('restarting');
    if (notification) details.push('notification');
    for (const f of families) details.push(f.forwarding ? `${familyName(f)} kept` : familyName(f));
    lines.push(details.join(', '));
  }
  for (const f of caps.longLived ?? []) {
    lines.push(
      `long-lived graceful restart ${familyName(f)} ${f.timeSeconds} s${f.forwarding ? ', kept' : ''}`,
    );
  }
  for (const tuple of caps.addPath) {
    lines.push(`add-path ${familyName(tuple)} ${DIRECTIONS[tuple.direction] ?? tuple.direction}`);
  }
  for (const tuple of caps.pathsLimit ?? []) lines.push(`paths limit ${familyName(tuple)} ${tuple.limit}`);
  if (caps.hostName !== undefined) {
    lines.push(`host name ${caps.hostName}${caps.domainName ? `.${caps.domainName}` : ''}`);
  }
  if (caps.softwareVersion !== undefined) lines.push(`software ${caps.softwareVersion}`);
  for (const { code, value } of caps.unknown) {
    lines.push(`capability ${code}${value.length > 0 ? ` 0x${hex(value, 0, value.length)}` : ''}`);
  }
  return lines;
}

function familyName({ afi, safi }: AfiSafi): string {
  return `${afiName(afi)} ${SAFIS[safi] ?? `SAFI ${safi}`}`;
}

function afiName(afi: number): string {
  return familyOfAfi(afi) ?? `AFI ${afi}`;
}
