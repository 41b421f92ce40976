// BGPConfigurations, good and bad.
import { bfdRows } from './bfd-documents.ts';
import { filterSetRows } from './bgp-filter-documents.ts';
import { casesOf, type Difference, many } from './document-case.ts';
import {
  asNumbers,
  cidrs,
  communities,
  durations,
  flags,
  hostAddresses,
  integers,
  ipv4Addresses,
  ipv4HostAddresses,
  ipv6Addresses,
  selectors,
  texts,
  words,
} from './values.ts';

const secretKeyRef = { name: 'passwords', key: 'mesh' };
const priorities = integers(1, 2_147_483_646);

/** Of fields that are not honoured yet. */
const noEffect = ({
  good = [],
  bad = [],
}: {
  readonly good?: readonly unknown[];
  readonly bad?: readonly unknown[];
}) => ({
  good,
  differs: bad.map(
    (value): Difference => ({
      value,
      takenBy: 'validate',
      because: 'a field that is not honoured yet refuses no object in a file: that is a warning',
    }),
  ),
});

const services = ['serviceClusterIPs', 'serviceExternalIPs', 'serviceLoadBalancerIPs'].flatMap((field) => [
  {
    field,
    ...noEffect({
      good: [[], [{ cidr: '10.96.0.0/12' }, { cidr: 'fd00::/112' }]],
      bad: [5, [{}], [{ cidr: 'x' }], ['10.96.0.0/12']],
    }),
  },
]);

export const bgpConfigurationDocuments = casesOf('BGPConfiguration', {}, [
  { field: 'asNumber', ...asNumbers },
  { field: 'nodeToNodeMeshEnabled', ...flags },
  { field: 'listenPort', ...integers(1, 65_535) },
  {
    field: 'listenAddresses',
    good: [[], ['10.0.0.1', 'fd00::1']],
    bad: ['10.0.0.1', many(17, (i) => `10.0.0.${i}`), [null]],
  },
  { field: 'listenAddresses.0', with: { listenAddresses: ['10.0.0.1'] }, ...hostAddresses },
  { field: 'bindMode', ...words('None', 'NodeIP') },
  { field: 'routerID', ...ipv4Addresses },
  { field: 'routerID', bad: ['0.0.0.0'] },
  { field: 'holdTime', ...durations(3, 65_535, 'zero allowed') },
  { field: 'keepaliveTime', with: { holdTime: 65_535 }, ...durations(1, 21_845) },
  { field: 'multipath', good: [{}], bad: [16, { paths: 5 }] },
  { field: 'multipath.ebgp', ...integers(1, 128) },
  { field: 'multipath.ibgp', ...integers(1, 128) },
  { field: 'multipath.relax', ...flags },
  { field: 'multipath.weighted', ...flags },
  { field: 'bestPath', good: [{}], bad: ['MED', { med: true }] },
  { field: 'bestPath.alwaysCompareMED', ...flags },
  { field: 'bestPath.missingMEDAsWorst', ...flags },
  { field: 'routeReflectors', good: [{}], bad: ['Auto', [], { node: 'n1' }] },
  { field: 'routeReflectors.mode', ...words('Disabled', 'Manual', 'Auto') },
  { field: 'routeReflectors.nodeSelector', ...selectors },
  { field: 'routeReflectors.clusterID', ...ipv4HostAddresses },
  { field: 'routeReflectors.perZone', ...flags },
  { field: 'routeReflectors.meshUpTo', ...integers(0, 10_000) },
  {
    field: 'nodeMeshPassword',
    good: [{ secretKeyRef }],
    bad: ['secret', {}, { secretKeyRef: { name: 'a' } }],
  },
  { field: 'nodeMeshPassword.secretKeyRef.name', with: { nodeMeshPassword: { secretKeyRef } }, ...texts() },
  { field: 'nodeMeshPassword.secretKeyRef.key', with: { nodeMeshPassword: { secretKeyRef } }, ...texts() },
  { field: 'nodeMeshPassword.secretKeyRef.optional', with: { nodeMeshPassword: { secretKeyRef } }, ...flags },
  { field: 'nodeMeshMaxRestartTime', ...durations(1, 4095) },
  ...bfdRows('nodeMeshBFD'),
  { field: 'communities', good: [[]], bad: ['a', [{}], [{ name: 'a' }], [{ value: '1:1' }]] },
  { field: 'communities.0.value', with: { communities: [{ name: 'a', value: '1:1' }] }, ...communities },
  { field: 'communities.0.name', with: { communities: [{ name: 'a', value: '1:1' }] }, ...texts(63) },
  {
    field: 'communities.0.name',
    with: { communities: [{ name: 'a', value: '1:1' }] },
    bad: ['65536:1', 'a:b'],
  },
  ...filterSetRows,
  {
    field: 'prefixAdvertisements',
    good: [[]],
    bad: [{}, [{}], [{ communities: [] }], [{ cidr: '10.0.0.0/8', community: '1:1' }]],
  },
  {
    field: 'prefixAdvertisements.0.cidr',
    with: { prefixAdvertisements: [{ cidr: '10.0.0.0/8' }] },
    ...cidrs,
  },
  {
    field: 'prefixAdvertisements.0.communities',
    with: {
      prefixAdvertisements: [{ cidr: '10.0.0.0/8' }],
      communities: [{ name: 'backbone', value: '65000:100' }],
    },
    good: [[], ['65000:1', '1:2:3'], ['backbone'], ['65000:1', 'backbone']],
    bad: ['backbone', ['Backbone'], ['65536:1'], [''], [5], ['backbone', 'access'], ['a:b'], ['1:']],
  },
  {
    field: 'aggregates',
    good: [
      [],
      [{ cidr: '10.0.0.0/8' }, { cidr: '10.0.0.0/9', summaryOnly: true }, { cidr: 'fd00::/8' }],
      many(50, (i) => ({ cidr: `10.${i}.0.0/16` })),
    ],
    bad: [
      {},
      [{}],
      ['10.0.0.0/8'],
      [{ cidr: '10.0.0.0/8', summary: true }],
      [{ cidr: '10.0.0.0/8' }, { cidr: '10.0.0.0/8', summaryOnly: true }],
      [{ cidr: 'fd00::/8' }, { cidr: 'FD00:0::/8' }],
      many(51, (i) => ({ cidr: `10.${i}.0.0/16` })),
    ],
  },
  { field: 'aggregates.0.cidr', with: { aggregates: [{ cidr: '10.0.0.0/8' }] }, bad: cidrs.bad! },
  {
    field: 'aggregates.0.cidr',
    with: { aggregates: [{ cidr: '10.0.0.0/8' }] },
    bad: [
      ...['0.0.0.0/0', '::/0', '10.0.0.1/32', 'fd00::1/128', '127.0.0.0/8', '169.254.0.0/16'],
      ...['224.0.0.0/4', '239.0.0.0/8', '192.0.0.0/2', 'fe80::/10', 'fe80:1::/32', 'ff00::/8', 'ff02::/16'],
      ...['10.0.0.1/8', 'fd00::1/8', '255.255.255.0/24'],
    ],
  },
  { field: 'aggregates.0.summaryOnly', with: { aggregates: [{ cidr: '10.0.0.0/8' }] }, ...flags },
  {
    field: 'aggregates.0.communities',
    with: {
      aggregates: [{ cidr: '10.0.0.0/8' }],
      communities: [{ name: 'backbone', value: '65000:100' }],
    },
    good: [[], ['65000:1', '1:2:3'], ['backbone']],
    bad: ['backbone', ['Backbone'], ['65536:1'], [''], [5], ['access']],
  },
  ...services,
  { field: 'serviceLoadBalancerAggregation', ...noEffect(words('Enabled', 'Disabled')) },
  { field: 'ignoredInterfaces', ...noEffect({ good: [[], ['lo', 'docker*']], bad: ['lo', [5], ['']] }) },
  { field: 'localWorkloadPeeringIPV4', ...noEffect(ipv4Addresses) },
  { field: 'localWorkloadPeeringIPV6', ...noEffect(ipv6Addresses) },
  { field: 'logSeverityScreen', ...noEffect({ good: ['Info', 'INFO', 'fatal'], bad: ['Loud', '', 5] }) },
  { field: 'encapsulatedPools', ...words('Refused', 'Unencapsulated') },
  { field: 'programClusterRoutes', ...words('Enabled', 'Disabled', 'EnabledIPIPOnly', 'EnabledNoEncapOnly') },
  { field: 'ipv4NormalRoutePriority', ...noEffect(priorities) },
  { field: 'ipv6NormalRoutePriority', ...noEffect(priorities) },
  {
    rule: 'a password of the mesh needs a mesh, or route reflectors',
    good: [
      { nodeMeshPassword: { secretKeyRef }, nodeToNodeMeshEnabled: true },
      { nodeMeshPassword: { secretKeyRef }, nodeToNodeMeshEnabled: false },
      { nodeMeshPassword: { secretKeyRef }, nodeToNodeMeshEnabled: false, routeReflectors: { mode: 'Auto' } },
      { nodeMeshPassword: { secretKeyRef }, routeReflectors: { mode: 'Disabled' } },
    ],
    bad: [
      {
        nodeMeshPassword: { secretKeyRef },
        nodeToNodeMeshEnabled: false,
        routeReflectors: { mode: 'Disabled' },
      },
    ],
  },
  {
    rule: 'keepalives come more often than the hold time',
    good: [
      { keepaliveTime: 30, holdTime: '90' },
      { keepaliveTime: '1s', holdTime: '3s' },
      { keepaliveTime: 100, holdTime: 0 },
      { keepaliveTime: 89 },
    ],
    bad: [
      { keepaliveTime: 90 },
      { keepaliveTime: '90s' },
      { keepaliveTime: 30, holdTime: 30 },
      { keepaliveTime: '3001ms', holdTime: '3s' },
    ],
  },
  { rule: 'fields are known', bad: [{ asnumber: 64512 }, { nodeMesh: true }] },
]);
