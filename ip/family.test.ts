import assert from 'node:assert/strict';
import { afiOf, FAMILIES, familyIndex, familyLabel, familyName, familyOf, familyOfAfi } from './family.ts';

describe('an address family', () => {
  it('has a name, an index, IANA’s number and a label, each leading to the others', () => {
    for (const [i, family] of FAMILIES.entries()) {
      assert.equal(familyIndex(family), i);
      assert.equal(familyName(familyIndex(family)), family);
      assert.equal(familyOfAfi(afiOf(family)), family);
      assert.equal(familyLabel(family).toLowerCase(), family);
    }
    assert.deepEqual(FAMILIES.map(afiOf), [1, 2]);
    assert.equal(familyOfAfi(25), undefined);
  });

  it('is told by the colons of an address', () => {
    assert.deepEqual(['10.0.0.0/8', '::', '::ffff:1.2.3.4'].map(familyOf), ['ipv4', 'ipv6', 'ipv6']);
  });
});
