// Why a session is not established, in one line, and what an operator should look at next. Pure: it reads what the
// session remembers. The newest event decides; a NOTIFICATION of the same moment says what kind it was.
import type { NotificationRecord, PeerConfig, PeerStatus, SessionState, StateTransition } from '#bgp';

export interface Advice {
  readonly why: string;
  readonly next: string;
}

export interface AdviceContext {
  /** Undefined when the plan no longer has it. */
  readonly config: PeerConfig | undefined;
  /** The object that asked for the session. */
  readonly from: string;
  readonly ownAs: number;
}

/** A NOTIFICATION and the error that it made are recorded in one go. */
export const SAME_MOMENT_MS = 50;

/** RFC 4271 section 8.2.2, as far as a session has come. */
const ORDER: readonly SessionState[] = [
  'Idle',
  'Active',
  'Connect',
  'OpenSent',
  'OpenConfirm',
  'Established',
];

/** Undefined while the session is established. */
export function whyDown(peer: PeerStatus, context: AdviceContext): Advice | undefined {
  if (peer.state === 'Established') return undefined;
  if (peer.heldDown !== undefined) return { why: peer.heldDown, next: nextWhenHeld(peer.heldDown, context) };
  const cause = causeOf(peer);
  if (peer.state === 'OpenSent' && peer.sinceMs > (cause?.atMs ?? -1)) {
    const silence = 'the neighbour has taken the connection, and nothing of BGP has come from it since';
    const why = cause === undefined ? silence : `${silence}; before that: ${cause.text}`;
    return { why, next: `if this stays: is that a BGP speaker?${lookAlikes(context)}` };
  }
  const newestTry = newestFailedTry(peer);
  if (cause === undefined && newestTry === undefined) {
    if (peer.isPassive) return { why: 'the neighbour has not connected yet', next: nextWhenPassive(peer) };
    return { why: 'no answer yet', next: 'wait a moment: the first try is still under way' };
  }
  const isOther = newestTry !== undefined && newestTry.atMs - (cause?.atMs ?? 0) > SAME_MOMENT_MS;
  const texts = [...(cause === undefined ? [] : [cause.text]), ...(isOther ? [newestTry.reason] : [])];
  const next =
    (cause && nextAfterCause(cause, peer, context)) ??
    texts.map((text) => nextAfterText(text, context)).find((found) => found !== undefined) ??
    (peer.isPassive ? nextWhenPassive(peer) : `look at the history, and at ${context.from}`);
  return { why: texts.join('; the newest try: '), next };
}

interface Cause {
  readonly atMs: number;
  readonly text: string;
}

/** The newest error or loss of a session. */
function causeOf({ lastError, lastLost }: PeerStatus): Cause | undefined {
  if (lastLost === undefined || (lastError !== undefined && lastError.atMs >= lastLost.atMs))
    return lastError;
  return { atMs: lastLost.atMs, text: lastLost.reason };
}

/** The newest step back, such as OpenSent -> Active. */
function newestFailedTry(peer: PeerStatus): StateTransition | undefined {
  return peer.history.findLast(({ from, to }) => ORDER.indexOf(to) < ORDER.indexOf(from));
}

function nextAfterCause(cause: Cause, peer: PeerStatus, context: AdviceContext): string | undefined {
  const isOf = (record: NotificationRecord | undefined): record is NotificationRecord =>
    record !== undefined && Math.abs(record.atMs - cause.atMs) <= SAME_MOMENT_MS;
  const { lastNotificationIn: received, lastNotificationOut: sent } = peer;
  return (
    (isOf(received) ? nextAfterReceived(received, context) : undefined) ??
    (isOf(sent) ? nextAfterSent(sent, context) : undefined)
  );
}

function nextWhenHeld(text: string, { from }: AdviceContext): string {
  if (text.includes('prefix')) {
    return `ask why the neighbour sends so many, or raise maxPrefixes of ${from}: a change of it starts the session again`;
  }
  if (text.includes('password'))
    return 'create the Secret that podroute status names; the session then starts by itself';
  return `change what it says in ${from}, or see the problems in podroute status; the session then starts by itself`;
}

function nextWhenPassive(peer: PeerStatus): string {
  return `this side never dials: make ${peer.remote} connect to this node, and let TCP port 179 through`;
}

/** What the neighbour told us (RFC 4271 section 4.5, RFC 4486). */
function nextAfterReceived(record: NotificationRecord, context: AdviceContext): string | undefined {
  const { code, subcode, message } = record;
  switch (code) {
    case 1:
      return 'bytes were damaged on the way, or the other end is not what it seems: look at MTU and middleboxes';
    case 2:
      return openRefused(subcode, context);
    case 3:
      return 'the neighbour cannot read an UPDATE of this node: send its vendor and us the data of the NOTIFICATION';
    case 4:
      return `the neighbour heard nothing from this node for its hold time: look for loss on the link and a busy node${lookAlikes(context)}`;
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
      return 'nothing: the session comes back by itself';
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
function nextAfterSent(record: NotificationRecord, context: AdviceContext): string | undefined {
  const { code, subcode } = record;
  const { from } = context;
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
    case 4:
      return `nothing was heard from the neighbour for the hold time: look for loss on the link and a busy neighbour${lookAlikes(context)}`;
    case 8:
      return 'the neighbour takes no bytes: it hangs, or the path drops large packets (compare MTUs)';
    default:
      return undefined;
  }
}

/** Names of errno in the text of a failed connection, and this speaker's own words. */
const BY_TEXT: readonly (readonly [RegExp, string])[] = [
  [
    /ECONNREFUSED/,
    'the neighbour answers, but not on that port: is BGP on there, and does it know this node?',
  ],
  [/ETIMEDOUT|no answer/, 'ping it, and look for a firewall on TCP port 179'],
  [/EHOSTUNREACH|ENETUNREACH/, 'this node has no way there: look at ip route get, ip neigh and the link'],
  [
    /EADDRNOTAVAIL/,
    'the local address is on no link of this node: correct sourceAddress or put the address there',
  ],
  [
    /ENODEV|EACCES|EPERM/,
    'the kernel forbids it: is the link there, and has the agent NET_ADMIN and NET_RAW?',
  ],
  [/link went down/, 'look at the link: ip link show'],
  [/hold timer expired/, 'look for loss on the link and a busy neighbour; a longer hold time only hides it'],
  [
    /it came to .*, not to/,
    'the neighbour connects to another address of this node: correct it there, or sourceAddress here',
  ],
  [/ECONNRESET|neighbour closed/, 'it takes the connection and ends it: does it have this node’s address?'],
  [/internal error/, 'a fault of podroute: please report it with the log'],
];

function nextAfterText(text: string, context: AdviceContext): string | undefined {
  const next = BY_TEXT.find(([pattern]) => pattern.test(text))?.[1];
  return next !== undefined && SILENCE.test(text) ? next + lookAlikes(context) : next;
}

/** What dropped packets lead to. */
const SILENCE = /ETIMEDOUT|no answer|hold timer expired|ECONNRESET|neighbour closed/;

/** Packets that a rule of ours or of the neighbour drops in the kernel: nobody is told (RFC 2385, RFC 5082). */
function lookAlikes({ config, from }: AdviceContext): string {
  const rules: string[] = [];
  if (config?.md5Key !== undefined) rules.push('another password (MD5) there');
  if (config?.ttl.kind === 'gtsm')
    rules.push(`a TTL below 255 from there, which ttlSecurity of ${from} does not let in`);
  if (config?.ttl.kind === 'direct')
    rules.push('GTSM demanded there, as this node sends TTL 1 without ttlSecurity');
  return rules.length === 0
    ? ''
    : `; ${rules.join(', and ')} look${rules.length === 1 ? 's' : ''} like this too`;
}
