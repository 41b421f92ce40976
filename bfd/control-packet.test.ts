import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  type ControlPacket,
  decodeControlPacket,
  encodeControlPacket,
  MANDATORY_OCTETS,
  newControlPacket,
} from './control-packet.ts';
import { newRefusal } from './refusal.ts';

const octets = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));

function decode(bytes: Uint8Array): ControlPacket | string {
  const packet = newControlPacket();
  const refusal = newRefusal();
  return decodeControlPacket(bytes, packet, refusal)
    ? packet
    : `${refusal.kind} ${refusal.got} ${refusal.wanted}`;
}

/** RFC 5880 §4.1: version 1, diagnostic 3, Up, Poll, multiplier 5. */
const HEX = '23 e0 05 18 00000001 80000002 000186a0 00030d40 0000c350';
const PACKET: ControlPacket = {
  diagnostic: 3,
  state: 3,
  isPoll: true,
  isFinal: false,
  isIndependent: false,
  isAuthenticated: false,
  isDemand: false,
  multiplier: 5,
  length: 24,
  myDiscriminator: 1,
  yourDiscriminator: 0x80000002,
  desiredMinTxMicros: 100_000,
  requiredMinRxMicros: 200_000,
  requiredMinEchoRxMicros: 50_000,
};

const word = fc.integer({ min: 0, max: 0xffff_ffff });
const packets: fc.Arbitrary<ControlPacket> = fc.record(
  {
    diagnostic: fc.integer({ min: 0, max: 31 }),
    state: fc.integer({ min: 0, max: 3 }),
    isPoll: fc.boolean(),
    isFinal: fc.boolean(),
    isIndependent: fc.boolean(),
    isAuthenticated: fc.constant(false),
    isDemand: fc.boolean(),
    multiplier: fc.integer({ min: 1, max: 255 }),
    length: fc.constant(MANDATORY_OCTETS),
    myDiscriminator: fc.integer({ min: 1, max: 0xffff_ffff }),
    yourDiscriminator: word,
    desiredMinTxMicros: word,
    requiredMinRxMicros: word,
    requiredMinEchoRxMicros: word,
  },
  { noNullPrototype: true },
);

describe('BFD control packet', () => {
  it('stands in octets as in RFC 5880 §4.1', () => {
    assert.deepEqual(decode(octets(HEX)), PACKET);
    const bytes = new Uint8Array(24);
    encodeControlPacket(PACKET, bytes);
    assert.deepEqual(bytes, octets(HEX));
  });

  for (const [flag, bits] of [
    ['isPoll', 0x20],
    ['isFinal', 0x10],
    ['isIndependent', 0x08],
    ['isAuthenticated', 0x04],
    ['isDemand', 0x02],
  ] as const) {
    it(`has ${flag} in its bit`, () => {
      const bytes = new Uint8Array(26);
      const packet = { ...PACKET, isPoll: false, length: 26, [flag]: true };
      encodeControlPacket(packet, bytes);
      assert.equal(bytes[1], 0xc0 | bits);
      assert.deepEqual(decode(bytes), packet);
    });
  }

  it('is the same after encoding and decoding', () => {
    fc.assert(
      fc.property(packets, (packet) => {
        const bytes = new Uint8Array(MANDATORY_OCTETS);
        encodeControlPacket(packet, bytes);
        assert.deepEqual(decode(bytes), packet);
      }),
    );
  });

  it('is read out of any octets without a fault, and of what is taken the length is inside the datagram', () => {
    const mutated = fc
      .tuple(fc.uint8Array({ maxLength: 80 }), fc.array(fc.tuple(fc.nat(23), fc.nat(255)), { maxLength: 3 }))
      .map(([tail, changes]) => {
        const bytes = new Uint8Array(24 + tail.length);
        bytes.set(octets(HEX));
        bytes.set(tail, 24);
        for (const [at, value] of changes) bytes[at] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), mutated), (bytes) => {
        const result = decode(bytes);
        if (typeof result === 'string') return;
        assert.ok(result.length <= bytes.length && result.length >= MANDATORY_OCTETS);
        assert.ok(result.multiplier > 0 && result.myDiscriminator > 0);
      }),
      { numRuns: 2000 },
    );
  });

  // RFC 5880 §6.8.6, up to My Discriminator, each with all before it right.
  for (const { what, hex, refused } of [
    { what: 'too few octets for a packet', hex: HEX.slice(0, -2), refused: 'short 23 24' },
    { what: 'nothing', hex: '', refused: 'short 0 24' },
    { what: 'version 0', hex: `03${HEX.slice(2)}`, refused: 'version 0 1' },
    { what: 'version 2', hex: `43${HEX.slice(2)}`, refused: 'version 2 1' },
    { what: 'length 23', hex: HEX.replace('18', '17'), refused: 'length below least 23 24' },
    {
      what: 'length 25 with authentication',
      hex: `${HEX.replace('e0 05 18', 'e4 05 19')} 0100`,
      refused: 'length below least 25 26',
    },
    {
      what: 'a length of more than came',
      hex: `${HEX.replace('18', '1a')} 00`,
      refused: 'length beyond datagram 26 25',
    },
    { what: 'Detect Mult 0', hex: HEX.replace('05', '00'), refused: 'multiplier 0 0' },
    { what: 'the multipoint bit', hex: HEX.replace('e0', 'e1'), refused: 'multipoint 0 0' },
    { what: 'My Discriminator 0', hex: HEX.replace('00000001', '00000000'), refused: 'my discriminator 0 0' },
  ]) {
    it(`is refused with ${what}`, () => assert.equal(decode(octets(hex)), refused));
  }

  it('may stand in a longer datagram', () => assert.deepEqual(decode(octets(`${HEX} ffff`)), PACKET));
});
