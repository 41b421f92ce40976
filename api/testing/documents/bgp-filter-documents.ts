// BGPFilters, good and bad.
import { casesOf, type FieldRow, many } from './document-case.ts';
import {
  anyCommunities,
  asNumbers,
  cidrs,
  communities,
  communityPatterns,
  integers,
  ipv4Cidrs,
  ipv6Cidrs,
  texts,
  words,
} from './values.ts';

const accept = { action: 'Accept' };
const priorities = integers(1, 2_147_483_646);
/** One rule, as a list. */
const rule = (more: object) => [{ ...accept, ...more }];
const operation = (more: object) => rule({ operations: [more] });

/** Of a BGPFilter and of a BGPConfiguration. */
export const filterSetRows: readonly FieldRow[] = [
  {
    field: 'prefixSets',
    good: [
      [],
      [{ name: 'a', prefixes: [] }],
      many(20, (i) => ({ name: `a${i}`, prefixes: [{ cidr: '10.0.0.0/8' }] })),
    ],
    bad: [
      [{ name: 'a' }],
      [{ prefixes: [] }],
      [{ name: 'a', prefixes: ['10.0.0.0/8'] }],
      [1, 2].map(() => ({ name: 'a', prefixes: [] })),
      many(21, (i) => ({ name: `a${i}`, prefixes: [] })),
      [{ name: 'a', prefixes: many(501, (i) => ({ cidr: `10.${i >> 8}.${i & 255}.0/24` })) }],
      [{ name: 'a', prefixes: [{ cidr: '10.0.0.0/8', matchOperator: 'Equal', prefixLength: { max: 9 } }] }],
    ],
  },
  {
    field: 'prefixSets.0.name',
    with: { prefixSets: [{ name: 'a', prefixes: [] }] },
    good: ['a', '1.A_b-c', 'x'.repeat(32)],
    bad: ['', '-a', 'a b', 'a:b', 'x'.repeat(33), 5],
  },
  ...(
    [
      ['cidr', cidrs],
      ['matchOperator', words('Equal', 'In')],
      ['prefixLength.min', integers(0, 128)],
      ['prefixLength.max', integers(0, 128)],
    ] as const
  ).map(([field, values]) => ({
    field: `prefixSets.0.prefixes.0.${field}`,
    with: { prefixSets: [{ name: 'a', prefixes: [{ cidr: '10.0.0.0/8' }] }] },
    ...values,
  })),
  {
    field: 'communitySets',
    good: [[], [{ name: 'a', values: [] }], [{ name: 'a', values: many(100, (i) => `1:${i}`) }]],
    bad: [
      [{ name: 'a' }],
      [{ values: [] }],
      [1, 2].map(() => ({ name: 'a', values: [] })),
      many(21, (i) => ({ name: `a${i}`, values: [] })),
      [{ name: 'a', values: many(101, (i) => `1:${i}`) }],
      [{ name: 'a', values: ['set:a'] }],
    ],
  },
  {
    field: 'communitySets.0.values.0',
    with: { communitySets: [{ name: 'a', values: ['1:1'] }] },
    ...communityPatterns,
  },
];

export const bgpFilterDocuments = casesOf('BGPFilter', {}, [
  ...['importV4', 'exportV4', 'importV6', 'exportV6'].flatMap((list) => {
    const isV4 = list.endsWith('4');
    const bits = isV4 ? 32 : 128;
    const cidr = isV4 ? '10.0.0.0/8' : 'fd00::/8';
    const withCidr = { [list]: rule({ matchOperator: 'In', cidr }) };
    return [
      {
        field: list,
        good: [
          [],
          rule({}),
          [{ action: 'Reject' }],
          many(100, () => accept),
          rule({ matchOperator: 'In', cidr }),
        ],
        bad: [
          ...[
            'x',
            {},
            [{}],
            [null],
            ['Accept'],
            many(101, () => accept),
            rule({ cidr }),
            rule({ matchOperator: 'In' }),
          ],
          ...[rule({ prefixLength: { min: 8 } }), rule({ sources: 'RemotePeers' })],
          [{ action: 'Reject', operations: [{ addCommunity: { value: '65000:1' } }] }],
        ],
      },
      { field: `${list}.0.cidr`, with: withCidr, ...(isV4 ? ipv4Cidrs : ipv6Cidrs) },
      { field: `${list}.0.matchOperator`, with: withCidr, ...words('Equal', 'NotEqual', 'In', 'NotIn') },
      { field: `${list}.0.prefixLength.min`, with: withCidr, ...integers(0, bits) },
      { field: `${list}.0.prefixLength.max`, with: withCidr, ...integers(0, bits) },
      { field: `${list}.0.action`, with: withCidr, ...words('Accept', 'Reject', 'Next') },
    ];
  }),
  { field: 'importV4.0.source', with: { importV4: rule({}) }, ...words('RemotePeers') },
  { field: 'importV4.0.interface', with: { importV4: rule({}) }, ...texts(16) },
  { field: 'exportV6.0.peerType', with: { exportV6: rule({}) }, ...words('eBGP', 'iBGP') },
  {
    field: 'exportV4.0.communities',
    with: { exportV4: rule({}) },
    good: [{ values: ['65000:1'] }, { all: ['1:1', '1:2'], any: ['1:*'], none: many(20, (i) => `1:${i}`) }],
    bad: [
      {},
      { values: [] },
      { values: ['65000:1', '65000:2'] },
      ['65000:1'],
      { value: '65000:1' },
      { any: [] },
      { none: many(21, (i) => `1:${i}`) },
    ],
  },
  {
    field: 'exportV4.0.communities.values.0',
    with: { exportV4: rule({ communities: { values: ['65000:1'] } }) },
    ...communities,
  },
  ...['all', 'any', 'none'].map((name) => ({
    field: `importV6.0.communities.${name}.0`,
    with: { importV6: rule({ communities: { [name]: ['65000:1'] } }) },
    ...communityPatterns,
  })),
  ...['contains', 'originatedBy'].map((name) => ({
    field: `importV4.0.asPath.${name}`,
    with: { importV4: rule({ asPath: {} }) },
    ...asNumbers,
  })),
  ...['min', 'max'].map((name) => ({
    field: `exportV6.0.asPath.length.${name}`,
    with: { exportV6: rule({ asPath: { length: {} } }) },
    ...integers(0, 65_535),
  })),
  {
    field: 'importV4.0.asPath.regex',
    with: { importV4: rule({ asPath: {} }) },
    good: [
      '',
      '^$',
      '^65001 .* 65002$',
      '_65001_',
      '[64512-65534 7]+',
      '((1|2)* 3)?',
      '^1|2$',
      '1 '.repeat(64),
    ],
    bad: ['a', '1,2', '{1}', 5, ['1'], '1'.repeat(257)],
    differs: ['(1', '1)', '*', '1 ^', '$1', '[0-9]+', '[2-1]', '6500.', '1 '.repeat(65), '4294967296'].map(
      (value) => ({
        value,
        takenBy: 'server' as const,
        because: 'no regular expression can tell whether another one makes sense',
      }),
    ),
  },
  {
    field: 'exportV4.0.nextHops',
    with: { exportV4: rule({}) },
    good: [[], ['10.0.0.0/8', '10.0.0.1', 'fd00::/48', 'fd00::1']],
    bad: ['10.0.0.1', many(21, (i) => `10.0.0.${i}`), [5]],
  },
  { field: 'exportV4.0.peers.0', with: { exportV4: rule({ peers: ['a'] }) }, ...texts() },
  { field: 'importV4.0.peers', with: { importV4: rule({}) }, good: [[]], bad: ['a', many(21, () => 'a')] },
  {
    field: 'importV4.0.asPathPrefix',
    with: { importV4: rule({}) },
    good: [[], [65000, '65001', '1.10'], many(100, (i) => i + 1)],
    bad: [65000, many(101, (i) => i + 1), [null]],
  },
  { field: 'importV6.0.asPathPrefix.0', with: { importV6: rule({ asPathPrefix: [1] }) }, ...asNumbers },
  { field: 'importV4.0.priority', with: { importV4: rule({}) }, ...priorities },
  {
    field: 'importV4.0.operations',
    with: { importV4: rule({}) },
    good: [[], [{ addCommunity: { value: '65000:1' } }], many(10, () => ({ setPriority: { value: 1024 } }))],
    bad: [{}, [{}], many(11, () => ({ setPriority: { value: 1024 } })), [{ add: '65000:1' }]],
  },
  {
    field: 'exportV4.0.operations.0.addCommunity.value',
    with: { exportV4: operation({ addCommunity: { value: '1:1' } }) },
    ...anyCommunities,
  },
  { field: 'importV4.0.operations.0.addCommunity', with: { importV4: operation({}) }, bad: [{}, '65000:1'] },
  {
    field: 'exportV4.0.operations.0.prependASPath',
    with: { exportV4: operation({}) },
    good: [{ prefix: [65000, 65000] }, { prefix: many(10, () => 65000) }],
    bad: [{}, { prefix: [] }, { prefix: many(11, () => 65000) }, [65000]],
  },
  {
    field: 'exportV4.0.operations.0.prependASPath.prefix.0',
    with: { exportV4: operation({ prependASPath: { prefix: [1] } }) },
    ...asNumbers,
  },
  {
    field: 'importV4.0.operations.0.setPriority.value',
    with: { importV4: operation({ setPriority: { value: 1024 } }) },
    ...priorities,
  },
  { field: 'importV4.0.operations.0.setPriority', with: { importV4: operation({}) }, bad: [{}, 1024] },
  {
    field: 'importV4.0.operations.0.setCommunities',
    with: { importV4: operation({}) },
    good: [{ values: [] }, { values: many(20, (i) => `1:${i}`) }],
    bad: [{}, ['1:1'], { values: many(21, (i) => `1:${i}`) }],
  },
  {
    field: 'importV4.0.operations.0.setCommunities.values.0',
    with: { importV4: operation({ setCommunities: { values: ['1:1'] } }) },
    ...anyCommunities,
  },
  {
    field: 'exportV6.0.operations.0.deleteCommunities',
    with: { exportV6: operation({}) },
    good: [{ values: many(20, (i) => `1:${i}`) }],
    bad: [{}, { values: [] }, '1:1', { values: many(21, (i) => `1:${i}`) }],
  },
  {
    field: 'exportV6.0.operations.0.deleteCommunities.values.0',
    with: { exportV6: operation({ deleteCommunities: { values: ['1:1'] } }) },
    ...communityPatterns,
  },
  {
    field: 'importV4.0.operations.0.setNextHop.address',
    with: { importV4: operation({ setNextHop: { address: '10.0.0.1' } }) },
    good: ['10.0.0.1', '126.0.0.1', '128.0.0.1', '169.254.0.1', '223.0.0.1', '240.0.0.1', 'fd00::1', 'Peer'],
    bad: [
      ...['0.0.0.0', '0.1.2.3', '127.0.0.1', '224.0.0.5', '239.1.2.3', '255.255.255.255', '10.0.0.256'],
      ...['::', '::1', '0:0::1', 'ff02::1', 'fe80::1', 'FEBF::1', '::ffff:10.0.0.1', 'fd00::1%eth0'],
      ...['Self', 'self', 'peer', 'tor-a', '', 5],
    ],
  },
  {
    field: 'exportV6.0.operations.0.setNextHop.address',
    with: { exportV6: operation({ setNextHop: { address: 'fd00::1' } }) },
    good: ['fd00::1', 'FD00:0:0:0:0:0:0:1', '2001:db8::1', 'fe7f::1', 'fec0::1', '::2', 'f::1', 'Self'],
    bad: ['10.0.0.1', '240.0.0.1', 'Peer', '::'],
  },
  {
    field: 'exportV4.0.operations.0.setNextHop.address',
    with: { exportV4: operation({ setNextHop: { address: 'fd00::1' } }) },
    good: ['10.0.0.1', 'fd00::1', 'Self'],
    bad: ['Peer'],
  },
  {
    field: 'importV6.0.operations.0.setNextHop.address',
    with: { importV6: operation({ setNextHop: { address: 'fd00::1' } }) },
    good: ['fd00::1', 'Peer'],
    bad: ['10.0.0.1', 'Self'],
  },
  {
    field: 'exportV4.0.operations.0.setLinkBandwidth.value',
    with: { exportV4: operation({ setLinkBandwidth: { value: 1 } }) },
    ...integers(0, 1_000_000_000_000),
  },
  { field: 'importV6.0.operations.0.setLinkBandwidth', with: { importV6: operation({}) }, bad: [{}, 1] },
  { field: 'importV4.0.operations.0.setNextHop', with: { importV4: operation({}) }, bad: [{}, '10.0.0.1'] },
  ...['setLocalPref', 'setMED'].flatMap((name) => [
    {
      field: `importV4.0.operations.0.${name}.value`,
      with: { importV4: operation({ [name]: { value: 1 } }) },
      ...integers(0, 4_294_967_295),
    },
    { field: `exportV6.0.operations.0.${name}`, with: { exportV6: operation({}) }, bad: [{}, 1] },
  ]),
  {
    field: 'importV6.0.operations.0.setWeight.value',
    with: { importV6: operation({ setWeight: { value: 1 } }) },
    ...integers(0, 65_535),
  },
  { field: 'importV4.0.operations.0.setWeight', with: { importV4: operation({}) }, bad: [{}, 1] },
  {
    rule: 'no neighbour is told a weight',
    good: [{ importV4: operation({ setWeight: { value: 5 } }) }],
    bad: ['exportV4', 'exportV6'].map((list) => ({ [list]: operation({ setWeight: { value: 5 } }) })),
  },
  {
    rule: 'operations change what is accepted or goes on',
    good: [{ importV4: [{ action: 'Next', operations: [{ setMED: { value: 1 } }] }] }],
    bad: [{ importV4: [{ action: 'Reject', operations: [{ setMED: { value: 1 } }] }] }],
  },
  {
    rule: 'an operation says one thing',
    bad: [
      { setLocalPref: { value: 1 }, setMED: { value: 1 } },
      { setWeight: { value: 1 }, setLocalPref: { value: 1 } },
      { setLinkBandwidth: { value: 1 }, setMED: { value: 1 } },
      { setMED: { value: 1 }, addCommunity: { value: '1:1' } },
      { setPriority: { value: 1 }, setLocalPref: { value: 1 } },
      { addCommunity: { value: '1:1' }, prependASPath: { prefix: [1] } },
      { addCommunity: { value: '1:1' }, setPriority: { value: 1024 } },
      { prependASPath: { prefix: [1] }, setPriority: { value: 1024 } },
    ].flatMap((both) => [{ importV4: operation(both) }, { exportV6: operation(both) }]),
  },
  ...filterSetRows,
  {
    rule: 'rules name sets in place of a cidr; whether they are there depends on another object',
    good: ['a', 'b'].map((prefixSet) => ({
      prefixSets: [{ name: 'a', prefixes: [] }],
      exportV6: rule({ prefixSet }),
    })),
    bad: [
      {
        prefixSets: [{ name: 'a', prefixes: [] }],
        importV4: rule({ prefixSet: 'a', cidr: '10.0.0.0/8', matchOperator: 'In' }),
      },
    ],
  },
  {
    field: 'importV4.0.communities.any.0',
    with: { communitySets: [{ name: 'a', values: [] }], importV4: rule({ communities: { any: ['1:1'] } }) },
    good: ['set:a', 'set:b'],
    bad: ['set:', 'set:-', 'set:a b'],
  },
  {
    field: 'importV4.0.operations.0.deleteCommunities.values.0',
    with: { importV4: operation({ deleteCommunities: { values: ['1:1'] } }) },
    good: ['set:a'],
  },
  { rule: 'fields are known', bad: [{ importv4: [] }, { import: [] }] },
]);
