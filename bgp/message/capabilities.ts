// Capabilities (RFC 5492) as plain data, both directions. One case a capability, its RFC and layout beside it.
//
//   code (1) | length (1) | value

import { type Family, familyOfAfi } from '#ip';
import { SAFI_UNICAST } from './constants.ts';
import { copyOf, printable, readU16, readU32 } from './big-endian.ts';

export interface AfiSafi {
  readonly afi: number;
  readonly safi: number;
}

/** Undefined for a family that we do not speak: all but unicast. */
export function unicastFamily(afi: number, safi: number): Family | undefined {
  return safi === SAFI_UNICAST ? familyOfAfi(afi) : undefined;
}

/** What can be wrong in an OPEN's capabilities. */
export type CapabilityError = 'malformed' | 'role conflict';

export interface GracefulRestart {
  readonly restarting: boolean;
  /** RFC 8538: NOTIFICATIONs do not end forwarding. */
  readonly notification: boolean;
  /** 0..4095. */
  readonly timeSeconds: number;
  readonly families: readonly (AfiSafi & { readonly forwarding: boolean })[];
}

export type LongLivedFamily = AfiSafi & { readonly forwarding: boolean; readonly timeSeconds: number };

/** Direction of ADD-PATH as its sender means it. */
export const ADD_PATH_RECEIVE = 1;
export const ADD_PATH_SEND = 2;
export const ADD_PATH_BOTH = 3;

/** Roles of RFC 9234 section 4.1, as the sender of the capability. */
export const ROLE_PROVIDER = 0;
export const ROLE_ROUTE_SERVER = 1;
export const ROLE_ROUTE_SERVER_CLIENT = 2;
export const ROLE_CUSTOMER = 3;
export const ROLE_PEER = 4;

export interface Capabilities {
  /** RFC 4760; an empty list means IPv4 unicast only, by classic NLRI. */
  readonly multiprotocol: readonly AfiSafi[];
  readonly routeRefresh: boolean;
  readonly enhancedRouteRefresh: boolean;
  readonly extendedMessages: boolean;
  /** RFC 8950. */
  readonly extendedNextHop: readonly (AfiSafi & { readonly nextHopAfi: number })[];
  readonly role?: number | undefined;
  readonly gracefulRestart?: GracefulRestart | undefined;
  /** RFC 9494; dropped without graceful restart. */
  readonly longLived?: readonly LongLivedFamily[] | undefined;
  /** RFC 6793: the real AS number. */
  readonly fourByteAs?: number | undefined;
  readonly addPath: readonly (AfiSafi & { readonly direction: number })[];
  /** draft-abraitis-idr-addpath-paths-limit. */
  readonly pathsLimit?: readonly (AfiSafi & { readonly limit: number })[] | undefined;
  /** draft-walton-bgp-hostname-capability. */
  readonly hostName?: string | undefined;
  readonly domainName?: string | undefined;
  /** draft-abraitis-bgp-version-capability. */
  readonly softwareVersion?: string | undefined;
  /** Not known to podroute, or cosmetic ones that did not parse. */
  readonly unknown: readonly { readonly code: number; readonly value: Uint8Array }[];
}

export const NO_CAPABILITIES: Capabilities = {
  multiprotocol: [],
  routeRefresh: false,
  enhancedRouteRefresh: false,
  extendedMessages: false,
  extendedNextHop: [],
  addPath: [],
  unknown: [],
};

const CAP_MULTIPROTOCOL = 1;
const CAP_ROUTE_REFRESH = 2;
const CAP_EXTENDED_NEXT_HOP = 5;
const CAP_EXTENDED_MESSAGES = 6;
const CAP_ROLE = 9;
const CAP_GRACEFUL_RESTART = 64;
const CAP_FOUR_BYTE_AS = 65;
const CAP_ADD_PATH = 69;
const CAP_ENHANCED_ROUTE_REFRESH = 70;
const CAP_LONG_LIVED = 71;
const CAP_FQDN = 73;
const CAP_SOFTWARE_VERSION = 75;
const CAP_PATHS_LIMIT = 76;
const CAP_ROUTE_REFRESH_OLD = 128;

type Draft = { -readonly [K in keyof Capabilities]: Capabilities[K] };

/** Collects the capabilities of one OPEN; several optional parameters may follow one another. */
export class CapabilityReader {
  #draft: Draft = { ...NO_CAPABILITIES };

  /** Reads buf[start, end), the value of one optional parameter; undefined when it is right. */
  read(buf: Uint8Array, start: number, end: number): CapabilityError | undefined {
    let at = start;
    while (at < end) {
      if (end - at < 2) return 'malformed';
      const value = at + 2;
      const next = value + buf[at + 1]!;
      if (next > end) return 'malformed';
      const error = this.#readOne(buf[at]!, buf, value, next);
      if (error !== undefined) return error;
      at = next;
    }
    return undefined;
  }

  /** What was read. Long-lived graceful restart counts only with graceful restart (RFC 9494 section 4.5). */
  finish(): Capabilities {
    const { longLived, ...rest } = this.#draft;
    return rest.gracefulRestart === undefined || longLived === undefined ? rest : { ...rest, longLived };
  }

  #readOne(code: number, buf: Uint8Array, start: number, end: number): CapabilityError | undefined {
    const draft = this.#draft;
    const length = end - start;
    switch (code) {
      case CAP_MULTIPROTOCOL: {
        // AFI (2) | reserved (1) | SAFI (1)
        if (length !== 4) return 'malformed';
        const family = { afi: readU16(buf, start), safi: buf[start + 3]! };
        if (!draft.multiprotocol.some((f) => f.afi === family.afi && f.safi === family.safi)) {
          draft.multiprotocol = [...draft.multiprotocol, family];
        }
        return undefined;
      }
      case CAP_ROUTE_REFRESH:
      case CAP_ROUTE_REFRESH_OLD:
        draft.routeRefresh = true;
        return length === 0 ? undefined : 'malformed';
      case CAP_EXTENDED_NEXT_HOP:
        // { AFI (2) | SAFI (2) | next hop AFI (2) }
        if (length % 6 !== 0) return 'malformed';
        draft.extendedNextHop = tuples(start, end, 6, (at) => ({
          afi: readU16(buf, at),
          safi: readU16(buf, at + 2),
          nextHopAfi: readU16(buf, at + 4),
        }));
        return undefined;
      case CAP_EXTENDED_MESSAGES:
        draft.extendedMessages = true;
        return length === 0 ? undefined : 'malformed';
      case CAP_ROLE:
        if (length !== 1) return 'malformed';
        if (draft.role !== undefined && draft.role !== buf[start]) return 'role conflict';
        draft.role = buf[start]!;
        return undefined;
      case CAP_GRACEFUL_RESTART:
        // R (1 bit) | N (1) | reserved (2) | time (12) | { AFI (2) | SAFI (1) | flags (1) }
        if (length < 2 || (length - 2) % 4 !== 0) return 'malformed';
        draft.gracefulRestart = {
          restarting: (buf[start]! & 0x80) !== 0,
          notification: (buf[start]! & 0x40) !== 0,
          timeSeconds: readU16(buf, start) & 0x0fff,
          families: tuples(start + 2, end, 4, (at) => ({
            afi: readU16(buf, at),
            safi: buf[at + 2]!,
            forwarding: (buf[at + 3]! & 0x80) !== 0,
          })),
        };
        return undefined;
      case CAP_FOUR_BYTE_AS:
        if (length !== 4) return 'malformed';
        draft.fourByteAs = readU32(buf, start);
        return undefined;
      case CAP_ADD_PATH:
        // { AFI (2) | SAFI (1) | direction (1) }; other directions are ignored (RFC 7911 section 4)
        if (length % 4 !== 0) return 'malformed';
        draft.addPath = tuples(start, end, 4, (at) => ({
          afi: readU16(buf, at),
          safi: buf[at + 2]!,
          direction: buf[at + 3]!,
        })).filter((tuple) => tuple.direction >= ADD_PATH_RECEIVE && tuple.direction <= ADD_PATH_BOTH);
        return undefined;
      case CAP_ENHANCED_ROUTE_REFRESH:
        draft.enhancedRouteRefresh = true;
        return length === 0 ? undefined : 'malformed';
      case CAP_LONG_LIVED:
        // { AFI (2) | SAFI (1) | flags (1) | time (3) }
        if (length % 7 !== 0) return 'malformed';
        draft.longLived = tuples(start, end, 7, (at) => ({
          afi: readU16(buf, at),
          safi: buf[at + 2]!,
          forwarding: (buf[at + 3]! & 0x80) !== 0,
          timeSeconds: (readU16(buf, at + 4) << 8) | buf[at + 6]!,
        }));
        return undefined;
      case CAP_PATHS_LIMIT:
        // { AFI (2) | SAFI (1) | limit (2) }
        if (length % 5 !== 0) break;
        draft.pathsLimit = tuples(start, end, 5, (at) => ({
          afi: readU16(buf, at),
          safi: buf[at + 2]!,
          limit: readU16(buf, at + 3),
        }));
        return undefined;
      case CAP_FQDN: {
        // length (1) | host name | length (1) | domain name
        const host = textAt(buf, start, end);
        const domain = host === undefined ? undefined : textAt(buf, host.next, end);
        if (host === undefined || domain === undefined || domain.next !== end) break;
        draft.hostName = host.text;
        draft.domainName = domain.text;
        return undefined;
      }
      case CAP_SOFTWARE_VERSION: {
        // length (1, not 0) | text
        const version = textAt(buf, start, end);
        if (version === undefined || version.text === '' || version.next !== end) break;
        draft.softwareVersion = version.text;
        return undefined;
      }
      default:
        break;
    }
    // an unknown one, or one that is only for display and not worth a session
    draft.unknown = [...draft.unknown, { code, value: copyOf(buf, start, end) }];
    return undefined;
  }
}

function tuples<T>(start: number, end: number, size: number, read: (at: number) => T): T[] {
  const list: T[] = [];
  for (let at = start; at < end; at += size) list.push(read(at));
  return list;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** A length octet and so much text; undefined when it runs past the end. */
function textAt(buf: Uint8Array, at: number, end: number): { text: string; next: number } | undefined {
  if (at >= end) return undefined;
  const next = at + 1 + buf[at]!;
  if (next > end) return undefined;
  return { text: printable(decoder.decode(buf.subarray(at + 1, next))), next };
}

/** All capabilities as they stand in an optional parameter; also the data of NOTIFICATION 2/7. */
export function encodeCapabilities(caps: Capabilities): Uint8Array {
  const octets: number[] = [];
  const add = (code: number, value: readonly number[]): void => {
    octets.push(code, value.length, ...value);
  };
  const u16 = (value: number): number[] => [value >>> 8, value & 255];
  const u32 = (value: number): number[] => [value >>> 24, ...u16((value >>> 8) & 0xffff), value & 255];
  for (const { afi, safi } of caps.multiprotocol) add(CAP_MULTIPROTOCOL, [...u16(afi), 0, safi]);
  if (caps.routeRefresh) add(CAP_ROUTE_REFRESH, []);
  for (const part of parts(caps.extendedNextHop, 6)) {
    add(
      CAP_EXTENDED_NEXT_HOP,
      part.flatMap((t) => [...u16(t.afi), ...u16(t.safi), ...u16(t.nextHopAfi)]),
    );
  }
  if (caps.extendedMessages) add(CAP_EXTENDED_MESSAGES, []);
  if (caps.role !== undefined) add(CAP_ROLE, [caps.role]);
  if (caps.gracefulRestart !== undefined) {
    const { restarting, notification, timeSeconds, families } = caps.gracefulRestart;
    const flags = (restarting ? 0x8000 : 0) | (notification ? 0x4000 : 0);
    add(CAP_GRACEFUL_RESTART, [
      ...u16(flags | Math.min(timeSeconds, 4095)),
      ...families.slice(0, 63).flatMap((f) => [...u16(f.afi), f.safi, f.forwarding ? 0x80 : 0]),
    ]);
  }
  if (caps.fourByteAs !== undefined) add(CAP_FOUR_BYTE_AS, u32(caps.fourByteAs));
  for (const part of parts(caps.addPath, 4)) {
    add(
      CAP_ADD_PATH,
      part.flatMap((t) => [...u16(t.afi), t.safi, t.direction]),
    );
  }
  if (caps.enhancedRouteRefresh) add(CAP_ENHANCED_ROUTE_REFRESH, []);
  for (const part of parts(caps.longLived ?? [], 7)) {
    add(
      CAP_LONG_LIVED,
      part.flatMap((t) => [...u16(t.afi), t.safi, t.forwarding ? 0x80 : 0, ...u32(t.timeSeconds).slice(1)]),
    );
  }
  for (const part of parts(caps.pathsLimit ?? [], 5)) {
    add(
      CAP_PATHS_LIMIT,
      part.flatMap((t) => [...u16(t.afi), t.safi, ...u16(t.limit)]),
    );
  }
  if (caps.hostName !== undefined) {
    const host = textOctets(caps.hostName, 64);
    const domain = textOctets(caps.domainName ?? '', 64);
    add(CAP_FQDN, [host.length, ...host, domain.length, ...domain]);
  }
  if (caps.softwareVersion !== undefined && caps.softwareVersion !== '') {
    const version = textOctets(caps.softwareVersion, 64);
    add(CAP_SOFTWARE_VERSION, [version.length, ...version]);
  }
  for (const { code, value } of caps.unknown) add(code, [...value.subarray(0, 255)]);
  return new Uint8Array(octets);
}

/** One capability holds 255 octets: the first run of tuples that fits, none for an empty list. */
function parts<T>(list: readonly T[], size: number): T[][] {
  return list.length === 0 ? [] : [list.slice(0, Math.floor(255 / size))];
}

/** UTF-8, cut between two characters. */
function textOctets(text: string, max: number): Uint8Array {
  const octets = new Uint8Array(max);
  return octets.subarray(0, encoder.encodeInto(text, octets).written);
}
