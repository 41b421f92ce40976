// What a session is told, and what is told of it. The types that callers name; nothing here knows packets.
import { familyOf, needsZone, parseOctets, splitZone, withZone } from '#ip';

export type BfdState = 'AdminDown' | 'Down' | 'Init' | 'Up';

export type BfdAuthType =
  | 'SimplePassword'
  | 'KeyedMD5'
  | 'MeticulousKeyedMD5'
  | 'KeyedSHA1'
  | 'MeticulousKeyedSHA1';

export interface BfdAuthentication {
  readonly type: BfdAuthType;
  /** 0..255 */
  readonly keyId: number;
  /** 1..16 octets, with SHA1 1..20 */
  readonly key: Uint8Array;
}

/** What a session is known by: with another of these it is another session. */
export interface BfdEnds {
  /** Own address, canonical text; with '%device' when it is link-local. */
  readonly local: string;
  /** The neighbour's, in the same form. */
  readonly remote: string;
  /** Single hop: the link that its packets must come in by. Undefined: any. */
  readonly device?: string;
  readonly hops: 'single' | 'multi';
}

export interface BfdSessionConfig extends BfdEnds {
  /** The caller's name of it, unique. */
  readonly id: string;
  /** 255 with a single hop (RFC 5881 §5). */
  readonly leastTtl: number;
  /** bfd.DesiredMinTxInterval when Up; before that it is a second at least (RFC 5880 §6.8.3). */
  readonly transmitMicros: number;
  /** bfd.RequiredMinRxInterval */
  readonly receiveMicros: number;
  /** bfd.DetectMult, 1..255 */
  readonly multiplier: number;
  /** Says nothing before the neighbour does (RFC 5880 §6.1). */
  readonly isPassive?: true;
  readonly authentication?: BfdAuthentication;
}

export interface BfdSessionStatus {
  readonly id: string;
  readonly state: BfdState;
  /** As the neighbour said last; Down before it said anything. */
  readonly remoteState: BfdState;
  /** Why the state is what it is (RFC 5880 §4.1); bfdDiagnosticText has the words. */
  readonly diagnostic: number;
  readonly remoteDiagnostic: number;
  /** In force. */
  readonly transmitMicros: number;
  /** In force; 0: the neighbour is not heard. */
  readonly detectionMicros: number;
  /** 0: the neighbour is not heard. */
  readonly remoteMultiplier: number;
  /** The C bit of the neighbour's last packet: its BFD outlives its control plane. */
  readonly isRemoteIndependent: boolean;
  /** Clock.now() of the last change of state. */
  readonly sinceMs: number;
  /** How often it was Up and is not any more. */
  readonly downs: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly refused: number;
  readonly lastRefusal?: string;
  /** Why the session does not run; what may pass by itself is tried again each second. */
  readonly problem?: string;
}

/** The status of one that is wanted and does not run. */
export const unopenedSession = (id: string, problem: string): BfdSessionStatus => ({
  id,
  state: 'Down',
  remoteState: 'Down',
  diagnostic: 0,
  remoteDiagnostic: 0,
  transmitMicros: 0,
  detectionMicros: 0,
  remoteMultiplier: 0,
  isRemoteIndependent: false,
  sinceMs: 0,
  downs: 0,
  packetsIn: 0,
  packetsOut: 0,
  refused: 0,
  problem,
});

export interface BfdChange {
  readonly id: string;
  readonly from: BfdState;
  readonly to: BfdState;
  readonly diagnostic: number;
  readonly remoteState: BfdState;
  readonly remoteDiagnostic: number;
  readonly isRemoteIndependent: boolean;
  /** That was in force; 0: none. */
  readonly detectionMicros: number;
}

/** The same text for the same ends only. */
export const endsKey = ({ hops, local, remote, device }: BfdEnds): string =>
  keyOf(hops, local, remote, device ?? '');

/** @param device '': any */
export const keyOf = (hops: string, local: string, remote: string, device: string): string =>
  `${local} ${remote} ${hops}${device === '' ? '' : ` ${device}`}`;

const MOST_MICROS = 0xffff_ffff;

/** What is wrong with a configuration, with the field and its value; undefined: nothing. */
export function configFault(config: BfdSessionConfig): string | undefined {
  const { authentication } = config;
  const isSha1 = authentication?.type === 'KeyedSHA1' || authentication?.type === 'MeticulousKeyedSHA1';
  const least = config.hops === 'single' ? 255 : 1;
  return (
    notAnEnd('local', config.local) ??
    notAnEnd('remote', config.remote) ??
    (familyOf(config.local) === familyOf(config.remote)
      ? undefined
      : `remote ${config.remote}: not of the same family as local ${config.local}`) ??
    outside('leastTtl', config.leastTtl, least, 255) ??
    outside('transmitMicros', config.transmitMicros, 1, MOST_MICROS) ??
    outside('receiveMicros', config.receiveMicros, 1, MOST_MICROS) ??
    outside('multiplier', config.multiplier, 1, 255) ??
    (authentication === undefined
      ? undefined
      : (outside('authentication.keyId', authentication.keyId, 0, 255) ??
        outside('octets of authentication.key', authentication.key.length, 1, isSha1 ? 20 : 16)))
  );
}

function notAnEnd(field: string, text: string): string | undefined {
  const { address, zone } = splitZone(text);
  if (parseOctets(address) === undefined) return `${field} ${text}: not an address`;
  if (needsZone(address) === (zone !== undefined))
    return withZone(address, zone) === text
      ? undefined
      : `${field} ${text}: must be written ${withZone(address, zone)}`;
  return `${field} ${text}: a link is named with link-local addresses, and with these only ('fe80::1%eth0')`;
}

const outside = (field: string, value: number, least: number, most: number): string | undefined =>
  Number.isInteger(value) && value >= least && value <= most
    ? undefined
    : `${field} ${value}: must be ${least === most ? least : `${least} to ${most}`}`;
