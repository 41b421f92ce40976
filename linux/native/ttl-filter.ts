// Socket filters as classic BPF programs, struct sock_filter: | code 2 | jump true 1 | jump false 1 | k 4 |, in the
// machine's own byte order. The kernel runs them before a datagram takes room in the receive buffer.
import { LITTLE } from '../netlink/writer.ts';

const LOAD_OCTET = 0x30;
const JUMP_IF_AT_LEAST = 0x35;
const RETURN = 0x06;
/** SKF_NET_OFF: an offset into the header of IP, wherever the filter's own data begins. */
const NETWORK_HEADER = 0xfff0_0000;
const TTL_AT = 8;
const HOP_LIMIT_AT = 7;
const WHOLE = 0xffff_ffff;

/** Nothing is heard. */
export function dropAll(): Uint8Array {
  return program([[RETURN, 0, 0, 0]]);
}

/** Only what has this TTL (hop limit with IPv6) or more is heard. */
export function dropBelow(leastTtl: number, isIPv4: boolean): Uint8Array {
  return program([
    [LOAD_OCTET, 0, 0, NETWORK_HEADER + (isIPv4 ? TTL_AT : HOP_LIMIT_AT)],
    [JUMP_IF_AT_LEAST, 0, 1, leastTtl],
    [RETURN, 0, 0, WHOLE],
    [RETURN, 0, 0, 0],
  ]);
}

function program(
  instructions: readonly [code: number, ifTrue: number, ifFalse: number, k: number][],
): Uint8Array {
  const view = new DataView(new ArrayBuffer(instructions.length * 8));
  for (const [i, [code, ifTrue, ifFalse, k]] of instructions.entries()) {
    view.setUint16(i * 8, code, LITTLE);
    view.setUint8(i * 8 + 2, ifTrue);
    view.setUint8(i * 8 + 3, ifFalse);
    view.setUint32(i * 8 + 4, k, LITTLE);
  }
  return new Uint8Array(view.buffer);
}
