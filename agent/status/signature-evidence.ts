// Whether it is the password: packets with a wrong signature are dropped without a word (RFC 2385), and only the kernel's
// counters tell that from a firewall. They count for all neighbours together. Pure.
import type { SignatureDrops } from '#linux';

export interface SignatureFacts {
  /** A password is set for the neighbour here. */
  readonly hasKey: boolean;
  /** Of the last minute; undefined: not known. */
  readonly drops: SignatureDrops | undefined;
  /** The object that asked for the session. */
  readonly from: string;
}

/** What to do first, with the proof. Undefined: there is none. */
export function signatureEvidence({ hasKey, drops, from }: SignatureFacts): string | undefined {
  if (drops === undefined) return undefined;
  const { wrong, unsigned, unexpected } = drops;
  if (hasKey && wrong > 0)
    return `compare the passwords of both sides: ${came(wrong, 'signed with another one', 'TCPMD5Failure')}`;
  if (hasKey && unsigned > 0)
    return `give the neighbour the password: ${came(unsigned, 'without a signature', 'TCPMD5NotFound')}`;
  if (!hasKey && unexpected > 0)
    return `set its password in ${from}: ${came(unexpected, 'with a signature', 'TCPMD5Unexpected')}`;
  return undefined;
}

function came(count: number, how: string, counter: string): string {
  const packets = count === 1 ? '1 packet' : `${count} packets`;
  return `${packets} ${how} came in the last minute (${counter}, of all neighbours together)`;
}
