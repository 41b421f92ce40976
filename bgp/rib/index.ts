// The door of the RIB folder.
export type { MalformedAction, MalformedCounts, MalformedUpdate } from './in/malformed.ts';
export type { Doubt, Foreseen, NeighbourForeseen } from './foresight/foreseen.ts';
export type { Foresight } from './foresight/foresight.ts';
export type { PrefixChanges, PrefixCount } from './foresight/prefix-changes.ts';
export type { NextHopFault } from './out/next-hop-faults.ts';
export type { NextHopTracker } from './attributes/next-hops.ts';
export type { Origination } from './in/originated.ts';
export type { Forwarding, ForwardingChange, ForwardingSource, ForwardingView } from './forwarding.ts';
export { fillWeights } from './weights.ts';
export type {
  RibSizes,
  RibView,
  RoutePage,
  RouteQuery,
  RouteText,
} from './show/view.ts';
