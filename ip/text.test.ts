import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import fc from 'fast-check';
import { formatIpv4, formatIpv6, formatOctets, parseIpv4, parseIpv6, parseOctets } from './text.ts';

/** What is printed for a text, '-' for one that is no address. */
const canonical = (text: string): string => {
  const bytes = parseOctets(text);
  return bytes === undefined ? '-' : formatOctets(bytes, 0, bytes.length);
};

/** Four or sixteen octets with many zeros, so that runs of them are met. */
const octets = fc.constantFrom(4, 16).chain((size) =>
  fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })), {
    minLength: size,
    maxLength: size,
  }),
);

/** Texts that are addresses, or nearly. */
const part = fc.constantFrom('', '0', '1', 'ffff', '12345', 'g', '1.2.3.4', '01', '256', ':', '.', '%eth0');
const nearly = fc.oneof(
  fc.ipV6(),
  fc.ipV4(),
  fc.array(part, { maxLength: 9 }).map((parts) => parts.join(':')),
  fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
);

describe('an address as text', () => {
  for (const [text, expected] of [
    ['2001:0db8::0001', '2001:db8::1'],
    ['2001:DB8::AbCd', '2001:db8::abcd'],
    ['FD00:0:0:1:0:0:0:1', 'fd00:0:0:1::1'],
    ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:0:0:4:5:0:0:8', '1::4:5:0:0:8'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['fe80::', 'fe80::'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['a:b:c:d:e:f:0:1', 'a:b:c:d:e:f:0:1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
  ] as const) {
    it(`is written as RFC 5952 §4 says: ${text} is ${expected}`, () => {
      assert.equal(canonical(text), expected);
    });
  }

  it('keeps its dots when it is IPv4-mapped (RFC 5952 §5), however it came, and no other does', () => {
    for (const text of [
      '::ffff:1.2.3.4',
      '::ffff:102:304',
      '::FFFF:0102:0304',
      '0:0:0:0:0:ffff:1.2.3.4',
      '0:0::ffff:1.2.3.4',
    ]) {
      assert.equal(canonical(text), '::ffff:1.2.3.4', text);
    }
    assert.equal(canonical('::ffff:0:0'), '::ffff:0.0.0.0');
    assert.equal(canonical('::1.2.3.4'), '::102:304');
    assert.equal(canonical('::ffff:0:1.2.3.4'), '::ffff:0:102:304');
    assert.equal(canonical('1::ffff:1.2.3.4'), '1::ffff:102:304');
  });

  it('has no leading zeros between its dots, which some programs read as octal', () => {
    for (const text of ['010.0.0.1', '10.0.0.01', '10.00.0.1', '::ffff:01.2.3.4', '::1.2.3.04']) {
      assert.equal(canonical(text), '-', text);
    }
  });

  it("has '::' for one group of zeros at least (RFC 4291 §2.2)", () => {
    assert.equal(canonical('1:2:3:4:5:6:7::'), '1:2:3:4:5:6:7:0');
    assert.equal(canonical('::2:3:4:5:6:7:8'), '0:2:3:4:5:6:7:8');
    for (const text of [
      '1::2:3:4:5:6:7:8',
      '1:2:3:4:5:6:7:8::',
      '::1:2:3:4:5:6:7:8',
      '1:2:3:4:5:6::1.2.3.4',
    ]) {
      assert.equal(canonical(text), '-', text);
    }
  });

  it('has no zone, brackets, blanks, signs, or other digits', () => {
    for (const text of [
      'fe80::1%eth0',
      '::1/128',
      '[::1]',
      ' 10.0.0.1',
      '10.0.0.1 ',
      '10.0.0.1\n',
      '1.2.3.+4',
      '1.2.3.-4',
      '1.2.3.1e1',
      '0x1.2.3.4',
      '１.2.3.4',
      'ｆe80::1',
      'node-1',
    ]) {
      assert.equal(canonical(text), '-', text);
    }
  });

  it('is none when a part is missing, too many or too large', () => {
    for (const text of [
      '',
      ':',
      ':::',
      ':1',
      '1:',
      '1:2',
      '1::2::3',
      '1:::2',
      '1:2:3:4:5:6:7:',
      '1:2:3:4:5:6:7:8:',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7::8:9',
      '1:2:3:4:5:6:7:1.2.3.4',
      '1.2.3.4::',
      '::1.2.3.4:5',
      '12345::',
      'g::',
      '1.2.3',
      '1.2.3.',
      '.1.2.3',
      '1..2.3',
      '1.2.3.4.5',
      '1.2.3.4.',
      '10.0.0.256',
      '10.0.0.1000',
    ]) {
      assert.equal(canonical(text), '-', text);
    }
  });

  it('is one where Node says so, but for zones', () => {
    fc.assert(
      fc.property(nearly, (text) => {
        assert.equal(parseOctets(text) !== undefined, isIP(text) !== 0 && !text.includes('%'), text);
      }),
      { numRuns: 3000 },
    );
  });

  it('comes back as the octets that it was made of, and its text as the URL parser writes it', () => {
    fc.assert(
      fc.property(octets, (values) => {
        const text = formatOctets(Uint8Array.from(values), 0, values.length);
        assert.deepEqual([...(parseOctets(text) ?? [])], values);
        assert.equal(canonical(text), text);
        if (values.length === 16 && !text.includes('.'))
          assert.equal(new URL(`http://[${text}]`).hostname, `[${text}]`);
      }),
    );
  });

  it('is the same from octets anywhere in a buffer and from words of either sign', () => {
    fc.assert(
      fc.property(octets, (values) => {
        const view = new DataView(Uint8Array.from([9, 9, ...values, 9]).buffer);
        const text = formatOctets(new Uint8Array(view.buffer), 2, values.length);
        if (values.length === 4) {
          assert.equal(formatIpv4(view.getInt32(2)), text);
          assert.equal(formatIpv4(view.getUint32(2)), text);
          assert.equal(parseIpv4(text), view.getUint32(2));
        } else {
          const signed = [2, 6, 10, 14].map((at) => view.getInt32(at)) as [number, number, number, number];
          const unsigned = signed.map((word) => word >>> 0) as [number, number, number, number];
          assert.equal(formatIpv6(...signed), text);
          assert.equal(formatIpv6(...unsigned), text);
          assert.deepEqual([...parseIpv6(text)!], values);
        }
      }),
    );
  });

  it('is of the family that was asked for', () => {
    assert.equal(parseIpv4('::1'), undefined);
    assert.equal(parseIpv6('10.0.0.1'), undefined);
  });
});
