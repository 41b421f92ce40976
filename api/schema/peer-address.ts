// BGPPeer.spec.peerIP: 'ip', 'ip:port', '[v6]:port', and a link-local address with its interface, 'fe80::1%eth0'.
import { type Family, formatAddress, needsZone, readAddress, withZone } from '#ip';
import { isMapped, MAPPED, Wrong } from './fields.ts';
import { oneHost } from './one-host.ts';

export interface PeerAddress {
  /** Canonical, without interface. */
  readonly address: string;
  readonly family: Family;
  readonly port?: number;
  readonly device?: string;
}

const expected = 'an IPv4 or IPv6 address, optionally with :port';
const shape = /^(?:\[([^\]]*)\]|([^:[\]]*)|([^[\]]*:[^[\]]*:[^[\]]*))(?::([^:]*))?$/;

/** Takes a peerIP apart; a Wrong says what is the matter with it. */
export function readPeerAddress(input: unknown): PeerAddress | Wrong {
  if (typeof input !== 'string') return new Wrong('is not an IP address', expected);
  // The shape's alternatives: [v6], v4, bare v6 (two colons at least, which may not take a port).
  const bare = parseZone(input);
  if (bare) return check(bare.address, bare.device, undefined);
  const [, bracketed, v4, , portText] = shape.exec(input) ?? [];
  const parts = parseZone(bracketed ?? v4 ?? '');
  if (!parts || portText === undefined) return new Wrong('is not an IP address', expected);
  const port = /^[0-9]{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65535) return new Wrong(`has no valid port: "${portText}"`, '1 to 65535');
  return check(parts.address, parts.device, port);
}

function parseZone(text: string): { address: string; device: string | undefined } | undefined {
  const [address = '', device, more] = text.split('%');
  if (more !== undefined || !readAddress(address)) return undefined;
  return { address, device };
}

function check(text: string, device: string | undefined, port: number | undefined): PeerAddress | Wrong {
  const address = readAddress(text)!;
  if (isMapped(address)) return new Wrong(MAPPED, expected);
  if (device !== undefined && !/^[^\s/:]{1,15}$/.test(device)) {
    return new Wrong(`names no valid interface behind '%': "${device}"`);
  }
  if (needsZone(text)) {
    if (device === undefined) {
      return new Wrong(
        'is a link-local address without its interface',
        `${text}%eth0, with the name of the interface`,
      );
    }
  } else if (device !== undefined) {
    return new Wrong("has an interface behind '%', which only a link-local IPv6 address (fe80::…) takes");
  }
  const wrong = oneHost.broken(address);
  if (wrong !== undefined) return new Wrong(wrong.message, 'the address of one neighbour');
  return {
    address: formatAddress(address),
    family: address.family,
    ...(port === undefined ? {} : { port }),
    ...(device === undefined ? {} : { device }),
  };
}

/** Takes apart a peerIP that the schema has accepted. Throws on any other text: that is a bug of the caller. */
export function parsePeerAddress(text: string): PeerAddress {
  const address = readPeerAddress(text);
  if (address instanceof Wrong) throw new Error(`peerIP ${JSON.stringify(text)} ${address.message}`);
  return address;
}

/** The canonical text of a peerIP. */
export function formatPeerAddress({ address, family, port, device }: PeerAddress): string {
  const host = withZone(address, device);
  if (port === undefined) return host;
  return family === 'ipv6' ? `[${host}]:${port}` : `${host}:${port}`;
}
