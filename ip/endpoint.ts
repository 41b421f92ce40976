// Where a TCP server listens, as an option says it: 'ADDR:PORT', '[V6]:PORT', or a name in place of the address.
import { parseIpv6 } from './text.ts';

export interface Endpoint {
  readonly host: string;
  /** 0: the kernel chooses one. */
  readonly port: number;
}

/**
 * Undefined when the text is none. The port stands behind the last colon, also of an IPv6 address without brackets: a manifest
 * has '$(POD_IP):9480' for both families.
 */
export function parseEndpoint(text: string): Endpoint | undefined {
  const [, bracketed, bare = '', digits] = /^(?:\[([^\]]+)\]|([^[\]]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (!(port <= 65_535)) return undefined;
  if (bracketed !== undefined) return { host: bracketed, port };
  return bare.includes(':') && parseIpv6(bare) === undefined ? undefined : { host: bare, port };
}
