import assert from 'node:assert/strict';
import { usablePools } from './pool-conflicts.ts';
import { formatProblem } from '../schema/problem.ts';
import { parseText } from './parse-text.ts';
import { resourcesOf } from '../kinds/resources.ts';

const pool = (name: string, cidr: string) =>
  `apiVersion: podroute.io/v1\nkind: IPPool\nmetadata: { name: ${name} }\nspec: { cidr: ${cidr} }\n`;
const block = (pool: string, cidr = '10.1.2.0/26') =>
  `apiVersion: podroute.io/v1\nkind: IPAMBlock\nmetadata: { name: b-${cidr.replaceAll(/[./]/g, '-')} }\nspec: { cidr: ${cidr}, node: n1, pool: ${pool} }\n`;

function usable(...documents: string[]) {
  const parsed = parseText(documents.join('---\n'), 'test.yaml');
  const { pools, problems } = usablePools(resourcesOf(parsed.flatMap(({ resource }) => resource ?? [])));
  return { pools: pools.map(({ metadata }) => metadata.name), problems: problems.map(formatProblem) };
}

const node = (name: string, address: string, annotations = '') =>
  `apiVersion: v1\nkind: Node\nmetadata: { name: ${name}, annotations: { ${annotations} } }\nstatus: { addresses: [{ type: InternalIP, address: "${address}" }] }\n`;
const tor = (peerIP: string) =>
  `apiVersion: podroute.io/v1\nkind: BGPPeer\nmetadata: { name: tor }\nspec: { peerIP: "${peerIP}", asNumber: 64800 }\n`;

describe('pools over the network of nodes and neighbours', () => {
  it('are not used, and what is in the way is named', () => {
    for (const [cidr, other, why] of [
      ['192.168.56.0/23', node('n1', '192.168.56.11'), 'contains 192.168.56.11, the address of Node n1'],
      ['fd00::/48', node('n1', 'fd00::11'), 'contains fd00::11, the address of Node n1'],
      ['10.0.0.0/24', tor('10.0.0.1'), 'contains 10.0.0.1, the neighbour of BGPPeer tor'],
      ['10.0.0.0/24', tor('10.0.0.1:1790'), 'contains 10.0.0.1, the neighbour of BGPPeer tor'],
      [
        '10.0.0.128/25',
        node('n1', '10.9.9.9', 'podroute.io/IPv4Address: 10.0.0.1/24'),
        'lies inside 10.0.0.0/24, the network of Node n1',
      ],
    ] as const) {
      assert.deepEqual(usable(pool('p', cidr), other, pool('q', '10.99.0.0/16')), {
        pools: ['q'],
        problems: [`IPPool p: spec.cidr: "${cidr}" ${why}: this pool is not used`],
      });
    }
  });

  it('stay when blocks were cut from them, as a problem', () => {
    const { pools, problems } = usable(pool('p', '10.1.0.0/16'), block('p'), node('n1', '10.1.9.9'));
    assert.deepEqual(pools, ['p']);
    assert.match(problems.join(), /contains 10\.1\.9\.9, the address of Node n1; it stays in use/);
  });

  it('are those beside it that are no problem', () => {
    const beside = [node('n1', '10.2.0.1'), tor('10.2.0.254'), tor('fe80::1%eth0')];
    assert.deepEqual(usable(pool('p', '10.1.0.0/16'), ...beside).problems, []);
  });
});

describe('a pool whose blocks lie elsewhere', () => {
  it('is not used: its CIDR was changed while they are in use', () => {
    assert.deepEqual(usable(pool('p', '10.99.0.0/16'), block('p')), {
      pools: [],
      problems: [
        'IPPool p: spec.cidr: "10.99.0.0/16" was another when block 10.1.2.0/26 of node n1 was cut from it, which is still in use: this pool is not used; give the new CIDR to a new pool',
      ],
    });
  });
});

describe('a pool with a block outside, among others that were cut from it', () => {
  it('is used: what one node writes takes it from nobody', () => {
    const { pools, problems } = usable(pool('p', '10.1.0.0/16'), block('p'), block('p', '10.9.2.0/26'));
    assert.deepEqual(pools, ['p']);
    assert.deepEqual(problems, [
      'warning: IPPool p: spec.cidr: "10.1.0.0/16" does not hold block 10.9.2.0/26 of node n1, which names this pool: nothing is given out from that block, and the pool stays in use',
    ]);
  });

  it('is no pool in use by the block outside: others keep what is theirs', () => {
    const documents = [
      pool('z', '10.1.0.0/16'),
      block('z'),
      pool('a', '10.1.0.0/20'),
      block('a', '10.9.2.0/26'),
    ];
    assert.deepEqual(usable(...documents).pools, ['z']);
  });
});

describe('pools that overlap', () => {
  it('leaves pools alone that do not', () => {
    assert.deepEqual(usable(pool('a', '10.1.0.0/16'), pool('b', '10.2.0.0/16'), pool('c', 'fd00::/64')), {
      pools: ['a', 'b', 'c'],
      problems: [],
    });
  });

  it('keeps the first by name and names both', () => {
    assert.deepEqual(usable(pool('b', '10.1.128.0/20'), pool('a', '10.1.0.0/16')), {
      pools: ['a'],
      problems: [
        'IPPool b: spec.cidr: "10.1.128.0/20" overlaps IPPool a (10.1.0.0/16), which stays in force; this pool is not used',
      ],
    });
  });

  it('never takes away a pool in use, whatever the names', () => {
    assert.deepEqual(usable(pool('b', '10.1.0.0/16'), block('b'), pool('a', '10.1.0.0/20')).pools, ['b']);
  });
});

describe('pools of Calico with a tunnel', () => {
  const tunnel = (mode: string) => pool('p', `10.1.0.0/16, ${mode}`);
  const config = (spec: string) =>
    `apiVersion: podroute.io/v1\nkind: BGPConfiguration\nmetadata: { name: default }\nspec: { ${spec} }\n`;

  it('for what leaves the subnet are taken with a warning, those without as they are', () => {
    assert.deepEqual(usable(tunnel('ipipMode: Never, vxlanMode: Never')), { pools: ['p'], problems: [] });
    for (const field of ['ipipMode', 'vxlanMode']) {
      assert.deepEqual(usable(tunnel(`${field}: CrossSubnet`)), {
        pools: ['p'],
        problems: [
          `warning: IPPool p: spec.${field}: "CrossSubnet" is taken without a tunnel: the network between subnets must know the routes to pods (BGP with its routers)`,
        ],
      });
    }
  });

  it('for everything are not used, and what to change is said', () => {
    for (const field of ['ipipMode', 'vxlanMode']) {
      const { pools, problems } = usable(tunnel(`${field}: Always`), pool('other', '10.1.128.0/17'));
      assert.deepEqual(pools, ['other'], 'nor do they stand in the way of others');
      assert.equal(problems.length, 1);
      assert.match(
        problems[0] ?? '',
        /^IPPool p: spec\..*Mode: "Always" is not to be had: podroute has no tunnels, and this pool is not used/,
      );
      assert.match(problems[0] ?? '', /'encapsulatedPools: Unencapsulated' in BGPConfiguration default\)$/);
    }
  });

  it('are pools like any other when the operator has said so', () => {
    const { pools, problems } = usable(
      config('encapsulatedPools: Unencapsulated'),
      tunnel('vxlanMode: Always'),
    );
    assert.deepEqual(pools, ['p']);
    assert.deepEqual(problems, [
      'warning: IPPool p: spec.vxlanMode: "Always" is taken without a tunnel: the network must know the routes to pods (BGP with its routers)',
    ]);
  });
});
