// Where a node's addresses come from, of the documents that there are.
import assert from 'node:assert/strict';
import { validateTexts } from '#api';
import { nodeYaml, objectYaml } from '../plan/testing/cluster-yaml.ts';
import { ipamInputs } from './ipam-inputs.ts';

const NODE = nodeYaml('n1', ['10.0.0.1'], '', ['10.9.0.0/24', 'fd09::/64']);
const POOL = objectYaml('IPPool', 'pods', '{ cidr: 10.244.0.0/16 }');

/** [pools, podCIDRs] */
function inputsOf(...yaml: string[]) {
  const { resources, refused } = validateTexts([{ file: 'a.yaml', text: yaml.join('\n---\n') }]);
  const { pools, podCidrs } = ipamInputs(resources, refused, 'n1', []);
  return [pools.map(({ name }) => name), podCidrs];
}

describe('where addresses come from', () => {
  it('is every pool, and the podCIDRs beside', () => {
    assert.deepEqual(inputsOf(NODE), [[], ['10.9.0.0/24', 'fd09::/64']]);
    assert.deepEqual(inputsOf(NODE, POOL), [['pods'], ['10.9.0.0/24', 'fd09::/64']]);
  });

  it('is no pool that is for some pods only, until they can be told apart', () => {
    const disabled = (more: string) => {
      const { resources, refused } = validateTexts([
        { file: 'a.yaml', text: `${NODE}\n---\n${POOL.replace('/16', `/16, ${more}`)}` },
      ]);
      return ipamInputs(resources, refused, 'n1', []).pools.map((pool) => pool.disabled);
    };
    assert.deepEqual(disabled('assignmentMode: Automatic, namespaceSelector: all()'), [false]);
    assert.deepEqual(disabled('assignmentMode: Manual'), [true]);
    assert.deepEqual(disabled("namespaceSelector: tenant == 'a'"), [true]);
  });

  it('is no longer a pool that is being deleted: what was given out of it stays', () => {
    const deleted = POOL.replace('name: pods', 'name: pods, deletionTimestamp: "2026-01-01T00:00:00Z"');
    const { resources, refused } = validateTexts([{ file: 'a.yaml', text: `${NODE}\n---\n${deleted}` }]);
    assert.notEqual(deleted, POOL);
    assert.deepEqual(
      ipamInputs(resources, refused, 'n1', []).pools.map(({ name, disabled }) => [name, disabled]),
      [['pods', true]],
    );
  });

  it('is never a podCIDR where a pool is written that cannot be read', () => {
    assert.deepEqual(inputsOf(NODE, POOL.replace('/16', '/16, blockSize: 99')), [[], []]);
    assert.deepEqual(inputsOf(NODE, 'kind: ['), [[], []]);
  });

  it('is never a podCIDR in the place of a pool that may not be used', () => {
    const inner = objectYaml('IPPool', 'inner', '{ cidr: 10.244.1.0/24 }');
    assert.deepEqual(inputsOf(NODE, POOL, inner), [['inner'], ['fd09::/64']]);
  });
});

describe('whose blocks may be taken back', () => {
  const nodesOf = (...yaml: string[]) => {
    const { resources, refused } = validateTexts([{ file: 'a.yaml', text: yaml.join('\n---\n') }]);
    return ipamInputs(resources, refused, 'n1', []).nodes;
  };

  it('is known when every Node can be read, and this node’s own is there', () => {
    const other = nodeYaml('n2', ['10.0.0.2']);
    assert.deepEqual(nodesOf(NODE, other), new Set(['n1', 'n2']));
    assert.equal(nodesOf(other), undefined);
    assert.equal(nodesOf(NODE, nodeYaml('n2', ['10.0.0.2'], '', ['10.9.0.0/99'])), undefined);
    assert.equal(nodesOf(NODE, 'kind: ['), undefined);
    const { resources, refused } = validateTexts([{ file: 'a.yaml', text: NODE }]);
    const own = { ...refused, ownOnly: new Set(['Node', 'IPAMBlock'] as const) };
    const inputs = ipamInputs(resources, own, 'n1', []);
    assert.deepEqual([inputs.nodes, inputs.isStoredOwnOnly], [undefined, true], 'others are not followed');
  });
});
