// Two OPENs make a session or a refusal: pure. What is malformed by itself the codec has refused already;
// here stands what does not suit this neighbour (RFC 4271 §6.2), and what both sides may use (RFC 5492).
import { AFI_IPV6, afiOf, type Family, formatIpv4 } from '#ip';
import type { PeerConfig, RequiredCapability, Role } from '../../config.ts';
import type { OwnLink } from '../../io.ts';
import {
  ADD_PATH_RECEIVE,
  ADD_PATH_SEND,
  CODE_OPEN,
  NO_CAPABILITIES,
  OPEN_BAD_IDENTIFIER,
  OPEN_BAD_PEER_AS,
  OPEN_ROLE_MISMATCH,
  OPEN_UNACCEPTABLE_HOLD_TIME,
  OPEN_UNSUPPORTED_CAPABILITY,
  encodeCapabilities,
  type Capabilities,
  type OpenMessage,
  SAFI_UNICAST,
  unicastFamily,
} from '../../message/index.ts';
import { ROLE_NUMBERS } from './local-open.ts';
import type { NotificationError } from './fsm-types.ts';

/** What both sides may use, computed from the two OPENs; fixed while the session is up. */
export interface Negotiated {
  readonly families: readonly Family[];
  readonly fourByteAs: boolean;
  readonly extendedMessages: boolean;
  readonly routeRefresh: boolean;
  readonly enhancedRouteRefresh: boolean;
  readonly extendedNextHop: boolean;
  readonly addPathReceive: { readonly ipv4: boolean; readonly ipv6: boolean };
  readonly addPathSend: { readonly ipv4: boolean; readonly ipv6: boolean };
  /** Paths of a prefix that the neighbour asks for at most (draft-abraitis-idr-addpath-paths-limit). */
  readonly pathsLimit?: { readonly ipv4?: number; readonly ipv6?: number };
  /** 0 = neither keepalives nor a hold timer. */
  readonly holdTimeSeconds: number;
  readonly keepaliveTimeSeconds: number;
  readonly remoteAs: number;
  readonly remoteRouterId: string;
  readonly localAs: number;
  readonly localRouterId: string;
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly device?: string;
  /** Of the link that we share with the neighbour, where both are known; for next hops. */
  readonly sharedLink?: OwnLink;
  readonly peerType: 'ebgp' | 'ibgp';
  /** The neighbour knows what long-lived stale routes are (RFC 9494 section 4.3): no other is sent any. */
  readonly takesLongLived: boolean;
  /** Present when both sides sent capability 64. */
  readonly gracefulRestart?: NegotiatedGracefulRestart;
  /** Ours on an eBGP session (RFC 9234); `remoteRole` is absent when the neighbour said none. */
  readonly role?: Role;
  readonly remoteRole?: Role;
}

export interface NegotiatedGracefulRestart {
  /** The neighbour has just restarted (R bit): do not wait for its End-of-RIB (RFC 4724 §4.1). */
  readonly isRemoteRestarting: boolean;
  /** Seconds that the neighbour asks us to keep its routes. */
  readonly remoteRestartSeconds: number;
  /** Families whose forwarding the neighbour can keep; `isForwardingKept` is the F bit. */
  readonly families: readonly { readonly family: Family; readonly isForwardingKept: boolean }[];
  /** Both set the N bit (RFC 8538): NOTIFICATION and hold expiry keep routes too. */
  readonly notification: boolean;
  /** RFC 9494, only when both sides sent capability 71. */
  readonly longLived: readonly {
    readonly family: Family;
    /** As the neighbour asks, and no longer than we do. */
    readonly staleSeconds: number;
    readonly isForwardingKept: boolean;
  }[];
}

export interface NegotiationEnds {
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly device?: string;
  readonly sharedLink?: OwnLink;
}

/** RFC 9234 §4.2: our role and the only one that the neighbour may have. */
const ROLE_PAIRS: Readonly<Record<Role, Role>> = {
  provider: 'customer',
  customer: 'provider',
  rs: 'rs-client',
  'rs-client': 'rs',
  peer: 'peer',
};

/** @param ours as it was sent on this connection */
export function negotiate(
  config: PeerConfig,
  ours: OpenMessage,
  theirs: OpenMessage,
  ends: NegotiationEnds,
): Negotiated | NotificationError {
  const mine = ours.capabilities ?? NO_CAPABILITIES;
  const other = theirs.capabilities ?? NO_CAPABILITIES;
  const families = commonFamilies(mine, other);
  // In the order of RFC 4271 §6.2, then capabilities.
  const refusal =
    refuseAs(config, ours, theirs, other.fourByteAs) ??
    refuseHoldTime(config, theirs) ??
    refuseRouterId(ours, theirs) ??
    refuseRole(config, other) ??
    refuseMissing(config, mine, other) ??
    refuseFamilies(families, mine, other);
  if (refusal !== undefined) return refusal;
  const holdTimeSeconds = Math.min(ours.holdTimeSeconds, theirs.holdTimeSeconds);
  const third = holdTimeSeconds / 3;
  const restart = negotiateRestart(mine, other, families);
  const remoteRole = roleOf(other.role);
  const pathsLimit = pathsLimitOf(other);
  const peerType = theirs.asNumber === ours.asNumber ? 'ibgp' : 'ebgp';
  return {
    families,
    fourByteAs: mine.fourByteAs !== undefined && other.fourByteAs !== undefined,
    extendedMessages: mine.extendedMessages && other.extendedMessages,
    routeRefresh: mine.routeRefresh && other.routeRefresh,
    enhancedRouteRefresh: mine.enhancedRouteRefresh && other.enhancedRouteRefresh,
    extendedNextHop: hasExtendedNextHop(mine) && hasExtendedNextHop(other),
    addPathReceive: addPath(mine, ADD_PATH_RECEIVE, other, ADD_PATH_SEND, families),
    addPathSend: addPath(mine, ADD_PATH_SEND, other, ADD_PATH_RECEIVE, families),
    ...(pathsLimit === undefined ? {} : { pathsLimit }),
    holdTimeSeconds,
    // FSM-2: a third of the hold time, but not more than one a second.
    keepaliveTimeSeconds:
      holdTimeSeconds === 0 ? 0 : Math.max(1, Math.min(third, config.keepaliveTimeSeconds ?? third)),
    remoteAs: theirs.asNumber,
    remoteRouterId: formatIpv4(theirs.routerId),
    localAs: ours.asNumber,
    localRouterId: formatIpv4(ours.routerId),
    localAddress: ends.localAddress,
    remoteAddress: ends.remoteAddress,
    ...(ends.device === undefined ? {} : { device: ends.device }),
    ...(ends.sharedLink === undefined ? {} : { sharedLink: ends.sharedLink }),
    peerType,
    takesLongLived: other.gracefulRestart !== undefined && other.longLived !== undefined,
    ...(restart === undefined ? {} : { gracefulRestart: restart }),
    // RFC 9234 §4.2: our role counts also when the neighbour says none.
    ...(config.role !== undefined && peerType === 'ebgp' ? { role: config.role } : {}),
    ...(remoteRole === undefined ? {} : { remoteRole }),
  };
}

function refuseAs(
  { remoteAs }: PeerConfig,
  ours: OpenMessage,
  theirs: OpenMessage,
  fourByteAs: number | undefined,
): NotificationError | undefined {
  const isOurs = theirs.asNumber === ours.asNumber;
  const [fits, expected] =
    remoteAs === 'internal'
      ? [isOurs, `our own AS ${ours.asNumber}`]
      : remoteAs === 'external'
        ? [!isOurs, `another AS than ours (${ours.asNumber})`]
        : [theirs.asNumber === remoteAs, `AS ${remoteAs}`];
  if (fits) return undefined;
  return openError(
    OPEN_BAD_PEER_AS,
    `the neighbour is in AS ${theirs.asNumber}, expected ${expected}`,
    fourByteAs === undefined ? u16(theirs.asNumber) : u32(theirs.asNumber),
  );
}

function refuseHoldTime(
  { minHoldTimeSeconds: floor }: PeerConfig,
  { holdTimeSeconds: hold }: OpenMessage,
): NotificationError | undefined {
  if (floor === undefined || hold === 0 || hold >= floor) return undefined;
  const reason = `the neighbour's hold time of ${hold} s is below minHoldTimeSeconds ${floor}`;
  return openError(OPEN_UNACCEPTABLE_HOLD_TIME, reason, u16(hold));
}

/** RFC 6286 §2.2: inside one AS identifiers differ; an external neighbour may have ours. */
function refuseRouterId(ours: OpenMessage, theirs: OpenMessage): NotificationError | undefined {
  if (theirs.asNumber !== ours.asNumber || theirs.routerId !== ours.routerId) return undefined;
  const reason = `the neighbour has our own router ID ${formatIpv4(ours.routerId)}; give each speaker its own`;
  return openError(OPEN_BAD_IDENTIFIER, reason, u32(theirs.routerId));
}

function refuseRole(config: PeerConfig, theirs: Capabilities): NotificationError | undefined {
  if (config.role === undefined) return undefined;
  if (theirs.role === undefined) {
    if (config.require?.includes('role') !== true) return undefined;
    return openError(OPEN_ROLE_MISMATCH, 'the neighbour sends no role, and one is required');
  }
  const expected = ROLE_PAIRS[config.role];
  if (ROLE_NUMBERS[expected] === theirs.role) return undefined;
  const remote = roleOf(theirs.role) ?? `role ${theirs.role}`;
  return openError(
    OPEN_ROLE_MISMATCH,
    `the neighbour says it is ${remote}; our role ${config.role} goes only with ${expected}`,
  );
}

/** CAP-7. The data are our own capabilities of that kind (RFC 5492 §3). */
function refuseMissing(
  config: PeerConfig,
  ours: Capabilities,
  theirs: Capabilities,
): NotificationError | undefined {
  for (const required of config.require ?? []) {
    const { name, isIn, part } = REQUIRED[required];
    if (!isIn(theirs)) {
      const data = encodeCapabilities({ ...NO_CAPABILITIES, ...part(ours) });
      return openError(OPEN_UNSUPPORTED_CAPABILITY, `the neighbour lacks ${name}, which is required`, data);
    }
  }
  return undefined;
}

interface Requirement {
  readonly name: string;
  readonly isIn: (caps: Capabilities) => boolean;
  /** Of that kind. */
  readonly part: (caps: Capabilities) => Partial<Capabilities>;
}

const REQUIRED: Readonly<Record<RequiredCapability, Requirement>> = {
  fourByteAs: {
    name: 'four-octet AS',
    isIn: ({ fourByteAs }) => fourByteAs !== undefined,
    part: ({ fourByteAs }) => ({ fourByteAs }),
  },
  routeRefresh: {
    name: 'route refresh',
    isIn: ({ routeRefresh }) => routeRefresh,
    part: ({ routeRefresh }) => ({ routeRefresh }),
  },
  gracefulRestart: {
    name: 'graceful restart',
    isIn: ({ gracefulRestart }) => gracefulRestart !== undefined,
    part: ({ gracefulRestart }) => ({ gracefulRestart }),
  },
  extendedNextHop: {
    name: 'extended next hop',
    isIn: hasExtendedNextHop,
    part: ({ extendedNextHop }) => ({ extendedNextHop }),
  },
  addPaths: {
    name: 'add-path',
    isIn: ({ addPath }) => addPath.length > 0,
    part: ({ addPath }) => ({ addPath }),
  },
  // A missing role is refused before, as a role that does not fit.
  role: { name: 'role', isIn: () => true, part: () => ({}) },
};

/** CAP-6: no family in common; the data are those that we have. */
function refuseFamilies(
  common: readonly Family[],
  ours: Capabilities,
  theirs: Capabilities,
): NotificationError | undefined {
  if (common.length > 0) return undefined;
  const names = (list: readonly Family[]) => (list.length === 0 ? 'none that we know' : list.join(' and '));
  return openError(
    OPEN_UNSUPPORTED_CAPABILITY,
    `no address family in common: ours ${names(familiesOf(ours))}, the neighbour's ${names(familiesOf(theirs))}`,
    encodeCapabilities({ ...NO_CAPABILITIES, multiprotocol: ours.multiprotocol }),
  );
}

/** CAP-5: without any multiprotocol capability it is IPv4 unicast, with one only what it names. */
function familiesOf(caps: Capabilities): Family[] {
  if (caps.multiprotocol.length === 0) return ['ipv4'];
  return caps.multiprotocol.flatMap(({ afi, safi }) => unicastFamily(afi, safi) ?? []);
}

function commonFamilies(ours: Capabilities, theirs: Capabilities): Family[] {
  const other = familiesOf(theirs);
  return familiesOf(ours).filter((family) => other.includes(family));
}

function hasExtendedNextHop(caps: Capabilities): boolean {
  return caps.extendedNextHop.some(
    (tuple) => unicastFamily(tuple.afi, tuple.safi) === 'ipv4' && tuple.nextHopAfi === AFI_IPV6,
  );
}

function addPath(
  ours: Capabilities,
  ourBit: number,
  theirs: Capabilities,
  theirBit: number,
  families: readonly Family[],
): { readonly ipv4: boolean; readonly ipv6: boolean } {
  const has = (caps: Capabilities, bit: number, family: Family): boolean =>
    caps.addPath.some(
      ({ afi, safi, direction }) => afi === afiOf(family) && safi === SAFI_UNICAST && (direction & bit) !== 0,
    );
  const isOn = (family: Family): boolean =>
    families.includes(family) && has(ours, ourBit, family) && has(theirs, theirBit, family);
  return { ipv4: isOn('ipv4'), ipv6: isOn('ipv6') };
}

/** A limit of 0 says nothing. Of several for one family the first counts. */
function pathsLimitOf({ pathsLimit = [] }: Capabilities): Negotiated['pathsLimit'] {
  const limits: { ipv4?: number; ipv6?: number } = {};
  for (const { afi, safi, limit } of pathsLimit) {
    const family = unicastFamily(afi, safi);
    if (family !== undefined && limit > 0) limits[family] ??= limit;
  }
  return Object.keys(limits).length === 0 ? undefined : limits;
}

function negotiateRestart(
  ours: Capabilities,
  theirs: Capabilities,
  families: readonly Family[],
): NegotiatedGracefulRestart | undefined {
  const restart = theirs.gracefulRestart;
  if (ours.gracefulRestart === undefined || restart === undefined) return undefined;
  const agreed = (afi: number, safi: number): Family | undefined =>
    families.find((family) => family === unicastFamily(afi, safi));
  return {
    isRemoteRestarting: restart.restarting,
    remoteRestartSeconds: restart.timeSeconds,
    families: restart.families.flatMap(({ afi, safi, forwarding }) => {
      const family = agreed(afi, safi);
      return family === undefined ? [] : [{ family, isForwardingKept: forwarding }];
    }),
    notification: ours.gracefulRestart.notification && restart.notification,
    longLived:
      ours.longLived === undefined
        ? []
        : (theirs.longLived ?? []).flatMap(({ afi, safi, timeSeconds, forwarding }) => {
            const family = agreed(afi, safi);
            const most =
              ours.longLived?.find((one) => one.afi === afi && one.safi === safi)?.timeSeconds ?? 0;
            const staleSeconds = Math.min(timeSeconds, most);
            return family === undefined ? [] : [{ family, staleSeconds, isForwardingKept: forwarding }];
          }),
  };
}

function roleOf(role: number | undefined): Role | undefined {
  return (Object.keys(ROLE_NUMBERS) as Role[]).find((name) => ROLE_NUMBERS[name] === role);
}

function openError(subcode: number, reason: string, data?: Uint8Array): NotificationError {
  return { code: CODE_OPEN, subcode, reason, ...(data === undefined ? {} : { data }) };
}

function u16(value: number): Uint8Array {
  return Uint8Array.of(value >>> 8, value);
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}
