// Patterns for communities on octets of the wire: of extended ones the layouts of RFC 4360 and RFC 5668.
import assert from 'node:assert/strict';
import { attribute, bytes } from '../../../testing/message-bytes.ts';
import { carriesCommunity } from './community-list.ts';
import { isOneCommunity, parseCommunityPattern } from './community-pattern.ts';

const carries = (value: string, text: string): boolean => {
  const block = bytes(attribute(0xc0, 16, value));
  return carriesCommunity(block, 0, block.length, parseCommunityPattern(text)!);
};

describe('a pattern for extended communities', () => {
  it('holds for the one that it names, in the layout that its administrator asks for', () => {
    for (const [value, good, bad] of [
      [
        '0002 fde8 00000001',
        ['rt:65000:1', 'rt:65000:*', 'rt:*:*'],
        ['ro:65000:1', 'rt:65000:2', 'rt:65001:*'],
      ],
      ['0003 fde8 ffffffff', ['ro:65000:4294967295', 'ro:*:*'], ['rt:65000:4294967295', 'ro:65000:1']],
      ['0102 c0000201 0007', ['rt:192.0.2.1:7', 'rt:192.0.2.1:*'], ['rt:192.0.2.1:8', 'rt:192.0.2.2:*']],
      ['0202 fa56ea00 0007', ['rt:4200000000:7', 'rt:4200000000:*', 'rt:*:*'], ['rt:4200000001:7', 'ro:*:*']],
      [
        '4306 00000000 0001',
        ['generic:0x4306:0x000000000001', 'generic:0x4306:*'],
        ['generic:0x4306:0x000000000002'],
      ],
      ['4306 00000000 0001', [], ['generic:0x0306:*', 'rt:*:*']],
      ['0002 fde8 00000009 0003 fde8 00000001', ['rt:65000:9', 'ro:65000:1'], ['rt:65000:1', '65000:1']],
    ] as const) {
      for (const text of good) assert.ok(carries(value, text), `${value}: ${text}`);
      for (const text of bad) assert.ok(!carries(value, text), `${value}: ${text}`);
    }
  });

  it('can be added when nothing of it is open', () => {
    for (const [text, isOne] of [
      ['rt:65000:1', true],
      ['rt:65000:*', false],
      ['generic:0x4306:*', false],
      ['65000:1', true],
      ['*:1', false],
      ['1:2:*', false],
    ] as const)
      assert.equal(isOneCommunity(parseCommunityPattern(text)!), isOne, text);
  });

  it('is no other text', () => {
    for (const text of [
      '',
      '1',
      '1:',
      'rt:1',
      'rt:4200000000:65536',
      'rt:*:1',
      'rt:1.2.3:1',
      'generic:1:2',
      '1:2:3:4',
    ])
      assert.equal(parseCommunityPattern(text), undefined, text);
  });
});
