// IPPools, IPReservations, IPAMBlocks and IPClaims, good and bad.
import { casesOf, type DocumentCase, type Difference, many } from './document-case.ts';
import { addresses, cidrs, flags, selectors, texts, words } from './values.ts';

const noEffect = (value: unknown): Difference => ({
  value,
  takenBy: 'validate',
  because: 'a field that is not honoured yet refuses no object in a file: that is a warning',
});

const ipPoolDocuments = casesOf('IPPool', { cidr: '10.0.0.0/16' }, [
  {
    field: 'cidr',
    good: ['10.0.0.0/8', '100.64.0.0/10', '240.0.0.0/5', '10.0.0.1/32', 'fd00:10::/48', '2001:db8::/128'],
    bad: [
      ...['10.0.0.1/16', '10.0.0.0', '10.0.0.0/33', 'fd00::1/48', 'pods', '', 10, null],
      ...[
        '0.0.0.0/0',
        '0.1.0.0/16',
        '127.0.0.0/8',
        '126.0.0.0/7',
        '127.5.0.0/16',
        '169.254.10.0/24',
        '168.0.0.0/6',
      ],
      ...[
        '224.0.0.0/4',
        '239.1.0.0/16',
        '224.0.0.0/3',
        '255.255.255.255/32',
        '255.255.255.254/31',
        '240.0.0.0/4',
      ],
      ...[
        '::/0',
        '::/64',
        '::ffff:10.0.0.0/112',
        'fe80::/64',
        'fe00::/8',
        'febf::/16',
        'ff00::/8',
        'ff02::/16',
        '64:ff9b::/2',
      ],
    ],
  },
  { field: 'blockSize', good: [20, 26, 32], bad: [19, 33, 116, 15, '26', 26.5, -1] },
  { field: 'blockSize', with: { cidr: 'fd00:10::/48' }, good: [116, 122, 128], bad: [115, 129, 26, 32, 48] },
  { field: 'blockSize', with: { cidr: '10.0.0.0/28' }, good: [28, 32], bad: [20, 26, 27] },
  { field: 'nodeSelector', ...selectors },
  { field: 'namespaceSelector', ...selectors },
  { field: 'disabled', ...flags },
  { field: 'disableBGPExport', ...flags },
  { field: 'natOutgoing', good: [true, false], differs: [noEffect('yes'), noEffect(1)] },
  {
    field: 'allowedUses',
    good: [[], ['Workload'], ['Tunnel', 'LoadBalancer', 'Workload']],
    bad: ['Workload', ['Pods'], many(4, () => 'Workload')],
  },
  { field: 'assignmentMode', ...words('Automatic', 'Manual') },
  { field: 'ipipMode', ...words('Never', 'CrossSubnet', 'Always') },
  { field: 'vxlanMode', ...words('Never', 'CrossSubnet', 'Always') },
  { rule: 'cidr is there', bad: [{ cidr: undefined }] },
  { rule: 'fields are known', bad: [{ cidrs: ['10.0.0.0/16'] }, { blocksize: 26 }] },
]);

const ipReservationDocuments = casesOf('IPReservation', {}, [
  {
    field: 'reservedCIDRs',
    good: [
      [],
      ['10.0.0.1', '10.0.0.0/24', 'fd00::1', 'fd00::/64'],
      many(1000, (i) => `10.0.${i >> 8}.${i & 255}`),
    ],
    bad: ['10.0.0.1', [5], [null], many(1001, (i) => `10.0.${i >> 8}.${i & 255}`)],
  },
  {
    field: 'reservedCIDRs.0',
    with: { reservedCIDRs: [''] },
    good: ['0.0.0.0/0', 'FD00::1'],
    bad: ['10.0.0.1/24', 'fd00::1/64', '10.0.0.300', '10.0.0.1-10.0.0.5', '::ffff:10.0.0.1', '', 5],
  },
  { rule: 'fields are known', bad: [{ reservedCidrs: [] }] },
]);

const ipamBlockDocuments = casesOf('IPAMBlock', { cidr: '10.0.0.0/26', node: 'n1' }, [
  { field: 'cidr', ...cidrs },
  { field: 'node', ...texts() },
  { field: 'pool', ...texts() },
  { field: 'claimedAt', ...texts(64) },
  { rule: 'cidr and node are there', bad: [{ cidr: undefined }, { node: undefined }] },
  { rule: 'fields are known', bad: [{ owner: 'n1' }] },
]);

const owner = { kind: 'Pod', namespace: 'default', name: 'db-0' };
const ipClaimDocuments = casesOf('IPClaim', { owner, addresses: ['10.0.0.1'] }, [
  {
    field: 'owner',
    good: [{ namespace: 'a', name: 'b' }],
    bad: [{}, 'db-0', { name: 'b' }, { namespace: 'a' }, { ...owner, uid: 'x' }],
  },
  { field: 'owner.kind', ...words('Pod', 'StatefulSet') },
  { field: 'owner.namespace', ...texts(63) },
  { field: 'owner.name', ...texts() },
  { field: 'addresses', good: [['10.0.0.1', 'fd00::1']], bad: [[], '10.0.0.1', ['10.0.0.0/24'], [null]] },
  { field: 'addresses.0', ...addresses },
  { rule: 'owner and addresses are there', bad: [{ owner: undefined }, { addresses: undefined }] },
  { rule: 'fields are known', bad: [{ pods: 1 }] },
]);

const bgpNodeStatusDocuments = casesOf('BGPNodeStatus', { node: 'n1' }, [
  { field: 'node', ...texts() },
  { rule: 'node is there', bad: [{ node: undefined }] },
  { rule: 'fields are known', bad: [{ name: 'n1' }] },
]);

export const addressDocuments: readonly DocumentCase[] = [
  ...ipPoolDocuments,
  ...ipReservationDocuments,
  ...ipamBlockDocuments,
  ...ipClaimDocuments,
  ...bgpNodeStatusDocuments,
];
