// What an operator is told of next hops that a neighbour cannot use, and what he can do. Pure.
import type { Problem } from '#api';
import type { NextHopDoubt, NextHopFault } from '#bgp';
import { familyLabel } from '#ip';

export function nextHopProblem({ id, remote, description, fault }: NextHopDoubt): Problem {
  const place = { object: description ?? `session ${id}`, field: '', severity: 'warning' as const };
  return { ...place, message: `${sentence(fault, remote)}; ${remedy(fault, id)}` };
}

function sentence(fault: NextHopFault, remote: string): string {
  const family = familyLabel(fault.family);
  switch (fault.kind) {
    case 'no address':
      return `${family} routes are not sent to neighbour ${remote}: this node has no ${family} address that could be their next hop`;
    case 'not on the link':
      return `neighbour ${remote} cannot reach the next hop we send with ${family} routes: ${fault.nextHop} is not on link ${fault.device}, and a neighbour one hop away takes only what is`;
    case 'kept, not on the link':
      return `neighbour ${remote} cannot reach a next hop that we pass on with ${family} routes: ${fault.nextHop} is not on link ${fault.device} (${fault.network})`;
  }
}

function remedy(fault: NextHopFault, id: string): string {
  const family = familyLabel(fault.family);
  switch (fault.kind) {
    case 'no address':
      return [...offer(fault), `give the Node an ${family} address, or leave ${family} out of families`].join(
        ', or ',
      );
    case 'not on the link': {
      const give = `give ${fault.device} an ${family} address and reset the session (podroute session ${id} reset)`;
      const far = `where the neighbour has a route to ${fault.nextHop}, multihop: 2 on both sides`;
      return [...offer(fault), give, far].join(', or ');
    }
    case 'kept, not on the link':
      return fault.isRouteServer
        ? 'a route server (role: RouteServer) is for neighbours that share one link: take another role'
        : 'nextHopMode: Auto makes this node the next hop';
  }
}

function offer({ lacksExtendedNextHop }: { readonly lacksExtendedNextHop: boolean }): string[] {
  return lacksExtendedNextHop
    ? ['let the neighbour offer IPv6 next hops for IPv4 routes (RFC 8950, extended next hop)']
    : [];
}
