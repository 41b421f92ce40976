import assert from 'node:assert/strict';
import {
  isLinkLocal,
  isLinkLocalIpv6,
  isManyHosts,
  isUnicastIpv4,
  isUnicastIpv6,
  isUnspecified,
  needsZone,
  splitZone,
  withZone,
} from './special.ts';
import { parseOctets } from './text.ts';
import { parseAddressWords } from './words.ts';

const words = (text: string) => parseAddressWords(text)!.words as [number, number, number, number];

describe('an address with a meaning of its own', () => {
  it('is link-local by its first ten bits: fe80::/10 is not what begins with fe80', () => {
    for (const text of ['fe80::1', 'FE80::1', 'fe80:1::1', 'fe9f::1', 'feaa::1', 'febf:ffff::1']) {
      assert.ok(isLinkLocal(text) && needsZone(text) && isLinkLocalIpv6(words(text)[0]), text);
      assert.ok(isLinkLocalIpv6(words(text)[0] >>> 0), text);
    }
    for (const text of [
      'fec0::1',
      'fe7f::1',
      'fe8::1',
      'fe::80',
      'fd00::fe80',
      '::fe80:1',
      'ff02::1',
      '::',
    ]) {
      assert.ok(!isLinkLocal(text) && !needsZone(text) && !isLinkLocalIpv6(words(text)[0]), text);
    }
  });

  it('is link-local in IPv4, too, but needs no zone there', () => {
    assert.ok(isLinkLocal('169.254.0.1') && isLinkLocal('169.254.255.255'));
    assert.ok(!isLinkLocal('169.253.0.1') && !isLinkLocal('170.254.0.1') && !isLinkLocal('eth0'));
    assert.ok(!needsZone('169.254.0.1'));
    assert.equal(withZone('fe80::1', 'eth0'), 'fe80::1%eth0');
    assert.equal(withZone('10.0.0.1', undefined), '10.0.0.1');
    assert.deepEqual(splitZone('fe80::1%eth0'), { address: 'fe80::1', zone: 'eth0' });
    assert.deepEqual(splitZone('::1.2.3.4'), { address: '::102:304' });
    assert.deepEqual(splitZone('::ffff:1.2.3.4'), { address: '::ffff:1.2.3.4' });
    assert.deepEqual(splitZone(''), { address: '' });
  });

  it('is unspecified when it is all zeros', () => {
    assert.deepEqual(
      ['0.0.0.0', '::', '0.0.0.1', '::1', '1::'].map((text) => isUnspecified(parseOctets(text)!)),
      [true, true, false, false, false],
    );
  });

  it('is no host when it is unspecified, loopback, multicast, broadcast or IPv4-mapped', () => {
    for (const text of [
      '0.0.0.0',
      '0.1.2.3',
      '127.0.0.1',
      '224.0.0.1',
      '239.255.255.255',
      '255.255.255.255',
    ]) {
      assert.ok(!isUnicastIpv4(words(text)[0]), text);
    }
    for (const text of [
      '1.0.0.1',
      '10.0.0.1',
      '126.1.1.1',
      '128.0.0.1',
      '223.255.255.255',
      '240.0.0.1',
      '255.0.0.1',
    ]) {
      assert.ok(isUnicastIpv4(words(text)[0]), text);
    }
    for (const text of ['::', '::1', 'ff02::1', '::ffff:10.0.0.1'])
      assert.ok(!isUnicastIpv6(...words(text)), text);
    for (const text of ['::2', '::ffff:ffff', '2001:db8::1', 'fe80::1', '1::ffff:10.0.0.1', '0:1::']) {
      assert.ok(isUnicastIpv6(...words(text)), text);
    }
  });

  it('are of many hosts: multicast and broadcast', () => {
    for (const text of ['224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1', 'ffff::'])
      assert.ok(isManyHosts(parseOctets(text)!), text);
    for (const text of [
      '223.255.255.255',
      '240.0.0.1',
      '255.255.255.254',
      '0.0.0.0',
      '::',
      'fe80::1',
      'fdff::1',
    ])
      assert.ok(!isManyHosts(parseOctets(text)!), text);
  });
});
