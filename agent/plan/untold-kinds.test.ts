// A plan while the store does not know everything: what waits, and what goes on.
import assert from 'node:assert/strict';
import type { Kind } from '#api';
import { makePlan } from './plan.ts';
import { nodeYaml, resourcesFromYaml } from './testing/cluster-yaml.ts';

const N1 = nodeYaml('n1', ['10.0.0.1', 'fd00::1']);
const N2 = nodeYaml('n2', ['10.0.0.2', 'fd00::2']);
describe('a plan', () => {
  it('does not exist while the BGPConfiguration of this node is written, but wrong', () => {
    const refused = {
      objects: new Set(['BGPConfiguration node.n1']),
      files: new Set<string>(),
      kinds: new Set<Kind>(),
    };
    const plan = (nodeName: string) =>
      makePlan({ resources: resourcesFromYaml(N1, N2), refused, nodeName, localBlocks: [] });
    assert.match(plan('n1').problems[0]?.message ?? '', /^is written, but wrong: no session is opened/);
    assert.ok(plan('n1').plan === undefined && plan('n2').plan !== undefined);
  });

  it('waits for the kinds that decide who we are, and for no other that the store has not told of', () => {
    const told = (...kinds: Kind[]) =>
      makePlan({
        resources: resourcesFromYaml(...(kinds.includes('Node') ? [] : [N1])),
        refused: { objects: new Set(), files: new Set(), kinds: new Set(kinds) },
        nodeName: 'n1',
        localBlocks: [],
      });
    const texts = (...kinds: Kind[]) =>
      told(...kinds).problems.map(({ object, message }) => `${object}: ${message}`);
    assert.deepEqual(texts('BGPConfiguration', 'IPPool', 'Secret'), [
      'BGPConfiguration default: may exist, the store has not told yet: no session is opened until it is known',
    ]);
    assert.match(
      texts('Node').join(),
      /^Node n1: may exist, the store has not told yet: this agent has no AS/,
    );
    assert.ok(told('Secret', 'BGPFilter', 'BFDProfile', 'IPAMBlock').plan !== undefined);
  });
});
