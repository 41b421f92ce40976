import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import fc from 'fast-check';
import { formatAddress, formatMac, parseAddress, parseMac, parsePrefix } from './ip-text.ts';

describe('IP addresses as text', () => {
  it('are written as RFC 5952 §4 says', () => {
    const canonical = (text: string) => {
      const bytes = parseAddress(text);
      return bytes === undefined ? undefined : formatAddress(bytes, 0, bytes.length);
    };
    const examples = [
      ['2001:0db8::0001', '2001:db8::1'],
      ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
      ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
      ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
      ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
      ['2001:DB8::AbCd', '2001:db8::abcd'],
      ['::ffff:192.0.2.1', '::ffff:c000:201'],
      ['::', '::'],
      ['1::', '1::'],
      ['192.0.2.1', '192.0.2.1'],
    ];
    for (const [text, expected] of examples) assert.equal(canonical(text as string), expected);
  });

  it('are the same bytes after writing and reading', () => {
    const bytes = fc.constantFrom(4, 16).chain((size) =>
      // many zeros, so that runs of them are met
      fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })), {
        minLength: size,
        maxLength: size,
      }),
    );
    fc.assert(
      fc.property(bytes, (values) => {
        const text = formatAddress(Uint8Array.from(values), 0, values.length);
        assert.deepEqual([...(parseAddress(text) ?? [])], values);
        if (values.length === 16) assert.equal(new URL(`http://[${text}]`).hostname, `[${text}]`);
      }),
    );
  });

  it('are accepted where Node accepts them, but for zones', () => {
    const part = fc.constantFrom(
      '',
      '0',
      '1',
      'ffff',
      '12345',
      'g',
      '1.2.3.4',
      '01',
      '256',
      ':',
      '.',
      '%eth0',
    );
    const text = fc.oneof(
      fc.ipV6(),
      fc.ipV4(),
      fc.array(part, { maxLength: 9 }).map((parts) => parts.join(':')),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        const isAddress = isIP(candidate) !== 0 && !candidate.includes('%');
        assert.equal(parseAddress(candidate) !== undefined, isAddress, candidate);
      }),
      { numRuns: 2000 },
    );
  });

  it('have a length from 0 to that of their family', () => {
    assert.equal(parsePrefix('10.0.0.0/8')?.length, 8);
    assert.equal(parsePrefix('10.0.0.1')?.length, 32);
    assert.equal(parsePrefix('::/0')?.length, 0);
    for (const wrong of ['10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/+8', '10.0.0.0/8/8', '10.0/8', '']) {
      assert.equal(parsePrefix(wrong), undefined, wrong);
    }
  });

  it('and MAC addresses have six pairs of digits', () => {
    assert.equal(formatMac(parseMac('02:AB:00:00:00:ff') ?? new Uint8Array(), 0, 6), '02:ab:00:00:00:ff');
    for (const wrong of ['02:ab:00:00:00', '2:ab:0:0:0:ff', '02-ab-00-00-00-ff', ''])
      assert.equal(parseMac(wrong), undefined);
  });
});
