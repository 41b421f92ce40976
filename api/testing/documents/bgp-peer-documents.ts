// BGPPeers, good and bad.
import { bfdRows } from './bfd-documents.ts';
import { casesOf, many } from './document-case.ts';
import {
  asNumbers,
  durations,
  flags,
  gatewayAddresses,
  hostCidrs,
  integers,
  selectors,
  texts,
  words,
} from './values.ts';

const targets = {
  peerIP: '10.0.0.1',
  peerSelector: 'has(rr)',
  peerRange: '10.0.0.0/24',
  peerInterface: 'eth1',
  peerFrom: { defaultGateway: 'ipv4' },
  localWorkloadSelector: "app == 'x'",
};
/** The base without its own neighbour. */
const none = { peerIP: undefined, asNumber: undefined };
const secretKeyRef = { name: 'passwords', key: 'tor' };

export const bgpPeerDocuments = casesOf('BGPPeer', { peerIP: '10.0.0.1', asNumber: 64512 }, [
  {
    field: 'peerIP',
    good: [
      ...['10.0.0.1', '10.0.0.1:1179', '10.0.0.1:65535', 'fd00::1', '[fd00::1]:179', 'FD00::1'],
      ...['fe80::1%eth0', '[fe80::1%eth0.100]:1', 'fe80::abcd%ens1f0np0', '::1', '127.0.0.1'],
      ...['240.0.0.1', '255.255.255.254:179', '169.254.1.1', '0.1.2.3', '223.255.255.255'],
    ],
    bad: [
      ...['224.0.0.1', '239.255.255.255', '224.0.0.5:179', '255.255.255.255', '255.255.255.255:179'],
      ...['ff02::1', '[ff05::1:3]:179', 'ff02::1%eth0', '[ff02::2%eth0]:179'],
      ...[
        '10.0.0.300',
        '10.0.0.01',
        '10.0.0.1/32',
        '10.0.0.1:',
        '10.0.0.1:0',
        '10.0.0.1:65536',
        '10.0.0.1:bgp',
      ],
      ...['[fd00::1]', '[fd00::1]:0', '[fd00::1]179', 'fd00::1]:179', '[10.0.0.1]:179:', '::', '0.0.0.0'],
      ...[
        '[::]:179',
        'fe80::1',
        '[fe80::1]:179',
        'fe80::1%',
        'fe80::1%a b',
        'fe80::1%eth0%eth1',
        'fe80::1%0123456789abcdef',
      ],
      ...['fd00::1%eth0', '10.0.0.1%eth0', '::ffff:10.0.0.1', '[::ffff:10.0.0.1]:179', 'tor-a', '', 10, true],
    ],
  },
  { field: 'asNumber', ...asNumbers },
  { field: 'asNumber', good: ['internal', 'external'], bad: ['Internal', 'any', 'external '] },
  { field: 'localASNumber', ...asNumbers },
  { field: 'node', ...texts() },
  { field: 'nodeSelector', ...selectors },
  { field: 'peerSelector', with: none, ...selectors },
  { field: 'localWorkloadSelector', with: { peerIP: undefined }, good: ["app == 'x'"], bad: ['app = x', ''] },
  { field: 'peerRange', with: { peerIP: undefined }, ...hostCidrs },
  { field: 'maxPeers', with: { peerIP: undefined, peerRange: '10.0.0.0/24' }, ...integers(1, 100_000) },
  { field: 'peerInterface', with: { peerIP: undefined }, ...texts(15) },
  {
    field: 'peerFrom',
    with: { peerIP: undefined },
    good: [
      { defaultGateway: 'ipv4' },
      { defaultGateway: 'ipv6' },
      { nodeAnnotation: 'tor.example.com/address' },
    ],
    bad: [
      {},
      { defaultGateway: 'ipv4', nodeAnnotation: 'x' },
      { defaultGateway: 'IPv4' },
      { gateway: 'ipv4' },
      'ipv4',
    ],
  },
  { field: 'nextHopMode', ...words('Auto', 'Self', 'Keep') },
  { field: 'keepOriginalNextHop', ...flags },
  {
    field: 'password',
    good: [{ secretKeyRef }, { secretKeyRef: { ...secretKeyRef, optional: false } }],
    bad: [
      ...['secret', {}, { secretKeyRef: { name: 'a' } }, { secretKeyRef: { key: 'a' } }],
      ...[{ secretKeyRef: { ...secretKeyRef, namespace: 'x' } }, { value: 'secret' }],
      ...[{ secretKeyRef: { ...secretKeyRef, optional: 'no' } }, { secretKeyRef: { name: '', key: '' } }],
    ],
  },
  { field: 'sourceAddress', ...words('UseNodeIP', 'None') },
  { field: 'reachableBy', ...gatewayAddresses },
  { field: 'passive', ...flags },
  { field: 'multihop', ...integers(1, 255) },
  { field: 'ttlSecurity', ...integers(0, 254) },
  { field: 'holdTime', ...durations(3, 65_535, 'zero allowed') },
  { field: 'keepaliveTime', ...durations(1, 21_845) },
  { field: 'connectRetryTime', ...durations(1, 65_535) },
  {
    field: 'families',
    good: [['IPv4'], ['IPv6', 'IPv4']],
    bad: [[], ['ipv4'], 'IPv4', ['IPv4', 'IPv6', 'IPv4'], [null]],
  },
  { field: 'numAllowedLocalASNumbers', ...integers(0, 255) },
  { field: 'routeReflectorClient', ...flags },
  { field: 'addPaths', ...words('Send', 'Receive', 'Both', 'None') },
  { field: 'addPathLimit', ...integers(1, 64) },
  { field: 'addPathLimit', with: { addPaths: 'None' }, good: [], bad: [2] },
  { field: 'maxPrefixes', good: [{}], bad: [1000, [], { max: 5 }] },
  { field: 'maxPrefixes.limit', ...integers(1, 0xffffffff) },
  { field: 'maxPrefixes.warnPercent', ...integers(1, 100) },
  { field: 'maxPrefixes.restartTime', ...durations(1, 86_400) },
  { field: 'maxPrefixes.action', ...words('Close', 'Warn', 'Drop') },
  { field: 'role', ...words('Provider', 'Customer', 'Peer', 'RouteServer', 'RouteServerClient') },
  { field: 'linkBandwidth', ...words('Ignore', 'Use', 'Send', 'Sum') },
  { field: 'defaultOriginate', ...words('None', 'IPv4', 'IPv6', 'Both') },
  { field: 'advertisementInterval', ...durations(0, 600) },
  { field: 'asOverride', ...flags },
  { field: 'localASMode', with: { localASNumber: 65001 }, ...words('Replace', 'Prepend', 'PrependBoth') },
  { field: 'privateASAction', with: { removePrivateAS: true }, ...words('Remove', 'Replace') },
  { field: 'removePrivateAS', ...flags },
  { field: 'maxRestartTime', ...durations(1, 4095) },
  { field: 'gracefulRestart.mode', ...words('Full', 'Helper', 'Disabled') },
  { field: 'gracefulRestart.restartTime', ...durations(1, 4095) },
  { field: 'gracefulRestart.longLivedTime', ...durations(0, 0xffffff) },
  { field: 'gracefulRestart', bad: ['Full', { time: 1 }] },
  {
    field: 'maxRestartTime',
    with: { gracefulRestart: { restartTime: '60s' } },
    bad: ['60s'],
  },
  ...bfdRows('bfd'),
  {
    field: 'filters',
    good: [[], ['a', 'b'], many(100, (i) => `f${i}`)],
    bad: [[''], 'a', [5], many(101, (i) => `f${i}`)],
  },
  { field: 'import', ...words('Cluster', 'All', 'None') },
  { field: 'export', ...words('Cluster', 'Pools', 'All', 'None') },
  { field: 'reversePeering', ...words('Auto', 'Manual') },
  {
    rule: 'fields are known, and one that is null is absent',
    good: [{ node: null }, { holdTime: null, filters: null }],
    bad: [{ peerip: '10.0.0.1' }, { holdtime: 90 }, { AsNumber: 1 }],
  },
  {
    rule: 'one field names the neighbour',
    good: Object.entries(targets).map(([name, value]) => ({
      ...none,
      [name]: value,
      ...(name !== 'peerSelector' && { asNumber: 64512 }),
    })),
    bad: [
      { ...none, asNumber: 64512 },
      none,
      ...Object.entries(targets).flatMap(([name, value], i) =>
        Object.entries(targets)
          .slice(i + 1)
          .map(([other, otherValue]) => ({ ...none, [name]: value, [other]: otherValue })),
      ),
    ],
  },
  {
    rule: 'the AS is said, but for peerSelector',
    bad: [
      { asNumber: undefined },
      { ...none, peerRange: '10.0.0.0/24' },
      { ...none, peerInterface: 'eth0' },
      { peerIP: undefined, peerSelector: 'all()' },
    ],
  },
  {
    rule: 'roles are between ASes',
    good: [
      { role: 'Peer', asNumber: 'external' },
      { role: 'Peer', asNumber: 64513 },
    ],
    bad: [{ role: 'Peer', asNumber: 'internal' }],
  },
  {
    rule: 'no two fields that say the same',
    good: [{ ttlSecurity: 0, multihop: 2 }, { keepOriginalNextHop: true }],
    bad: [
      { node: 'n1', nodeSelector: 'all()' },
      { keepOriginalNextHop: true, nextHopMode: 'Self' },
      { keepOriginalNextHop: false, nextHopMode: 'Auto' },
      { ttlSecurity: 1, multihop: 2 },
      { peerIP: undefined, peerInterface: 'eth0', multihop: 2 },
    ],
  },
  { rule: 'maxPeers goes with peerRange', bad: [{ maxPeers: 5 }] },
  {
    rule: 'keepalives come more often than the hold time',
    good: [
      { keepaliveTime: 30, holdTime: 90 },
      { keepaliveTime: '30s', holdTime: '1m30s' },
      { keepaliveTime: 10, holdTime: 0 },
      { keepaliveTime: 10, holdTime: '0s' },
      { keepaliveTime: '2999ms', holdTime: 3 },
      { keepaliveTime: 300 },
    ],
    bad: [
      { keepaliveTime: 90, holdTime: 90 },
      { keepaliveTime: '90', holdTime: '1m30s' },
      { keepaliveTime: '2m', holdTime: 90 },
      { keepaliveTime: 91, holdTime: '90s' },
    ],
  },
]);
