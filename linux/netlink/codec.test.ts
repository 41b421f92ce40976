import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatOctets, parsePrefixOctets } from '#ip';
import type { NextHop, Request, RouteSpec } from '../kernel.ts';
import { encodeRequest } from '../real/requests.ts';
import { decodeAck } from './ack.ts';
import { decodeAddress } from './address.ts';
import { captures, SEQUENCE } from './testing/captures.ts';
import { decodeLink } from './link.ts';
import { decodeNeighbour } from './neighbour.ts';
import { Packet } from './packet.ts';
import { decodeRoute } from './route.ts';
import { decodeRule } from './rule.ts';
import { LITTLE, MessageWriter } from './writer.ts';

type Captured = keyof typeof captures;
type Decoder<T> = (packet: Packet, start: number, end: number) => T;

const findDevice = (name: string) => (name === 'eth7' ? 3 : undefined);

function decodeCapture<T>(name: Captured, decode: Decoder<T>): T {
  const bytes = Buffer.from(captures[name], 'hex');
  return decode(new Packet(bytes), 0, bytes.length);
}

function encode(request: Request): MessageWriter {
  const writer = new MessageWriter();
  assert.equal(encodeRequest(writer, request, SEQUENCE, findDevice), undefined);
  return writer;
}

describe('rtnetlink messages', () => {
  before(function () {
    if (!LITTLE) this.skip(); // the captures come from a little-endian machine
  });

  const requests: [Captured, Request][] = [
    [
      'addLink',
      {
        type: 'addLink',
        kind: 'veth',
        name: 'eth7',
        mac: '02:00:00:00:00:07',
        mtu: 1400,
        peer: { name: 'eth8' },
      },
    ],
    ['addAddress4', { type: 'addAddress', device: 'eth7', address: '10.1.2.1/24' }],
    ['addAddress6', { type: 'addAddress', device: 'eth7', address: 'fd00:1::1/64', noDad: true }],
    [
      'addMultipath',
      {
        type: 'addRoute',
        route: {
          destination: '10.2.0.0/16',
          metric: 1024,
          table: 1000,
          source: '10.1.1.1',
          mtu: 1300,
          nextHops: [
            { gateway: '10.1.1.2', device: 'eth7' },
            { gateway: '10.1.1.3', device: 'eth7', weight: 3, onlink: true },
          ],
        },
      },
    ],
    [
      'addVia',
      {
        type: 'addRoute',
        route: { destination: '10.5.0.0/24', nextHops: [{ gateway: 'fd00:1::2', device: 'eth7' }] },
      },
    ],
    [
      'addUnreachable',
      { type: 'addRoute', route: { destination: 'fd00:6::/64', type: 'unreachable', metric: 1024 } },
    ],
    ['addNeighbour', { type: 'addNeighbour', device: 'eth7', address: '10.1.1.9', mac: '02:00:00:00:00:09' }],
    [
      'addRule',
      {
        type: 'addRule',
        rule: { family: 'ipv4', priority: 100, table: 1000, from: '10.7.0.0/16', fwMark: 5 },
      },
    ],
  ];
  for (const [name, request] of requests) {
    it(`are what ip sends: ${name}`, () => {
      assert.equal(Buffer.from(encode(request).bytes).toString('hex'), captures[name]);
    });
  }

  it('show addresses', () => {
    assert.deepEqual(decodeCapture('address', decodeAddress), {
      family: 'ipv4',
      address: '10.1.1.1/24',
      deviceIndex: 3,
      scope: 'global',
      tentative: false,
      permanent: true,
    });
  });

  it('show routes with several next hops, connected ones, and IPv4 over an IPv6 gateway', () => {
    const ours = { family: 'ipv4', protocol: 179, scope: 'global', type: 'unicast' };
    assert.deepEqual(decodeCapture('multipath', decodeRoute), {
      ...ours,
      destination: '10.2.0.0/16',
      table: 1000,
      metric: 1024,
      source: '10.1.1.1',
      mtu: 1300,
      nextHops: [
        { gateway: '10.1.1.2', deviceIndex: 3 },
        { gateway: '10.1.1.3', deviceIndex: 3, weight: 3, onlink: true },
      ],
    });
    assert.deepEqual(decodeCapture('connected', decodeRoute), {
      ...ours,
      protocol: 2,
      scope: 'link',
      destination: '10.1.1.0/24',
      table: 254,
      metric: 0,
      source: '10.1.1.1',
      nextHops: [{ deviceIndex: 3 }],
    });
    assert.deepEqual(decodeCapture('via', decodeRoute)?.nextHops, [{ gateway: 'fd00:1::2', deviceIndex: 3 }]);
  });

  it('show neighbours, rules and links', () => {
    assert.deepEqual(decodeCapture('neighbour', decodeNeighbour), {
      family: 'ipv4',
      address: '10.1.1.9',
      deviceIndex: 3,
      mac: '02:00:00:00:00:09',
      state: 'permanent',
    });
    assert.equal(decodeCapture('multicastNeighbour', decodeNeighbour)?.state, 'noarp');
    assert.deepEqual(decodeCapture('rule', decodeRule), {
      family: 'ipv4',
      priority: 100,
      action: 'lookup',
      table: 1000,
      from: '10.7.0.0/16',
      fwMark: 5,
      fwMask: 0xffffffff,
      protocol: 0,
    });
    assert.deepEqual(decodeCapture('linkDeleted', decodeLink), {
      index: 3,
      name: 'eth7',
      kind: 'veth',
      mac: '02:00:00:00:00:07',
      mtu: 1400,
      up: false,
      carrier: false,
      loopback: false,
      group: 7,
      peerElsewhere: false,
      peerIndex: 0,
    });
  });

  it('say whether it worked, and in the kernel’s words why not', () => {
    assert.deepEqual(decodeCapture('done', decodeAck), { errno: 0 });
    assert.deepEqual(decodeCapture('refused', decodeAck), {
      errno: 101,
      text: 'Nexthop has invalid gateway',
    });
  });

  it('that are cut anywhere are refused or read as shorter ones, never read beyond their end', () => {
    const bytes = Buffer.from(captures.multipath, 'hex');
    for (let end = 0; end < bytes.length; end++) {
      const packet = new Packet(Uint8Array.from(bytes.subarray(0, end)));
      try {
        decodeRoute(packet, 0, end);
      } catch (error) {
        assert.ok(error instanceof RangeError, `cut at ${end}: ${String(error)}`);
      }
    }
  });

  it('keep every field of a route there and back', () => {
    const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => formatOctets(bytes, 0, 4));
    const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => formatOctets(bytes, 0, 16));
    const hop = fc.record(
      {
        gateway: fc.oneof(ipv4, ipv6),
        deviceIndex: fc.integer({ min: 1, max: 0x7fffffff }),
        weight: fc.integer({ min: 2, max: 256 }),
        onlink: fc.constant(true),
      },
      { noNullPrototype: true },
    );
    const route = fc.record(
      {
        destination: fc.oneof(
          fc.tuple(ipv4, fc.integer({ min: 0, max: 32 })).map(([address, length]) => `${address}/${length}`),
          fc.tuple(ipv6, fc.integer({ min: 0, max: 128 })).map(([address, length]) => `${address}/${length}`),
        ),
        table: fc.integer({ min: 1, max: 0xffffffff }),
        protocol: fc.integer({ min: 0, max: 255 }),
        metric: fc.integer({ min: 0, max: 0xffffffff }),
        scope: fc.constantFrom('global', 'site', 'link', 'host', 'nowhere'),
        mtu: fc.integer({ min: 0, max: 0xffffffff }),
        nextHops: fc.array(hop, { minLength: 2, maxLength: 16 }),
      },
      {
        noNullPrototype: true,
        requiredKeys: ['destination', 'table', 'protocol', 'metric', 'scope', 'nextHops'],
      },
    );
    fc.assert(
      fc.property(route, (spec: RouteSpec & { nextHops: NextHop[] }) => {
        const bytes = encode({ type: 'addRoute', route: spec }).bytes.slice();
        const family = parsePrefixOctets(spec.destination)?.family;
        assert.deepEqual(decodeRoute(new Packet(bytes), 0, bytes.length), {
          ...spec,
          family,
          type: 'unicast',
        });
      }),
    );
  });
});

describe('a request that cannot be encoded', () => {
  const refusal = (request: Request) => {
    const writer = new MessageWriter();
    const error = encodeRequest(writer, request, 1, findDevice);
    assert.equal(writer.length, 0);
    return error?.message;
  };

  it('is an error that names the request and what is wrong', () => {
    const nextHops = [{ gateway: '10.1.1.1', device: 'eth9' }];
    assert.equal(
      refusal({ type: 'addRoute', route: { destination: '10.0.0.0/24', nextHops, metric: 5 } }),
      'add route 10.0.0.0/24 via 10.1.1.1 dev eth9 table 254 metric 5: ENODEV (no device eth9 in this network namespace)',
    );
    assert.equal(
      refusal({ type: 'addAddress', device: 3, address: '10.0.0.256/24' }),
      "add address 10.0.0.256/24 dev #3: EINVAL ('10.0.0.256/24' is no address with a length)",
    );
    assert.match(
      refusal({ type: 'addNeighbour', device: 'eth7', address: '10.0.0.1', mac: 'ee:ee' }) ?? '',
      /'ee:ee' is no MAC address/,
    );
    const heavy = [{ gateway: '10.1.1.1', weight: 300 }];
    assert.match(
      refusal({ type: 'addRoute', route: { destination: '10.0.0.0/24', nextHops: heavy } }) ?? '',
      /weight 300: wanted 1 to 256/,
    );
  });
});
