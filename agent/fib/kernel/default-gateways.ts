// Where the host's default routes lead: a neighbour that a BGPPeer may name as peerFrom.defaultGateway. Pure.
import type { DefaultGateways, Gateway } from '../../plan/index.ts';
import { type FamilyIndex, WIDTHS } from '../octets.ts';
import type { KernelFacts } from '../resolve.ts';

export function defaultGateways(facts: KernelFacts): DefaultGateways {
  const ipv4 = gatewayOf(0, '0.0.0.0/0', facts);
  const ipv6 = gatewayOf(1, '::/0', facts);
  return { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) };
}

function gatewayOf(
  family: FamilyIndex,
  destination: string,
  { foreign, links }: KernelFacts,
): Gateway | undefined {
  for (const route of foreign.match(family, new Uint8Array(WIDTHS[family]))) {
    if (route.destination !== destination || route.type !== 'unicast') continue;
    for (const { gateway, deviceIndex } of route.nextHops) {
      const device = deviceIndex === undefined ? undefined : links.get(deviceIndex)?.name;
      if (gateway !== undefined && device !== undefined) return { address: gateway, device };
    }
  }
  return undefined;
}
