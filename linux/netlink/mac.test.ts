import assert from 'node:assert/strict';
import { formatMac, parseMac } from './mac.ts';

describe('MAC addresses', () => {
  it('have six pairs of digits', () => {
    assert.equal(formatMac(parseMac('02:AB:00:00:00:ff') ?? new Uint8Array(), 0, 6), '02:ab:00:00:00:ff');
    for (const wrong of ['02:ab:00:00:00', '2:ab:0:0:0:ff', '02-ab-00-00-00-ff', ''])
      assert.equal(parseMac(wrong), undefined);
  });
});
