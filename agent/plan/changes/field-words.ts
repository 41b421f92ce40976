// Words of a BGPPeer, and what the BGP library calls the same.

export const RESTART_MODES = { Full: 'full', Helper: 'helper', Disabled: 'disabled' } as const;

export const NEXT_HOPS = { Auto: 'auto', Self: 'self', Keep: 'keep' } as const;

export const ADD_PATHS = { Send: 'send', Receive: 'receive', Both: 'both', None: 'none' } as const;

export const LOCAL_AS_RULES = {
  Replace: { prependIn: false, prependOut: false },
  Prepend: { prependIn: false, prependOut: true },
  PrependBoth: { prependIn: true, prependOut: true },
} as const;

export const OVER_LIMIT = { Warn: 'warn', Drop: 'drop' } as const;

export const ROLES = {
  Provider: 'provider',
  Customer: 'customer',
  Peer: 'peer',
  RouteServer: 'rs',
  RouteServerClient: 'rs-client',
} as const;

/** Families of defaultOriginate. */
export const DEFAULT_ROUTES = { None: [], IPv4: ['ipv4'], IPv6: ['ipv6'], Both: ['ipv4', 'ipv6'] } as const;
