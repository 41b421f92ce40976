import assert from 'node:assert/strict';
import { usablePools } from './pool-conflicts.ts';
import { formatProblem } from '../schema/problem.ts';
import { parseText } from './parse-text.ts';
import { resourcesOf } from '../kinds/resources.ts';

const pool = (name: string, cidr: string) =>
  `apiVersion: podroute.io/v1\nkind: IPPool\nmetadata: { name: ${name} }\nspec: { cidr: ${cidr} }\n`;
const block = (pool: string) =>
  `apiVersion: podroute.io/v1\nkind: IPAMBlock\nmetadata: { name: b }\nspec: { cidr: 10.1.2.0/26, node: n1, pool: ${pool} }\n`;

function usable(...documents: string[]) {
  const parsed = parseText(documents.join('---\n'), 'test.yaml');
  const { pools, problems } = usablePools(resourcesOf(parsed.flatMap(({ resource }) => resource ?? [])));
  return { pools: pools.map(({ metadata }) => metadata.name), problems: problems.map(formatProblem) };
}

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
