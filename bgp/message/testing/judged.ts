// Blocks of attributes as hexadecimal text, judged: the set-up that the tests of validation share.
import { formatAttributes } from '../attributes/table.ts';
import { validateAttributes } from '../attributes/validate.ts';
import { AttributeVerdict } from '../attributes/verdict.ts';
import { SessionCodecContext } from '../context.ts';
import { bytes } from '../../testing/message-bytes.ts';

export const EBGP: Partial<SessionCodecContext> = {};
export const IBGP: Partial<SessionCodecContext> = { external: false };
/** Two octets an AS. */
export const OLD: Partial<SessionCodecContext> = { fourByteAs: false };

/** Of the last `validate`. */
export const verdict = new AttributeVerdict();

/** The block stands inside a larger buffer, so that a read outside meets octets that mean nothing. */
export function validate(
  attributes: string,
  overrides: Partial<SessionCodecContext> = EBGP,
): AttributeVerdict {
  const block = bytes(attributes);
  const buf = new Uint8Array(block.length + 8).fill(0xee);
  buf.set(block, 3);
  validateAttributes(buf, 3, 3 + block.length, Object.assign(new SessionCodecContext(), overrides), verdict);
  return verdict;
}

/** Names of the attributes that are left, without the mandatory ones. */
export function left(): string {
  return formatAttributes(verdict.bytes, 0, verdict.length)
    .map((text) => text.name)
    .filter((name) => name !== 'origin' && name !== 'as_path')
    .join(' ');
}
