// Routes that the scripted neighbour announces to our agent, and what the daemon behind it must then see.
import type { Route } from '../daemons/daemon.ts';
import { canonicalRoute } from '../daemons/daemon.ts';
import { INJECTOR, INJECTOR_AS, OWN, OWN_AS, type SessionType } from './fixture.ts';
import { address, asPath, attribute, hex, prefix, update } from '../../testing/messages.ts';

const PATH_AS = 4_200_000_003;

/** Every attribute that travels: MED, three kinds of communities, an AS_SET, an unknown transitive one. */
export function injectedUpdates(): Buffer[] {
  const shared = [
    attribute(0x80, 4, hex('0000004d')),
    attribute(0xc0, 8, hex('fdf20064 fdf20065')),
    attribute(0xc0, 16, hex('0002fdf200000064')),
    attribute(0xc0, 32, hex('fa56ea03 00000001 00000002')),
    attribute(0xe0, 99, hex('01020304')),
  ];
  const nextHop = attribute(0x40, 3, address(INJECTOR.theirs));
  const reach6 = Buffer.concat([
    hex('0002 01 10'),
    address(INJECTOR.theirs6),
    hex('00'),
    prefix('2001:db8:77::/48'),
  ]);
  return [
    update({
      attributes: Buffer.concat([
        attribute(0x40, 1, hex('02')),
        asPath([INJECTOR_AS, PATH_AS]),
        nextHop,
        ...shared,
      ]),
      nlri: prefix('198.51.100.0/24'),
    }),
    update({
      attributes: Buffer.concat([
        attribute(0x40, 1, hex('00')),
        asPath([INJECTOR_AS, [65020, 65021]]),
        nextHop,
      ]),
      nlri: Buffer.concat([prefix('203.0.113.0/25'), prefix('203.0.113.128/32')]),
    }),
    update({
      attributes: Buffer.concat([
        attribute(0x80, 14, reach6),
        attribute(0x40, 1, hex('01')),
        asPath([INJECTOR_AS, PATH_AS]),
        ...shared,
      ]),
    }),
  ];
}

export function injectedWithdrawals(): Buffer[] {
  const prefixes = ['198.51.100.0/24', '203.0.113.0/25', '203.0.113.128/32'].map(prefix);
  const unreach6 = Buffer.concat([hex('0002 01'), prefix('2001:db8:77::/48')]);
  return [
    update({ withdrawn: Buffer.concat(prefixes) }),
    update({ attributes: attribute(0x80, 15, unreach6) }),
  ];
}

/** As a neighbour of ours sees them: eBGP with our AS in front and without MED, iBGP as they are with LOCAL_PREF. */
export function expectedAtDaemon(type: SessionType): { ipv4: Route[]; ipv6: Route[] } {
  const front = type === 'ebgp' ? `${OWN_AS} ` : '';
  const forIbgp = type === 'ibgp' ? { localPref: 100 } : {};
  const full = {
    ...{ communities: ['65010:100', '65010:101'], largeCommunities: [`${PATH_AS}:1:2`] },
    extendedCommunities: ['rt:65010:100'],
    ...forIbgp,
    ...(type === 'ibgp' ? { med: 77 } : {}),
  };
  const bare = { communities: [], largeCommunities: [], extendedCommunities: [], ...forIbgp };
  const path = `${front}${INJECTOR_AS} ${PATH_AS}`;
  const withSet = `${front}${INJECTOR_AS} {65020 65021}`;
  return {
    ipv4: [
      canonicalOf({
        prefix: '198.51.100.0/24',
        nextHop: OWN.ipv4,
        asPath: path,
        origin: 'incomplete',
        ...full,
      }),
      canonicalOf({ prefix: '203.0.113.0/25', nextHop: OWN.ipv4, asPath: withSet, origin: 'igp', ...bare }),
      canonicalOf({ prefix: '203.0.113.128/32', nextHop: OWN.ipv4, asPath: withSet, origin: 'igp', ...bare }),
    ],
    ipv6: [
      canonicalOf({ prefix: '2001:db8:77::/48', nextHop: OWN.ipv6, asPath: path, origin: 'egp', ...full }),
    ],
  };
}

function canonicalOf(route: Route): Route {
  return canonicalRoute(route as { [K in keyof Route]: Route[K] | undefined });
}

/** Over eBGP LOCAL_PREF is each side's own affair, shown or not: left out of comparisons. */
export function comparable(routes: readonly Route[], type: SessionType): Route[] {
  const own = type === 'ibgp' ? routes : routes.map(({ localPref: _localPref, ...route }) => route);
  return [...own].sort((a, b) => (a.prefix < b.prefix ? -1 : 1));
}
