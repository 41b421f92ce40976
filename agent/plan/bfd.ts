// How BFD shall watch the neighbour of one session: the profile, and what of it follows from the BGP session. What cannot
// be had leaves a session without BFD, or down where BFD is required: never up with less than was asked for. Pure.
import {
  bfdKey,
  type BfdOfSession,
  bfdProfileProblems,
  DEFAULT_BFD,
  missingProfile,
  nothingRefused,
  type Problem,
} from '#api';
import type { PeerConfig, PeerRemote, TtlRule } from '#bgp';
import { contains, hostPrefix, parsePrefix } from '#ip';
import type { HostNetwork, PlanInput, PlannedBfd } from './types.ts';

const MICROS = 1e6;
/** Of a packet that no router has passed on: all are sent with it (RFC 5881 section 5, RFC 5883 section 5). */
const FULL_TTL = 255;

/** Of a session what it says of BFD, and of how far its neighbour is. */
interface BfdWish {
  /** 'BGPPeer tor-a' */
  readonly object: string;
  /** 'spec.bfd' */
  readonly bfdField: string;
  readonly spec: {
    readonly bfd?: BfdOfSession | undefined;
    readonly multihop?: number | undefined;
    /** Nobody wrote `multihop`. */
    readonly isMultihopImplied?: true;
  };
  readonly remote: PeerRemote;
  /** Of the neighbour, when it is a node of the cluster. */
  readonly remoteNode?: { readonly name: string };
}

interface BfdContext {
  readonly self: { readonly name: string };
  readonly input: PlanInput;
}

interface SessionBfd {
  readonly bfd?: PlannedBfd;
  /** BFD is required and not to be had. */
  readonly shutdown?: NonNullable<PeerConfig['shutdown']>;
  readonly problems: readonly Problem[];
}

export function sessionBfd(wish: BfdWish, ttl: TtlRule, context: BfdContext): SessionBfd {
  const { object, bfdField: field, remote } = wish;
  const { bfd } = wish.spec;
  if (bfd === undefined) return { problems: [] };
  const { resources, refused = nothingRefused } = context.input;
  const { bfdProfiles, secrets } = resources;
  const missing = missingProfile(bfd, { object, field }, bfdProfiles, refused);
  if (missing !== undefined) return without(bfd.required, `BFDProfile ${bfd.profile}`, [missing]);
  const profile = bfd.profile === undefined ? undefined : bfdProfiles.get(bfd.profile);
  const spec = profile?.spec ?? DEFAULT_BFD;
  const problems = profile === undefined ? [] : bfdProfileProblems(profile, secrets, refused.objects);
  const key = profile && bfdKey(profile, secrets, refused.objects);
  if (spec.authentication !== undefined && key === undefined)
    return without(bfd.required, `the key of BFDProfile ${bfd.profile}`, problems);
  const isOnLink = remote.kind === 'address' && remote.device !== undefined;
  if (isOnLink && bfd.multihop === true) {
    const message = 'has no effect: a link-local neighbour is one hop away';
    problems.push({ object, field: `${field}.multihop`, value: true, message, severity: 'warning' });
  }
  const isMulti = !isOnLink && (bfd.multihop ?? isFarAway(wish, ttl, context));
  return {
    problems,
    bfd: {
      profile: bfd.profile === undefined ? 'defaults' : `BFDProfile ${bfd.profile}`,
      transmitMicros: Math.round(spec.transmitInterval * MICROS),
      receiveMicros: Math.round(spec.receiveInterval * MICROS),
      multiplier: spec.detectMultiplier,
      hops: isMulti ? 'multi' : 'single',
      leastTtl: isMulti ? (spec.minimumTTL ?? leastTtl(ttl)) : FULL_TTL,
      ...(spec.passive && !speaksFirst(wish, context) && { isPassive: true }),
      ...(spec.authentication !== undefined &&
        key !== undefined && {
          authentication: { type: spec.authentication.type, keyId: spec.authentication.keyID, key },
        }),
      ...(bfd.required && { isRequired: true }),
      ...(bfd.onFailure === 'Restart' && { isGraceful: true }),
    },
  };
}

/** The neighbour hears the text (RFC 9003). */
function without(isRequired: boolean, what: string, problems: readonly Problem[]): SessionBfd {
  if (!isRequired) return { problems };
  // A name may be as long as the text may be.
  const message = `BFD is required, and ${what.slice(0, 80)} is not to be had`;
  return { problems, shutdown: { message } };
}

/**
 * Both sides must come to the same, so it is what BGP is told wherever that says it. It does not inside one AS: two nodes
 * take the way over several hops, which one hop is too, because what one of them knows of its networks the other may not.
 */
function isFarAway({ spec, remote, remoteNode }: BfdWish, ttl: TtlRule, { input }: BfdContext) {
  if (ttl.kind === 'direct') return false;
  if (ttl.kind === 'gtsm' || (spec.multihop !== undefined && !spec.isMultihopImplied)) return ttl.hops > 1;
  return remoteNode !== undefined || !isConnected(remote, input.hostNetworks ?? []);
}

function isConnected(remote: PeerRemote, networks: readonly HostNetwork[]): boolean {
  const place = parsePrefix(remote.kind === 'range' ? remote.prefix : hostPrefix(remote.address))!;
  return networks.some(({ prefix }) => contains(parsePrefix(prefix)!, place));
}

/** As many routers as BGP lets the neighbour be away: each takes one. */
const leastTtl = (ttl: TtlRule): number =>
  ttl.kind === 'direct' ? FULL_TTL : Math.max(1, FULL_TTL + 1 - ttl.hops);

/** Of two nodes with one profile both would wait (RFC 5880 section 6.1: at least one is active). */
const speaksFirst = ({ remoteNode }: BfdWish, { self }: BfdContext): boolean =>
  remoteNode !== undefined && self.name < remoteNode.name;
