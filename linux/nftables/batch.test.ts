// Messages to nf_tables against those of nft 1.0.6, taken with strace on x86-64 (little-endian). Compared from the type on
// without flags and numbers: nft asks for no acknowledgement.
import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { Batch } from './batch.ts';
import { count, equals, loadMeta, loadPayload, masked, verdict } from './expressions.ts';

const captures = {
  begin: '140000001000010000000000000000000000000a',
  end: '14000000110001000c000000000000000000000a',
  addTable: '2c000000000a01000100000000000000010000000d000100706f64726f757465000000000800020000000000',
  deleteTable: '24000000020a01000100000000000000010000000d000100706f64726f75746500000000',
  /** { type filter hook prerouting priority raw; policy accept; } */
  addChain:
    '58000000030a01040200000000000000010000000d000100706f64726f757465000000000c000300736f757263657300' +
    '0b00070066696c7465720000080005000000000114000480080001000000000008000200fffffed4',
  /** { type ifname; }, the third message of its batch */
  addSet:
    '5c000000090a01040400000000000000010000000d000100706f64726f757465000000000a0002006c696e6b73000000' +
    '08000300000000000800040000000029080005000000001008000a00000000030a000d000004010000000000',
  /** { "pr0123456789abc" . 10.77.0.5 } */
  addElement:
    '5c0000000c0a01040500000000000000010000000d000100706f64726f75746500000000090002006970763400000000' +
    '080004000000000224000380200001801c00018018000100707230313233343536373839616263000a4d0005',
  /** { "pr0123456789abc" . fd00::1 } */
  deleteElement:
    '600000000e0a01000100000000000000010000000d000100706f64726f75746500000000090002006970763600000000' +
    '300003802c000180280001802400010070723031323334353637383961626300fd000000000000000000000000000001',
  /** icmpv6 type nd-router-advert counter name "source" drop */
  addCountingRule:
    '8c010000060a010c0300000000000000010000000d000100706f64726f757465000000000c000200736f757263657300' +
    '5c01048024000180090001006d6574610000000014000280080002000000000f08000100000000012c00018008000100' +
    '636d700020000280080001000000000108000200000000000c000380050001000a00000024000180090001006d657461' +
    '0000000014000280080002000000001008000100000000012c00018008000100636d7000200002800800010000000001' +
    '08000200000000000c000380050001003a000000340001800c0001007061796c6f616400240002800800010000000001' +
    '0800020000000002080003000000000008000400000000012c00018008000100636d7000200002800800010000000001' +
    '08000200000000000c0003800500010086000000280001800b0001006f626a7265660000180002800800010000000001' +
    '0a000200736f757263650000300001800e000100696d6d6564696174650000001c000280080001000000000010000280' +
    '0c0002800800010000000000',
  /** ip6 saddr fe80::/10 ip6 daddr ff00::/10 accept */
  addMaskingRule:
    '44020000060a010c0400000000000000010000000d000100706f64726f757465000000000c000200736f757263657300' +
    '1402048024000180090001006d6574610000000014000280080002000000000f08000100000000012c00018008000100' +
    '636d700020000280080001000000000108000200000000000c000380050001000a000000340001800c0001007061796c' +
    '6f6164002400028008000100000000010800020000000001080003000000000808000400000000105c0001800c000100' +
    '62697477697365004c0002800800010000000001080002000000000108000300000000101800048014000100ffc00000' +
    '0000000000000000000000001800058014000100000000000000000000000000000000003800018008000100636d7000' +
    '2c000280080001000000000108000200000000001800038014000100fe80000000000000000000000000000034000180' +
    '0c0001007061796c6f616400240002800800010000000001080002000000000108000300000000180800040000000010' +
    '5c0001800c00010062697477697365004c00028008000100000000010800020000000001080003000000001018000480' +
    '14000100ffc0000000000000000000000000000018000580140001000000000000000000000000000000000038000180' +
    '08000100636d70002c000280080001000000000108000200000000001800038014000100ff0000000000000000000000' +
    '00000000300001800e000100696d6d6564696174650000001c0002800800010000000000100002800c00028008000100' +
    '00000001',
} as const;

const octets = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
const ascii = (text: string, length: number) => {
  const padded = new Uint8Array(length);
  padded.set(Buffer.from(text));
  return padded;
};
const IPV4_PAIRS = { name: 'ipv4', keyType: 0, keyLength: 20 };
const IPV6_PAIRS = { name: 'ipv6', keyType: 0, keyLength: 32 };
const LINK = ascii('pr0123456789abc', 16);

/** The messages of a batch, its begin first. */
function messagesOf(write: (batch: Batch) => void): Buffer[] {
  const batch = new Batch('podroute').begin(7);
  write(batch);
  const bytes = Buffer.from(batch.end().bytes);
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += (messages.at(-1)!.length + 3) & ~3)
    messages.push(bytes.subarray(at, at + bytes.readUInt32LE(at)));
  return messages;
}

const withoutHead = (hex: string) => `${hex.slice(8, 12)} ${hex.slice(32)}`;

describe('a batch for nf_tables', function () {
  before(function () {
    if (endianness() !== 'LE') this.skip();
  });

  const CASES: readonly [keyof typeof captures, (batch: Batch) => void][] = [
    ['addTable', (batch) => batch.addTable()],
    ['deleteTable', (batch) => batch.deleteTable()],
    ['addChain', (batch) => batch.addChain({ name: 'sources', hook: 0, priority: -300, policy: 'accept' })],
    [
      'addElement',
      (batch) => batch.addElements(IPV4_PAIRS, [octets('70723031323334353637383961626300' + '0a4d0005')]),
    ],
    [
      'deleteElement',
      (batch) =>
        batch.deleteElements(IPV6_PAIRS, [Uint8Array.from([...LINK, 0xfd, ...new Uint8Array(14), 1])]),
    ],
    [
      'addCountingRule',
      (batch) =>
        batch.addRule('sources', [
          loadMeta('family', 1),
          equals(1, Uint8Array.of(10)),
          loadMeta('protocol', 1),
          equals(1, Uint8Array.of(58)),
          loadPayload('transport', 0, 1, 1),
          equals(1, Uint8Array.of(134)),
          count('source'),
          verdict('drop'),
        ]),
    ],
    [
      'addMaskingRule',
      (batch) =>
        batch.addRule('sources', [
          loadMeta('family', 1),
          equals(1, Uint8Array.of(10)),
          ...[
            [8, 0xfe80],
            [24, 0xff00],
          ].flatMap(([offset = 0, value = 0]) => [
            loadPayload('network', offset, 16, 1),
            masked(1, Uint8Array.of(0xff, 0xc0, ...new Uint8Array(14))),
            equals(1, Uint8Array.of(value >> 8, value & 0xff, ...new Uint8Array(14))),
          ]),
          verdict('accept'),
        ]),
    ],
  ];
  for (const [name, write] of CASES) {
    it(`says ${name} as nft does`, () => {
      const [begin, message, end] = messagesOf(write);
      let expected: string = captures[name];
      // nft names the set by its number as well: NFTA_SET_ELEM_LIST_SET_ID.
      if (name === 'addElement') expected = expected.replace('0800040000000002', '');
      // And leaves out the zero behind a counter's name.
      if (name === 'addCountingRule') expected = expected.replace('0a000200736f75', '0b000200736f75');
      assert.equal(withoutHead(message!.toString('hex')), withoutHead(expected));
      assert.equal(withoutHead(begin!.toString('hex')), withoutHead(captures.begin));
      assert.equal(withoutHead(end!.toString('hex')), withoutHead(captures.end));
      assert.deepEqual(
        [begin, message, end].map((one) => one!.readUInt32LE(8)),
        [7, 8, 9],
      );
    });
  }

  it('numbers sets by their place, and tells nft how their keys are to be read', () => {
    const messages = messagesOf((batch) => {
      batch.addTable();
      batch.addTable();
      batch.addSet({ name: 'links', keyType: 41, keyLength: 16, isHostOrder: true });
    });
    assert.equal(withoutHead(messages[3]!.toString('hex')), withoutHead(captures.addSet));
  });

  it('spreads many elements over messages whose attributes are within 64 KB', () => {
    const keys = Array.from({ length: 5000 }, (_, i) => {
      const key = new Uint8Array(32);
      new DataView(key.buffer).setUint32(0, i);
      return key;
    });
    const messages = messagesOf((batch) => batch.addElements(IPV6_PAIRS, keys)).slice(1, -1);
    assert.ok(messages.length > 5 && messages.every(({ length }) => length < 0xffff));
    const all = Buffer.concat(messages);
    for (const key of keys) assert.ok(all.includes(Buffer.from(key)));
  });

  it('is one for the kernel, and says what each message was', () => {
    const batch = new Batch('podroute').begin(100);
    batch.addTable();
    batch.addCounter('source');
    const { first, messages } = batch.end();
    assert.equal(first, 101);
    assert.deepEqual(messages, ['add table inet podroute', 'add counter source']);
    assert.equal(batch.begin(200).end().bytes.length, 40);
  });
});
