// The door of the RIB folder.
export type {
  FamilyIndex,
  Forwarding,
  ForwardingChange,
  RibSizes,
  RibView,
  RoutePage,
  RouteQuery,
  RouteText,
} from './view.ts';
