// Which kernel routes are the FIB's. Routes of podroute carry protocol 179; among them
//   - `unreachable` ones hold a block of this node                         → the FIB's
//   - unicast ones whose every next hop has a gateway were learned by BGP  → the FIB's
//   - unicast ones without a gateway lead to a pod on this node (its veth) → the CNI server's, never touched here
// Routes of any other protocol belong to somebody else: they are read to resolve next hops, never changed.
import type { Route } from '#linux';

/** True when the FIB made the route (in this run or an earlier one) and may change or delete it. */
export function isFibRoute(route: Route, table: number, protocol: number): boolean {
  if (route.protocol !== protocol || route.table !== table) return false;
  if (route.type === 'unreachable') return true;
  return (
    route.type === 'unicast' &&
    route.nextHops.length > 0 &&
    route.nextHops.every((hop) => hop.gateway !== undefined)
  );
}

/** True for what may resolve next hops: everything that podroute did not make. Pod routes lead to pods, not routers. */
export function isForeignRoute(route: Route, protocol: number): boolean {
  return route.protocol !== protocol;
}
