import assert from 'node:assert/strict';
import { newControlPacket, decodeControlPacket } from './control-packet.ts';
import { PacketAuthentication } from './packet-authentication.ts';
import { newRefusal } from './refusal.ts';
import type { BfdAuthentication, BfdAuthType } from './session-config.ts';

/** Up, multiplier 3, key ID 7, key 'secret', sequence number 0x01020304; digests made with Python's hashlib. */
const VECTORS: Readonly<Record<BfdAuthType, string>> = {
  SimplePassword: '20c403211122334455667788000186a000030d4000000000010907736563726574',
  KeyedMD5:
    '20c403301122334455667788000186a000030d40000000000218070001020304a9210f7adc28101291b2ad5cf11b9824',
  MeticulousKeyedMD5:
    '20c403301122334455667788000186a000030d40000000000318070001020304fca47461c7d41c16bdd3353a3bdd835a',
  KeyedSHA1:
    '20c403341122334455667788000186a000030d4000000000041c0700010203047dfb34f3b716f6ee99539802622dbb411b0b132c',
  MeticulousKeyedSHA1:
    '20c403341122334455667788000186a000030d4000000000051c070001020304a0641090e68f4d196c37055c41519358653f69b5',
};
const TYPES = Object.keys(VECTORS) as BfdAuthType[];
const SEQUENCE = 0x01020304;

const key = (type: BfdAuthType, text = 'secret', keyId = 7): BfdAuthentication => ({
  type,
  keyId,
  key: Buffer.from(text),
});
const vector = (type: BfdAuthType): Uint8Array => Uint8Array.from(Buffer.from(VECTORS[type], 'hex'));

/** 'good', or why not. */
function check(receiver: PacketAuthentication, bytes: Uint8Array): string {
  const packet = newControlPacket();
  const refusal = newRefusal();
  const before = Uint8Array.from(bytes);
  if (!decodeControlPacket(bytes, packet, refusal)) return refusal.kind;
  const isGood = receiver.verify(bytes, packet, refusal);
  assert.deepEqual(bytes, before, 'what arrived was written to');
  return isGood ? 'good' : refusal.kind;
}

/** The same packet with another sequence number, signed with the key. */
function signed(type: BfdAuthType, sequence: number, by = key(type)): Uint8Array {
  const bytes = vector(type);
  new PacketAuthentication(by, sequence - 1).sign(bytes);
  return bytes;
}

describe('BFD authentication', () => {
  for (const type of TYPES) {
    const fresh = () => new PacketAuthentication(key(type), 0);

    it(`${type} is written and read as in RFC 5880 §6.7`, () => {
      assert.deepEqual(signed(type, SEQUENCE), vector(type));
      assert.equal(check(fresh(), vector(type)), 'good');
    });

    it(`${type} refuses another key, key ID, type and length`, () => {
      assert.equal(check(new PacketAuthentication(key(type, 'secreT'), 0), vector(type)), 'digest');
      assert.equal(check(new PacketAuthentication(key(type, 'secret', 8), 0), vector(type)), 'key ID');
      for (const other of TYPES.filter((one) => one !== type))
        assert.equal(check(new PacketAuthentication(key(other), 0), vector(type)), 'authentication type');
      const shorter = vector(type);
      shorter[25] = shorter[25]! - 1;
      assert.equal(check(fresh(), shorter), 'authentication length');
      // The section says that it is longer than the packet.
      const cut = vector(type);
      cut[3] = cut[3]! - 1;
      assert.equal(check(fresh(), cut), 'authentication length');
    });
  }

  for (const type of TYPES.filter((one) => one !== 'SimplePassword')) {
    it(`${type} covers every octet of the packet`, () => {
      for (let at = 4; at < vector(type).length; at++) {
        const bytes = vector(type);
        bytes[at] = bytes[at]! ^ 0x10;
        assert.notEqual(check(new PacketAuthentication(key(type), 0), bytes), 'good', `octet ${at}`);
      }
    });

    const isMeticulous = type.startsWith('Meticulous');
    it(`${type} takes ${isMeticulous ? 'no' : 'the same'} sequence number twice, and a window of three multipliers`, () => {
      for (const start of [1000, 0xffff_fffe]) {
        const outcome = (ahead: number): string => {
          const receiver = new PacketAuthentication(key(type), 0);
          assert.equal(check(receiver, signed(type, start)), 'good');
          return check(receiver, signed(type, start + ahead));
        };
        assert.equal(outcome(0), isMeticulous ? 'sequence number' : 'good');
        assert.equal(outcome(1), 'good');
        assert.equal(outcome(9), 'good');
        assert.equal(outcome(10), 'sequence number');
        assert.equal(outcome(-1), 'sequence number');
        assert.equal(outcome(0x8000_0000), 'sequence number');
      }
    });

    it(`${type} lets no sequence number count that came with another key`, () => {
      const receiver = new PacketAuthentication(key(type), 0);
      assert.equal(check(receiver, signed(type, 500, key(type, 'wrong'))), 'digest');
      assert.equal(check(receiver, signed(type, 100)), 'good');
      assert.equal(check(receiver, signed(type, 105, key(type, 'wrong'))), 'digest');
      assert.equal(check(receiver, signed(type, 101)), 'good');
    });

    it(`${type} takes any sequence number again when it has forgotten the last`, () => {
      const receiver = new PacketAuthentication(key(type), 0);
      assert.equal(check(receiver, signed(type, 5000)), 'good');
      assert.equal(check(receiver, signed(type, 100)), 'sequence number');
      receiver.forgetSequence();
      assert.equal(check(receiver, signed(type, 100)), 'good');
      assert.equal(check(receiver, signed(type, 99)), 'sequence number');
    });

    it(`${type} goes on counting with a new key`, () => {
      const before = new PacketAuthentication(key(type), 700);
      before.sign(vector(type));
      const bytes = vector(type);
      new PacketAuthentication(key(type, 'next'), before).sign(bytes);
      const receiver = new PacketAuthentication(key(type, 'next'), 0);
      assert.equal(check(receiver, bytes), 'good');
      assert.equal(new DataView(bytes.buffer).getUint32(28), 702);
    });
  }
});
