import assert from 'node:assert/strict';
import { ipamTable } from './ipam.ts';

const NOW = Date.parse('2026-01-01T00:10:00Z');
const at = (ms: number) => ({ allocatedAt: new Date(ms).toISOString(), allocatedAtMs: ms });
const NONE = { ipv4: 0, ipv6: 0 };
const summary = { blocks: NONE, addressesInUse: NONE, addressesFree: NONE };
const block = { state: 'active', capacity: 64, used: 2, reserved: 1, free: 61 } as const;

describe('podroute ipam show', () => {
  it('has blocks, then each address with its pod and since when, then what is wrong', () => {
    const shown = ipamTable(
      {
        summary,
        usage: {
          pools: [
            { name: 'pods', cidr: '10.244.0.0/16' },
            { name: 'more', cidr: '10.9.0.0/16' },
          ],
          blocks: [
            { ...block, family: 'ipv4', cidr: '10.244.0.0/26', pool: 'pods' },
            { ...block, family: 'ipv6', cidr: 'fd00::/122', state: 'frozen' },
          ],
          allocations: [
            {
              owner: {
                containerId: 'c0ffee',
                ifname: 'eth0',
                network: 'k8s',
                podNamespace: 'web',
                podName: 'a-1',
              },
              addresses: { ipv4: '10.244.0.7', ipv6: 'fd00::7' },
              ...at(NOW - 300_000),
            },
            {
              owner: { containerId: '0123456789abcdef', ifname: 'eth0', network: 'k8s' },
              addresses: { ipv4: '10.244.0.8' },
              ...at(NOW - 5000),
            },
          ],
          adopted: [{ address: '10.244.0.9', link: 'veth9' }],
          problems: ['the journal cannot be written'],
        },
      },
      NOW,
    );
    assert.deepEqual(shown.split('\n'), [
      'BLOCK          POOL     STATE   SIZE  USED  RESERVED  FREE',
      '10.244.0.0/26  pods     active    64     2         1    61',
      'fd00::/122     podCIDR  frozen    64     2         1    61',
      '',
      'pool more (10.9.0.0/16): no block of it here',
      '',
      'ADDRESS     POD                     INTERFACE  AGE',
      '10.244.0.7  web/a-1                 eth0       5 min',
      'fd00::7     web/a-1                 eth0       5 min',
      '10.244.0.8  container 0123456789ab  eth0       5 s',
      '10.244.0.9  not known               veth9      -',
      '',
      'the journal cannot be written',
    ]);
  });

  it('says so of a node without blocks, and of an agent without pods', () => {
    const empty = { pools: [], blocks: [], allocations: [], adopted: [], problems: [] };
    assert.equal(ipamTable({ summary, usage: empty }, NOW), 'no blocks\n\nno addresses in use');
    assert.match(ipamTable({ summary }, NOW), /--fib none/);
  });
});
