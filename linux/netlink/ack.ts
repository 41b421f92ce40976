// Acknowledgements (NLMSG_ERROR) and the ends of dumps (NLMSG_DONE), with the kernel's extended text. Pure.
//
//   NLMSG_ERROR: | header 16 | errno 4 (negative; 0: done) | the request, or with NLM_F_CAPPED its header 16 | attributes |
//   NLMSG_DONE:  | header 16 | errno 4 | attributes |
import { nlmFlag, nlmsg, nlmsgerr } from './constants.ts';
import { Attributes, type Packet } from './packet.ts';
import { HEADER_BYTES } from './writer.ts';

export interface Ack {
  /** positive; 0 is success */
  readonly errno: number;
  /** the kernel's words: 'Nexthop has invalid gateway' */
  readonly text?: string;
}

const SUCCESS: Ack = { errno: 0 };

/** The message at [start, end) is of type NLMSG_ERROR or NLMSG_DONE. */
export function decodeAck(packet: Packet, start: number, end: number): Ack {
  const isDone = packet.u16(start + 4) === nlmsg.done;
  const flags = packet.u16(start + 6);
  const errno = end - start >= HEADER_BYTES + 4 ? -packet.i32(start + HEADER_BYTES) : 0;
  let at = start + HEADER_BYTES + 4;
  if (!isDone) at += flags & nlmFlag.capped ? HEADER_BYTES : (packet.u32(at) + 3) & ~3;
  if ((flags & nlmFlag.ackAttributes) === 0 || at >= end) return errno === 0 ? SUCCESS : { errno };
  const text = new Attributes(packet, at, end).text(nlmsgerr.message);
  return text === undefined ? { errno } : { errno, text };
}
