import type { SessionCodecContext } from '../context.ts';
import type { AttributeVerdict } from './verdict.ts';
export function validateAttributes(
  _buf: Uint8Array,
  _start: number,
  _end: number,
  _ctx: SessionCodecContext,
  _out: AttributeVerdict,
): void {
  throw new Error('not yet');
}
