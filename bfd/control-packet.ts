// The mandatory section of a control packet (RFC 5880 §4.1) in octets and back, and the checks that need no session
// (§6.8.6). A record is written again for each packet: nothing is allocated here.
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-----+---------+---+-+-+-+-+-+-+---------------+---------------+
//   |Vers |  Diag   |Sta|P|F|C|A|D|M|  Detect Mult  |    Length     |
//   +-----+---------+---+-+-+-+-+-+-+---------------+---------------+
//   |                       My Discriminator                        |
//   |                      Your Discriminator                       |
//   |                    Desired Min TX Interval                    |
//   |                   Required Min RX Interval                    |
//   |                 Required Min Echo RX Interval                 |
//   +---------------------------------------------------------------+
//   |   Auth Type   |   Auth Len    |    Authentication Data...     |   with A (packet-authentication.ts)
import { type Refusal, refuse } from './refusal.ts';

export const MANDATORY_OCTETS = 24;
/** Auth Type and Auth Len at least. */
const LEAST_AUTHENTICATED = MANDATORY_OCTETS + 2;
const VERSION = 1;

const POLL = 0x20;
const FINAL = 0x10;
const INDEPENDENT = 0x08;
const AUTHENTICATED = 0x04;
const DEMAND = 0x02;
const MULTIPOINT = 0x01;

export interface ControlPacket {
  /** 0..31 */
  diagnostic: number;
  /** 0..3, see state-machine.ts */
  state: number;
  isPoll: boolean;
  isFinal: boolean;
  /** C: control plane independent. */
  isIndependent: boolean;
  /** A: an authentication section follows. */
  isAuthenticated: boolean;
  isDemand: boolean;
  multiplier: number;
  /** Octets of the whole packet, the authentication section among them. */
  length: number;
  myDiscriminator: number;
  yourDiscriminator: number;
  desiredMinTxMicros: number;
  requiredMinRxMicros: number;
  requiredMinEchoRxMicros: number;
}

export const newControlPacket = (): ControlPacket => ({
  diagnostic: 0,
  state: 0,
  isPoll: false,
  isFinal: false,
  isIndependent: false,
  isAuthenticated: false,
  isDemand: false,
  multiplier: 0,
  length: MANDATORY_OCTETS,
  myDiscriminator: 0,
  yourDiscriminator: 0,
  desiredMinTxMicros: 0,
  requiredMinRxMicros: 0,
  requiredMinEchoRxMicros: 0,
});

/** The checks of §6.8.6 in their order, up to My Discriminator. False: refused, and `packet` means nothing. */
export function decodeControlPacket(datagram: Uint8Array, packet: ControlPacket, refusal: Refusal): boolean {
  const octets = datagram.length;
  if (octets < MANDATORY_OCTETS) return refuse(refusal, 'short', octets, MANDATORY_OCTETS);
  const version = datagram[0]! >>> 5;
  if (version !== VERSION) return refuse(refusal, 'version', version, VERSION);
  const flags = datagram[1]!;
  const length = datagram[3]!;
  const least = (flags & AUTHENTICATED) === 0 ? MANDATORY_OCTETS : LEAST_AUTHENTICATED;
  if (length < least) return refuse(refusal, 'length below least', length, least);
  if (length > octets) return refuse(refusal, 'length beyond datagram', length, octets);
  if (datagram[2] === 0) return refuse(refusal, 'multiplier');
  if ((flags & MULTIPOINT) !== 0) return refuse(refusal, 'multipoint');
  packet.diagnostic = datagram[0]! & 0x1f;
  packet.state = flags >>> 6;
  packet.isPoll = (flags & POLL) !== 0;
  packet.isFinal = (flags & FINAL) !== 0;
  packet.isIndependent = (flags & INDEPENDENT) !== 0;
  packet.isAuthenticated = (flags & AUTHENTICATED) !== 0;
  packet.isDemand = (flags & DEMAND) !== 0;
  packet.multiplier = datagram[2]!;
  packet.length = length;
  packet.myDiscriminator = readU32(datagram, 4);
  packet.yourDiscriminator = readU32(datagram, 8);
  packet.desiredMinTxMicros = readU32(datagram, 12);
  packet.requiredMinRxMicros = readU32(datagram, 16);
  packet.requiredMinEchoRxMicros = readU32(datagram, 20);
  return packet.myDiscriminator === 0 ? refuse(refusal, 'my discriminator') : true;
}

/** Writes the first MANDATORY_OCTETS of `bytes`. */
export function encodeControlPacket(packet: ControlPacket, bytes: Uint8Array): void {
  bytes[0] = (VERSION << 5) | packet.diagnostic;
  bytes[1] =
    (packet.state << 6) |
    (packet.isPoll ? POLL : 0) |
    (packet.isFinal ? FINAL : 0) |
    (packet.isIndependent ? INDEPENDENT : 0) |
    (packet.isAuthenticated ? AUTHENTICATED : 0) |
    (packet.isDemand ? DEMAND : 0);
  bytes[2] = packet.multiplier;
  bytes[3] = packet.length;
  writeU32(bytes, 4, packet.myDiscriminator);
  writeU32(bytes, 8, packet.yourDiscriminator);
  writeU32(bytes, 12, packet.desiredMinTxMicros);
  writeU32(bytes, 16, packet.requiredMinRxMicros);
  writeU32(bytes, 20, packet.requiredMinEchoRxMicros);
}

export function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
