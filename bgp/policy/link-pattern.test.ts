import assert from 'node:assert/strict';
import { LINKS_UNKNOWN, LinkPattern, NO_LINKS } from './link-pattern.ts';

describe('a pattern for names of interfaces', () => {
  it('is all of a name, in which * stands for any characters, and every other one for itself', () => {
    for (const [pattern, fits, differs] of [
      ['eth0', ['eth0'], ['eth00', 'veth0', 'ETH0', '']],
      ['eth*', ['eth', 'eth0', 'eth0.100', 'eth\n1'], ['veth0', 'et']],
      ['*.100', ['eth0.100', '.100'], ['eth0100', 'eth0.1000']],
      ['b*d*0', ['bd0', 'bond0', 'bond.d.10'], ['bond1', 'abd0']],
      ['a+b', ['a+b'], ['aab', 'ab']],
      ['(x|y)[z]?', ['(x|y)[z]?'], ['x', 'xz']],
      ['^${a}\\', ['^${a}\\'], ['a']],
    ] as const) {
      const of = (name: string) => new LinkPattern(pattern, false).matches(2, () => [name]);
      for (const name of fits) assert.equal(of(name), true, `${pattern} is ${name}`);
      for (const name of differs) assert.equal(of(name), false, `${pattern} is not ${name}`);
    }
  });

  it('holds for a set of interfaces when one of them fits, and looks at the names of each set once', () => {
    const pattern = new LinkPattern('eth*', true);
    const sets = [
      [],
      [],
      ['bond0', 'eth1'],
      ['bond0'],
      ...Array.from({ length: 200 }, (_, n) => [`x${n}`, `eth${n}`]),
    ];
    const asked: number[] = [];
    const namesOf = (set: number): readonly string[] => {
      asked.push(set);
      return sets[set]!;
    };
    // Each one anew after the memory has grown: what is known stays known, and of the others nothing is.
    for (const set of [NO_LINKS, 2, 3, 15, 16, 17, 31, 32, 100, 203]) {
      for (const again of [NO_LINKS, 2, 3, set]) {
        assert.equal(pattern.matches(again, namesOf), again === 2 || again > 3, `set ${again}`);
      }
    }
    assert.deepEqual(asked, [NO_LINKS, 2, 3, 15, 16, 17, 31, 32, 100, 203]);
  });

  it('says what it was told to while nobody knows the interface, and asks for no names', () => {
    const unasked = () => assert.fail('nobody knows');
    for (const onUnknown of [true, false]) {
      assert.equal(new LinkPattern('eth0', onUnknown).matches(LINKS_UNKNOWN, unasked), onUnknown);
    }
  });
});
