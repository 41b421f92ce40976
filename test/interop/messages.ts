// BGP messages for the scripted peer, written out octet by octet from RFC 4271: independent of our own codec, and
// able to say what no codec would.

export const MessageType = { open: 1, update: 2, notification: 3, keepalive: 4, routeRefresh: 5 } as const;

/** Hex with any spacing. */
export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

export function message(type: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(19, 0xff);
  head.writeUInt16BE(19 + body.length, 16);
  head[18] = type;
  return Buffer.concat([head, body]);
}

export interface OpenFields {
  readonly version?: number;
  readonly asNumber: number;
  readonly holdTimeSeconds: number;
  readonly routerId: string;
  /** Capability TLVs, in order. Default: IPv4 and IPv6 unicast, route refresh, four-octet AS. */
  readonly capabilities?: readonly Buffer[];
}

export function capability(code: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(code, value.length), value]);
}

export function fourOctetAs(asNumber: number): Buffer {
  const value = Buffer.alloc(4);
  value.writeUInt32BE(asNumber);
  return capability(65, value);
}

export const IPV4_UNICAST = capability(1, hex('0001 00 01'));
export const IPV6_UNICAST = capability(1, hex('0002 00 01'));
export const ROUTE_REFRESH = capability(2, Buffer.alloc(0));
export const ENHANCED_REFRESH = capability(70, Buffer.alloc(0));

export function open(fields: OpenFields): Buffer {
  const capabilities = Buffer.concat(
    fields.capabilities ?? [IPV4_UNICAST, IPV6_UNICAST, ROUTE_REFRESH, fourOctetAs(fields.asNumber)],
  );
  const parameters = capabilities.length === 0 ? capabilities : capability(2, capabilities);
  const body = Buffer.alloc(10);
  body[0] = fields.version ?? 4;
  body.writeUInt16BE(fields.asNumber > 0xffff ? 23456 : fields.asNumber, 1);
  body.writeUInt16BE(fields.holdTimeSeconds, 3);
  address4(fields.routerId).copy(body, 5);
  body[9] = parameters.length;
  return message(MessageType.open, Buffer.concat([body, parameters]));
}

export const KEEPALIVE = message(MessageType.keepalive);

/** RFC 4271 §4.3: withdrawn routes, path attributes, NLRI, each as they are. */
export function update(parts: { withdrawn?: Buffer; attributes?: Buffer; nlri?: Buffer }): Buffer {
  const sized = (part: Buffer = Buffer.alloc(0)) => {
    const length = Buffer.alloc(2);
    length.writeUInt16BE(part.length);
    return Buffer.concat([length, part]);
  };
  return message(
    MessageType.update,
    Buffer.concat([sized(parts.withdrawn), sized(parts.attributes), parts.nlri ?? Buffer.alloc(0)]),
  );
}

export function attribute(flags: number, type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(flags, type, value.length), value]);
}

/** AS_PATH of 4-octet numbers; an inner list is an AS_SET. */
export function asPath(path: readonly (number | readonly number[])[]): Buffer {
  const segment = (type: number, numbers: readonly number[]) => {
    const value = Buffer.alloc(2 + 4 * numbers.length);
    value[0] = type;
    value[1] = numbers.length;
    for (const [i, as] of numbers.entries()) value.writeUInt32BE(as, 2 + 4 * i);
    return value;
  };
  const sequence = path.filter((p) => typeof p === 'number');
  const sets = path.filter((p) => typeof p !== 'number');
  return attribute(0x40, 2, Buffer.concat([segment(2, sequence), ...sets.map((s) => segment(1, s))]));
}

export function address4(text: string): Buffer {
  return Buffer.from(text.split('.').map(Number));
}

/** Plain IPv6 text with at most one '::'. */
export function address6(text: string): Buffer {
  const [left = '', right] = text.split('::');
  const words = (part: string) => (part === '' ? [] : part.split(':').map((w) => Number.parseInt(w, 16)));
  const head = words(left);
  const tail = right === undefined ? [] : words(right);
  const all = [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Buffer.from(all.flatMap((word) => [word >> 8, word & 255]));
}

export function prefix(text: string): Buffer {
  const [address = '', length = '0'] = text.split('/');
  const bytes = address.includes(':') ? address6(address) : address4(address);
  return Buffer.concat([Buffer.of(Number(length)), bytes.subarray(0, Math.ceil(Number(length) / 8))]);
}
