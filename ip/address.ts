// One address as a family and a number: for arithmetic where speed does not matter. Hot paths keep words or octets.
import { type Family, addressBits } from './family.ts';
import { formatOctets, parseOctets } from './text.ts';

export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** Reads one address without mask or zone; undefined when the text is not one. */
export function parseAddress(text: string): Address | undefined {
  const bytes = parseOctets(text);
  return bytes && addressFromBytes(bytes);
}

export function formatAddress(address: Address): string {
  const bytes = addressToBytes(address);
  return formatOctets(bytes, 0, bytes.length);
}

/** 4 or 16 octets in network order. */
export function addressToBytes(address: Address): Uint8Array {
  const bytes = new Uint8Array(addressBits(address.family) / 8);
  const view = new DataView(bytes.buffer);
  if (address.family === 'ipv4') {
    view.setUint32(0, Number(address.value));
  } else {
    view.setBigUint64(0, address.value >> 64n);
    view.setBigUint64(8, BigInt.asUintN(64, address.value));
  }
  return bytes;
}

/** The address of 4 (IPv4) or 16 (IPv6) octets in network order. Throws RangeError on any other length. */
export function addressFromBytes(bytes: Uint8Array): Address {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length === 4) return { family: 'ipv4', value: BigInt(view.getUint32(0)) };
  if (bytes.length !== 16) throw new RangeError(`an address has 4 or 16 bytes, not ${bytes.length}`);
  return { family: 'ipv6', value: (view.getBigUint64(0) << 64n) | view.getBigUint64(8) };
}
