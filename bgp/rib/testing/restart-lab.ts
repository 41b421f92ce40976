// A neighbour that may restart (RFC 4724, RFC 9494), three others, and the routes that it has sent: for tests of what is kept.
import type { RouteRetention } from '../../session/index.ts';
import type { WireAttributes } from '../../testing/message-bytes.ts';
import type { FakePeerOptions } from './fake-session.ts';
import { RibLab } from './rib-lab.ts';

export const A = '20.0.1.0/24';
export const B = '20.0.2.0/24';
export const C = '20.0.3.0/24';
export const SIX = 'fd00:1::/32';
export const OWN = { address: '10.0.1.1', as: 65001 };
export const END_OF_RIB = Buffer.from(`${'ff'.repeat(16)}00170200000000`, 'hex');
export const FULL = { mode: 'full', restartSeconds: 120, longLivedSeconds: 0 } as const;

export type Restart = NonNullable<NonNullable<FakePeerOptions['negotiated']>['gracefulRestart']>;

export function giver(more: Partial<FakePeerOptions> = {}, restart: Partial<Restart> = {}): FakePeerOptions {
  const gracefulRestart: Restart = {
    isRemoteRestarting: true,
    remoteRestartSeconds: 120,
    families: [
      { family: 'ipv4', isForwardingKept: true },
      { family: 'ipv6', isForwardingKept: true },
    ],
    notification: true,
    longLived: [],
    ...restart,
  };
  const { negotiated, config, ...rest } = more;
  return {
    id: 'giver',
    ...OWN,
    ...rest,
    config: { gracefulRestart: FULL, ...config },
    negotiated: { gracefulRestart, ...negotiated },
  };
}
export const TAKER: FakePeerOptions = { id: 'taker', address: '10.0.1.2', as: 65002 };
export const OTHER: FakePeerOptions = { id: 'other', address: '10.0.1.3', as: 65003 };
export const HEIR: FakePeerOptions = {
  id: 'heir',
  address: '10.0.1.4',
  as: 65004,
  negotiated: { takesLongLived: true },
};

export const route = (more: Partial<WireAttributes> = {}): WireAttributes => ({
  path: [65001],
  nextHop: '10.0.1.1',
  ...more,
});
export const SIX_ROUTE: WireAttributes = { path: [65001], nextHop: 'fd00::9' };

export const kept = (restartSeconds = 120, longLivedSeconds = 0): RouteRetention => ({
  restartSeconds,
  families: [
    { family: 'ipv4', longLivedSeconds },
    { family: 'ipv6', longLivedSeconds },
  ],
});

/** The giver has sent A, B, C and SIX, and its End-of-RIB. */
export function lab(options = giver(), grain?: number): RibLab {
  const one = new RibLab(undefined, grain);
  for (const peer of [options, TAKER, OTHER, HEIR]) one.up(peer);
  one.announce('giver', [A, B, C], route());
  one.announce('giver', [SIX], SIX_ROUTE);
  one.feed('giver', END_OF_RIB);
  one.settle();
  return one;
}

export function leaves(one: RibLab, how: RouteRetention | undefined = kept()): void {
  one.down('giver', how);
  one.settle();
}

export function returns(one: RibLab, options = giver()): void {
  one.up(options);
  one.settle();
}

export const heldBy = (one: RibLab, id: string): string[] => [...one.session(id).held.keys()].sort();
export const wait = (one: RibLab, seconds: number): void => {
  one.clock.advance(seconds * 1000);
  one.settle();
};
