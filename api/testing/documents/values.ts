// Values good and bad of the kinds of field that several kinds of object share, for the tables of documents.
import type { Difference, FieldRow } from './document-case.ts';

type Values = Pick<FieldRow, 'good' | 'bad' | 'differs'>;

export const texts = (most = 253): Values => ({
  good: ['a', 'x'.repeat(most)],
  bad: ['', 5, true, ['a'], { a: 1 }, 'x'.repeat(most + 1)],
});

export const flags: Values = { good: [true, false], bad: ['true', 'yes', 1, 0, []] };

export const integers = (minimum: number, maximum: number): Values => ({
  good: [minimum, maximum],
  bad: [minimum - 1, maximum + 1, minimum + 0.5, `${minimum}`, true],
});

export const words = (...values: readonly string[]): Values => ({
  good: values,
  bad: [values[0]!.toUpperCase() + 'x', '', 1, values],
});

export const ipv4Addresses: Values = {
  good: ['10.0.0.1', '255.255.255.255'],
  bad: ['10.0.0.300', '010.0.0.1', '10.0.0', '10.0.0.1/32', ' 10.0.0.1', 'fd00::1', '::ffff:10.0.0.1', '', 1],
};

export const addresses: Values = {
  good: ['10.0.0.1', 'fd00::1', 'FD00:0:0:0:0:0:0:1', '::', 'fe80::1'],
  bad: ['10.0.0.256', '01.2.3.4', 'fd00:::1', 'fe80::1%eth0', '[fd00::1]', '::ffff:10.0.0.1', 'tor-a', '', 5],
};

const MANY_HOSTS = ['224.0.0.1', '239.255.255.255', '255.255.255.255', 'ff02::1'];

/** Without those that no one host has: a listening socket's, a cluster's, a gateway's. */
export const hostAddresses: Values = { good: addresses.good!, bad: [...addresses.bad!, ...MANY_HOSTS] };
export const ipv4HostAddresses: Values = {
  good: ['10.0.0.1', '240.0.0.1', '0.0.0.0'],
  bad: [...ipv4Addresses.bad!, ...MANY_HOSTS],
};
export const gatewayAddresses: Values = {
  good: hostAddresses.good!.filter((value) => value !== '::'),
  bad: [...hostAddresses.bad!, '0.0.0.0', '::'],
};

export const ipv6Addresses: Values = {
  good: ['fd00::1', '::1'],
  bad: ['10.0.0.1', '::ffff:10.0.0.1', 'fd00::1%eth0', 'fd00::g', ''],
};

export const ipv4Cidrs: Values = {
  good: ['10.0.0.0/8', '0.0.0.0/0', '10.0.0.1/32'],
  bad: ['10.0.0.1/8', '10.0.0.0', '10.0.0.0/33', '10.0.0.0/08', '10.0.0.0/+8', '10.0.0.0/', 'fd00::/48', 7],
};

export const ipv6Cidrs: Values = {
  good: ['fd00::/48', '::/0', 'FD00:0:0:1::/64'],
  bad: ['fd00::1/48', 'fd00::', 'fd00::/129', '10.0.0.0/8', '::ffff:10.0.0.0/104', 'fe80::%eth0/64'],
};

export const cidrs: Values = {
  good: [...ipv4Cidrs.good!, ...ipv6Cidrs.good!, 'ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128'],
  bad: [
    ...ipv4Cidrs.bad!.filter((value) => value !== 'fd00::/48'),
    ...ipv6Cidrs.bad!.filter((value) => value !== '10.0.0.0/8'),
  ],
};

export const hostCidrs: Values = {
  good: ['10.0.0.0/8', '0.0.0.0/0', '192.0.0.0/2', '240.0.0.0/4', 'fd00::/48', '::/0', 'fe80::/10'],
  bad: [...cidrs.bad!, '224.0.0.0/4', '224.0.0.0/24', '239.1.2.3/32', 'ff00::/8', 'ff02::/16'],
};

export const asNumbers: Values = {
  good: [1, 4_294_967_295, 64512, '64512', '4294967295', '1.10', '0.1', '65535.65535'],
  bad: [
    ...[0, -1, 4_294_967_296, 23456, 1.5, true],
    ...[
      '0',
      '23456',
      '0.0',
      '0.23456',
      '4294967296',
      '65536.1',
      '1.65536',
      '1.2.3',
      'AS1',
      '',
      ' 1',
      '064512',
    ],
  ],
};

/** Of seconds from `minimum` to `maximum`, both whole. */
export const durations = (minimum: number, maximum: number, zero?: 'zero allowed'): Values => ({
  good: [
    ...[minimum, maximum, `${minimum}`, `${minimum}s`, `${minimum}.5s`, `${maximum}s`, `${minimum * 1000}ms`],
    ...(zero ? [0, '0', '0s'] : []),
  ],
  bad: [
    ...(minimum > 0 ? [minimum - 0.5, `${minimum - 0.5}s`] : []),
    ...(minimum > 0 && !zero ? [0, '0s'] : []),
    ...(zero ? [minimum - 1, `${minimum - 1}s`] : []),
    ...[minimum + 0.5, maximum + 1, `${maximum + 1}`, `${maximum + 1}s`, `${maximum * 1000 + 1}ms`],
    ...[-1, '-1s', '1m30', '1 s', 'soon', '', '1.s', '5d', true, `${'0'.repeat(40)}${minimum}s`],
  ],
});

export const communities: Values = {
  good: ['65000:1', '0:0', '65535:65535', '4294967295:4294967295:4294967295', '064512:01'],
  bad: [
    '65536:1',
    '1:65536',
    '4294967296:1:1',
    '1:1:4294967296',
    '1',
    '1:2:3:4',
    'a:b',
    '1:',
    '',
    5,
    'no-export',
  ],
};

const NESTED: Difference = {
  value: "(rack == 'r1'",
  takenBy: 'server',
  because:
    'no pattern counts parentheses; the agent says it in status, and the last good version stays in force',
};

export const selectors: Values = {
  good: [
    ...['all()', "rack == 'r1'", 'rack=="r1"&&!has(spare)', "!(a == 'b' || c != 'd') && e in {'f', \"g\"}"],
    ...[
      'a not in {}',
      "a notin {'x'}",
      "kubernetes.io/os starts with 'lin'",
      "a contains ')('",
      'global()',
      ' ',
    ],
    ...["a endswith 'x' || (((has(b))))", "in in {'in'}", '! ! has(a)', `a == '${'x'.repeat(1017)}'`],
  ],
  bad: [
    ...["rack = 'r1'", 'rack == r1', 'rack', "rack == 'r1", "rack == 'r1' &&", "&& rack == 'r1'", 'none()'],
    ...["a == 'b' c == 'd'", "a in 'b'", "a in {'b'", "a in {'b',}", 'has()', 'has(a', 'all', '()', '', 5],
    ...["a == 'b' & c == 'd'", `a == '${'x'.repeat(1018)}'`],
  ],
  differs: [NESTED],
};

export const anyCommunities: Values = {
  good: [
    ...communities.good!,
    ...['no-export', 'graceful-shutdown', 'rt:65000:4294967295', 'ro:4200000000:1', 'rt:192.0.2.1:65535'],
    'generic:0x4306:0x000000000001',
  ],
  bad: [
    ...communities.bad!.filter((value) => value !== 'no-export'),
    ...['65000:*', 'rt:65000:*', 'rt:*:*', 'rt:4200000000:65536', 'generic:0x4306:*', 'no-exports'],
  ],
};

export const communityPatterns: Values = {
  good: [
    ...['65000:1', '65535:65535', '65000:*', '*:1', '*:*', '65000:1:4294967295', '65000:*:*', 'no-export'],
    ...['rt:65000:4294967295', 'rt:65000:*', 'ro:4200000000:1', 'ro:192.0.2.1:65535', 'rt:*:*', 'blackhole'],
    ...['generic:0x4306:0x000000000001', 'generic:0x4306:*'],
  ],
  bad: [
    ...[
      '65000',
      '65536:1',
      '1:65536',
      '65000:1:4294967296',
      '65000:1:2:3',
      '65000:',
      '*',
      'no-exports',
      '',
      5,
    ],
    ...[
      'rt:65000',
      'rt:4200000000:65536',
      'ro:192.0.2.1:65536',
      'ro:192.0.2.256:1',
      'rt:*:1',
      'generic:0x4306',
    ],
    ...['generic:4306:1', ' 65000:1', '65000:01', '65000:1x', 'RT:65000:1'],
  ],
};
