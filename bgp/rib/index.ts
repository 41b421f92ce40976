// The door of the RIB folder.
export type { MalformedAction, MalformedCounts, MalformedUpdate } from './malformed.ts';
export type { NextHopTracker } from './next-hops.ts';
export type { Origination } from './originated.ts';
export type {
  Forwarding,
  ForwardingChange,
  RibSizes,
  RibView,
  RoutePage,
  RouteQuery,
  RouteText,
} from './view.ts';
export type { Scheduler } from './work-loop.ts';
