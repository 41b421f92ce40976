// What the kernel dropped of signed TCP (RFC 2385): it tells neither side, and only counts, for all connections of the
// network namespace together.
import { readFile } from 'node:fs/promises';

export interface SignatureDrops {
  /** Packets without a signature where a key is set (TCPMD5NotFound). */
  readonly unsigned: number;
  /** Signed ones where none is (TCPMD5Unexpected). */
  readonly unexpected: number;
  /** Signed with another key (TCPMD5Failure). */
  readonly wrong: number;
}

const FILE = '/proc/self/net/netstat';

/** Since the namespace was made. Undefined: this kernel does not count them. */
export async function readSignatureDrops(): Promise<SignatureDrops | undefined> {
  return signatureDropsIn(await readFile(FILE, 'latin1'));
}

/** Two lines of `TcpExt:`, names and numbers. */
export function signatureDropsIn(text: string): SignatureDrops | undefined {
  const [names, numbers] = text
    .split('\n')
    .filter((line) => line.startsWith('TcpExt: '))
    .map((line) => line.split(' '));
  const of = (name: string): number => {
    const at = names?.indexOf(name) ?? -1;
    return at < 0 ? Number.NaN : Number(numbers?.[at]);
  };
  const drops = {
    unsigned: of('TCPMD5NotFound'),
    unexpected: of('TCPMD5Unexpected'),
    wrong: of('TCPMD5Failure'),
  };
  return Object.values(drops).every(Number.isFinite) ? drops : undefined;
}
