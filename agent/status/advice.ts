// Why a session is not established, in one line, and what an operator should look at next. Pure: it reads what the
// session remembers. The kind of the newest cause decides, never its text.
import type { PerFamily, SessionPrefixes } from '#agent-api';
import {
  CAUSES,
  type DownCause,
  type PeerConfig,
  type PeerStatus,
  type Refusal,
  type SocketProblem,
} from '#bgp';
import { FAMILIES, familyLabel } from '#ip';
import type { SignatureDrops } from '#linux';
import { causesOf, type Found, newestCause } from './down-causes.ts';
import { probeCommand } from './probe-command.ts';
import { signatureEvidence } from './signature-evidence.ts';

export interface Advice {
  readonly why: string;
  readonly next: string;
  /** Of what decided it. */
  readonly kind?: DownCause['kind'];
}

export interface AdviceContext {
  /** Undefined when the plan no longer has it. */
  readonly config: PeerConfig | undefined;
  /** The object that asked for the session. */
  readonly from: string;
  readonly ownAs: number;
  /** What signed TCP of this node lost in the last minute; undefined: not known. */
  readonly signatures?: SignatureDrops | undefined;
  /** The session's, for commands. */
  readonly id?: string;
  /** The neighbour's address, for commands. */
  readonly remote?: string;
}

const ETHERNET_MTU = 1500;

/** Undefined while the session is established. */
export function whyDown(peer: PeerStatus, about: AdviceContext): Advice | undefined {
  const context = { ...about, id: peer.id, remote: peer.remote };
  if (peer.state === 'Established') return undefined;
  const { heldDown, heldDownBy } = peer;
  if (heldDown !== undefined && heldDownBy !== undefined) {
    const { cause } = heldDownBy;
    return { why: heldDown, next: nextWhenHeld(cause, context), kind: cause.kind };
  }
  if (peer.isBfdAwaited === true)
    return {
      why: 'the neighbour speaks BGP, and its BFD, which is required, is not up',
      next: `is BFD on at the neighbour, with this node's address, and does UDP port 3784 (over routers 4784) come through? On 3784 only what has TTL 255 counts: with a router between both need multihop. See bfd in podroute status ${peer.id}`,
    };
  const found = newestCause(peer);
  if (peer.state === 'OpenSent' && peer.sinceMonotonicMs > (found?.monotonicMs ?? -1)) {
    const silence = 'the neighbour has taken the connection, and nothing of BGP has come from it since';
    const why = found === undefined ? silence : `${silence}; before that: ${found.text}`;
    const next = `if this stays: is that a BGP speaker?${lookAlikes(context)}`;
    return { why, next, ...(found && { kind: found.cause.kind }) };
  }
  const causes = causesOf(peer);
  if (causes.length === 0) {
    if (peer.isPassive)
      return { why: 'the neighbour has not connected yet', next: nextWhenPassive(peer, context) };
    return { why: 'no answer yet', next: 'wait a moment: the first try is still under way' };
  }
  // What somebody wanted is over: the try after it says more.
  const failures = causes.filter(({ cause }) => CAUSES[cause.kind].isFailure);
  const next =
    firstAdvice(failures, context) ??
    (peer.isPassive ? nextWhenPassive(peer, context) : undefined) ??
    firstAdvice(causes, context) ??
    `look at the history, and at ${context.from}`;
  return {
    why: causes.map(({ text }) => text).join('; the newest try: '),
    next,
    kind: causes[0]!.cause.kind,
  };
}

function firstAdvice(causes: readonly Found[], context: AdviceContext): string | undefined {
  for (const { cause } of causes) {
    const next = adviceOn(cause, context);
    if (next !== undefined) return next;
  }
  return undefined;
}

const BY_ITSELF = 'nothing: the session comes back by itself';

/** Undefined when the kind alone says nothing, as for an unknown error code. */
export function adviceOn(cause: DownCause, context: AdviceContext): string | undefined {
  const { from } = context;
  switch (cause.kind) {
    case 'dial failed':
    case 'connection lost':
      return afterSocketProblem(cause.problem, context);
    case 'no answer':
      return afterSocketProblem('no answer', context);
    case 'connection refused':
      return afterRefusal(cause.refusal.kind, context);
    case 'transport refused':
    case 'key refused':
      return nextWhenHeld(cause, context);
    case 'hold timer expired':
      return `nothing was heard from the neighbour for the hold time: look for loss on the link, a busy neighbour, and a path with a smaller MTU than its links${tryMtu(context)}${lookAlikes(context)}`;
    case 'send hold timer expired':
      return `the neighbour takes no bytes: it hangs, or the path has a smaller MTU than its links${tryMtu(context)}`;
    case 'notification received':
      return afterReceived(cause, context);
    case 'notification unreadable':
      return DAMAGED;
    case 'notification sent':
      return afterSent(cause, context);
    case 'prefix limit':
      return `ask why the neighbour sends so many, or raise maxPrefixes of ${from}: a change of it starts the session again`;
    case 'memory limit':
      if (cause.what === 'routes')
        return `ask why the neighbour sends so many, or raise maxPrefixes.limit of ${from}: over it as many again are kept, or 100,000`;
      return cause.what === 'next hops'
        ? 'ask why the neighbour sends routes with so many next hops'
        : `ask why its routes have so many attributes; maxPrefixes.limit of ${from} allows 1 KiB a prefix`;
    case 'internal error':
      return 'a fault of podroute: please report it with the log';
    case 'fsm error':
      return 'the neighbour says what does not belong there: see the history, and tell its vendor';
    case 'link down':
      return 'look at the link: ip link show';
    case 'BFD down':
    case 'BFD restart':
      return 'the neighbour or the way to it failed, or either is too busy for this interval: look at the link and at the neighbour, and at bfd in podroute status';
    case 'too many connections':
    case 'too many half-open':
      return 'nobody finished what they began: look who connects to TCP port 179 of this node';
    case 'peer restarted':
    case 'collision lost':
    case 'shut down':
    case 'reset':
    case 'configuration changed':
    case 'identity changed':
    case 'removed':
    case 'forgotten':
    case 'speaker stopped':
      return BY_ITSELF;
  }
}

function afterRefusal(refusal: Refusal['kind'], { from }: AdviceContext): string | undefined {
  switch (refusal) {
    case 'wrong address':
      return 'the neighbour connects to another address of this node: correct it there, or sourceAddress here';
    case 'unsigned':
      return 'give the neighbour the password; if it has it, it dials again by itself';
    case 'too far':
      return `switch GTSM on at the neighbour, so that it sends TTL 255, or raise ttlSecurity of ${from} by the routers between`;
    case 'transport refused':
      return 'this kernel cannot do what the configuration asks for: see the reason';
    case 'no neighbour':
    case 'range full':
    case 'range shut down':
    case 'not started':
    case 'held down':
    case 'backing off':
      return undefined;
  }
}

function nextWhenHeld(cause: DownCause, context: AdviceContext): string {
  if (cause.kind === 'prefix limit' || cause.kind === 'memory limit') return adviceOn(cause, context)!;
  if (cause.kind === 'key refused') return NEXT_FOR_KEY[cause.problem];
  if (cause.kind === 'shut down' && cause.because === 'operator')
    return `enable it again: podroute session ${context.id ?? 'NAME'} enable`;
  if (cause.kind === 'shut down' && cause.because === 'missing key')
    return 'create the Secret that podroute status names; the session then starts by itself';
  return `change what it says in ${context.from}, or see the problems in podroute status; the session then starts by itself`;
}

const NEXT_FOR_KEY: Readonly<Record<Extract<DownCause, { kind: 'key refused' }>['problem'], string>> = {
  'too long': 'take a shorter password on both sides; the session then starts by itself',
  'no memory':
    'raise net.core.optmem_max (sysctl), or give neighbours of one network one password; the session then starts by itself',
  'shared address': 'give both the same password, or let this node dial (passive: false)',
  other: 'has the agent NET_ADMIN, and does this kernel have TCP MD5 (CONFIG_TCP_MD5SIG)?',
};

function nextWhenPassive(peer: PeerStatus, context: AdviceContext): string {
  const next = `this side never dials: make ${peer.remote} connect to this node, and let TCP port 179 through`;
  return withProof(next, context);
}

const DAMAGED =
  'bytes were damaged on the way, or the other end is not what it seems: look at MTU and middleboxes';

/** What the neighbour told us (RFC 4271 section 4.5, RFC 4486). */
function afterReceived(
  { code, subcode, message }: Extract<DownCause, { kind: 'notification received' }>,
  context: AdviceContext,
): string | undefined {
  switch (code) {
    case 1:
      return DAMAGED;
    case 2:
      return openRefused(subcode, context);
    case 3:
      return 'the neighbour cannot read an UPDATE of this node: send its vendor and us the data of the NOTIFICATION';
    case 4:
      return `the neighbour heard nothing from this node for its hold time: look for loss on the link, a busy node, and a path with a smaller MTU than its links${tryMtu(context)}${lookAlikes(context)}`;
    case 6:
      break;
    default:
      return undefined;
  }
  switch (subcode) {
    case 1:
      return 'this node sends more prefixes than the neighbour takes: raise the limit there, or export less';
    case 2:
      return message === undefined
        ? 'somebody shut the session down at the neighbour: ask who runs it'
        : 'the neighbour was shut down on purpose, with that text: ask who runs it';
    case 3:
      return 'the neighbour no longer has this node in its configuration: put it back there';
    case 5:
      return 'the neighbour refuses connections of this node: is its address and AS configured there?';
    case 4:
    case 6:
    case 7:
      return BY_ITSELF;
    case 8:
      return 'the neighbour is out of memory or sessions: look there';
    case 10:
      return 'the neighbour lost BFD: look at the link';
    default:
      return undefined;
  }
}

function openRefused(subcode: number, { config, ownAs, from }: AdviceContext): string {
  const localAs = config?.localAs ?? ownAs;
  switch (subcode) {
    case 2:
      return `the neighbour expects another AS than ${localAs}: compare its configuration with AS ${localAs} here`;
    case 3:
      return 'two speakers have one router ID: give each node its own (routerID, or the IPv4 address of the node)';
    case 5:
      return 'compare the passwords of both sides';
    case 6:
      return `the neighbour wants a longer hold time: raise holdTime of ${from}`;
    case 7:
    case 8:
      return `the neighbour lacks an address family or a capability: compare families of ${from} with its configuration`;
    case 11:
      return `roles do not fit (RFC 9234): compare role of ${from} with the neighbour's`;
    default:
      return 'the neighbour refuses the OPEN of this node: see what each side offers in podroute status';
  }
}

/** What we told the neighbour: the text names the field, so this says only where to change it. */
function afterSent(
  { code, subcode }: Extract<DownCause, { kind: 'notification sent' }>,
  { from }: AdviceContext,
): string | undefined {
  switch (code) {
    case 1:
      return 'what came is no BGP: is it a router, and is nothing between that changes bytes?';
    case 2:
      if (subcode === 2) return `compare asNumber of ${from} with the AS of the neighbour`;
      if (subcode === 3) return 'two speakers have one router ID: change one of them';
      if (subcode === 6)
        return 'the neighbour wants a shorter hold time than is allowed here: change one of them';
      if (subcode === 7) return `compare families of ${from} with what the neighbour offers`;
      return 'the OPEN of the neighbour is wrong: see what it offers in podroute status';
    case 3:
      return 'the neighbour sends UPDATEs that cannot be read: podroute status has their bytes, for its vendor';
    default:
      return undefined;
  }
}

const ENDS_IT =
  'it takes the connection and ends it: does it have this node’s address, or does it wait after an error (BIRD: up to 5 minutes)?';

const BY_PROBLEM: Readonly<Record<SocketProblem, string | undefined>> = {
  refused: 'the neighbour answers, but not on that port: is BGP on there, and does it know this node?',
  'no answer': 'ping it, and look for a firewall on TCP port 179',
  unreachable: 'this node has no way there: look at ip route get, ip neigh and the link',
  'no local address':
    'the local address is on no link of this node: correct sourceAddress or put the address there',
  forbidden: 'the kernel forbids it: is the link there, and has the agent NET_ADMIN and NET_RAW?',
  reset: ENDS_IT,
  closed: ENDS_IT,
  other: undefined,
};

/** What dropped packets lead to. */
const SILENT: readonly SocketProblem[] = ['no answer', 'reset', 'closed'];

function afterSocketProblem(problem: SocketProblem, context: AdviceContext): string | undefined {
  const next = BY_PROBLEM[problem];
  if (next === undefined || !SILENT.includes(problem)) return next;
  return withProof(next + lookAlikes(context), context);
}

/** Large packets get lost where small ones pass: the session comes up, and its first long UPDATE ends it. */
const tryMtu = ({ remote }: AdviceContext): string =>
  remote === undefined
    ? ' (podroute doctor tries it)'
    : ` (podroute doctor tries it; by hand: ${probeCommand(remote, ETHERNET_MTU)})`;

/** The advice, behind what the kernel's counters prove. */
function withProof(next: string, { config, from, signatures }: AdviceContext): string {
  const proof = signatureEvidence({ hasKey: config?.md5Key !== undefined, drops: signatures, from });
  return proof === undefined ? next : `${proof}; else ${next}`;
}

/** A neighbour that only listens drops what we send and counts it itself. */
function otherPassword(signatures: SignatureDrops | undefined): string {
  const isQuiet = signatures?.wrong === 0 && signatures.unsigned === 0;
  return isQuiet
    ? 'another password (MD5) there, of which nothing has come here in the last minute'
    : 'another password (MD5) there';
}

/** Packets that a rule of ours or of the neighbour drops in the kernel: nobody is told (RFC 2385, RFC 5082). */
function lookAlikes({ config, from, signatures }: AdviceContext): string {
  const rules: string[] = [];
  if (config?.md5Key !== undefined) rules.push(otherPassword(signatures));
  if (config?.ttl.kind === 'gtsm')
    rules.push(`a TTL below 255 from there, which ttlSecurity of ${from} does not let in`);
  if (config?.ttl.kind === 'direct')
    rules.push('GTSM demanded there, as this node sends TTL 1 without ttlSecurity');
  if (config?.ttl.kind === 'multihop' && config.ttl.hops < 255)
    rules.push(`GTSM demanded there, as this node sends TTL ${config.ttl.hops} without ttlSecurity`);
  return rules.length === 0
    ? ''
    : `; ${rules.join(', and ')} look${rules.length === 1 ? 's' : ''} like this too`;
}

/** A neighbour that is over its prefix limit, and whose session goes on (maxPrefixes.action); undefined: none is. */
export function limitHint({ received, dropped, limit }: SessionPrefixes, from: string): string | undefined {
  const over = FAMILIES.filter((family) => limit > 0 && received[family] > limit);
  if (over.length === 0) return undefined;
  const parts = over.map((family) => {
    const unused = dropped[family] > 0 ? `, ${dropped[family]} of them dropped` : '';
    return `${received[family]} ${familyLabel(family)} routes${unused}`;
  });
  return `over the prefix limit of ${limit}: ${parts.join(', ')}. Ask why the neighbour sends so many, or raise maxPrefixes.limit of ${from}`;
}

export interface LoopFacts {
  readonly type: 'ebgp' | 'ibgp' | undefined;
  readonly localAs: number;
  /** Paths refused because of our own AS. */
  readonly ownAsLoops: PerFamily;
  /** Of these, our own routes that come back: many routers send to a neighbour what they have from it. */
  readonly ownReturns: PerFamily;
  /** The object that asked for the session. */
  readonly from: string;
  readonly allowed: number;
  /** The node speaks iBGP too, and so has the other nodes' routes from themselves. */
  readonly hasInternal: boolean;
}

/**
 * Nodes that share one AS behind a router get each other's routes with their own AS in AS_PATH and must refuse them
 * (RFC 4271 §9.1.2). That is right and yet seldom what was wanted: this says what to change.
 *
 * @returns undefined when nothing needs to be said
 */
export function loopHint(facts: LoopFacts): string | undefined {
  const { ownAsLoops, ownReturns } = facts;
  const count = ownAsLoops.ipv4 + ownAsLoops.ipv6 - ownReturns.ipv4 - ownReturns.ipv6;
  if (count <= 0 || facts.type !== 'ebgp' || facts.hasInternal) return undefined;
  const routes = count === 1 ? '1 route is' : `${count} routes are`;
  const next = Math.min(facts.allowed + 1, 255);
  return `${routes} refused: our own AS ${facts.localAs} is in AS_PATH. If they are those of nodes in the same AS: numAllowedLocalASNumbers: ${next} in ${facts.from}, as-override at the neighbour, or an AS of its own for each node`;
}
