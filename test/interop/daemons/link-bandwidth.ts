// Link bandwidth communities (draft-ietf-idr-link-bandwidth) in the words of our own routes, which those of the daemons are
// turned into: lb:23456:125000000 and, in the form that leaves the AS, transitive-lb:23456:125000000.
import type { DaemonConfig } from './daemon.ts';

/** Stands for an AS number of four octets (RFC 6793). */
export const AS_TRANS = 23_456;

const TRANSITIVE = 0x0004;
const NON_TRANSITIVE = 0x4004;

export function bandwidthText(isTransitive: boolean, asNumber: number, octets: number): string {
  return `${isTransitive ? 'transitive-lb' : 'lb'}:${twoOctets(asNumber)}:${octets}`;
}

/** Of its first two octets, the next two, and the last four as a number; undefined when it is another community. */
export function bandwidthIn(type: number, asNumber: number, low: number): string | undefined {
  if (type !== TRANSITIVE && type !== NON_TRANSITIVE) return undefined;
  return bandwidthText(type === TRANSITIVE, asNumber, float(low));
}

/** The halves of what a daemon announces: in the form that its neighbours may have. */
export function bandwidthHalves(config: DaemonConfig, octets: number): readonly [number, number] {
  const type = isExternal(config) ? TRANSITIVE : NON_TRANSITIVE;
  return [type * 0x1_0000 + twoOctets(config.asNumber), bits(octets)];
}

/** Whether its neighbours are in other ASes. */
export function isExternal({ peers, asNumber }: DaemonConfig): boolean {
  return peers.some(({ remoteAs }) => remoteAs !== asNumber);
}

function twoOctets(asNumber: number): number {
  return asNumber > 0xffff ? AS_TRANS : asNumber;
}

function float(low: number): number {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(low);
  return octets.readFloatBE();
}

function bits(octets: number): number {
  const value = Buffer.alloc(4);
  value.writeFloatBE(octets);
  return value.readUInt32BE();
}
