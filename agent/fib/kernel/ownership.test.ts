import assert from 'node:assert/strict';
import type { Route } from '#linux';
import { isFibRoute, isForeignRoute } from './ownership.ts';

const VIA = { gateway: '10.0.0.1', deviceIndex: 2 };
const learned: Route = {
  ...{ family: 'ipv4', destination: '10.1.0.0/24', scope: 'global', metric: 1024 },
  ...{ table: 254, protocol: 179, type: 'unicast', nextHops: [VIA, { ...VIA, deviceIndex: 3 }] },
};
const CASES: readonly (readonly [string, Partial<Route>, boolean])[] = [
  ['through gateways', {}, true],
  ['unreachable: a block', { type: 'unreachable', nextHops: [] }, true],
  ['without a gateway: a pod', { nextHops: [{ deviceIndex: 2 }] }, false],
  ['of which one next hop has no gateway', { nextHops: [VIA, { deviceIndex: 2 }] }, false],
  ['without next hops', { nextHops: [] }, false],
  ['of another type', { type: 'blackhole', nextHops: [] }, false],
  ['of another type with a gateway', { type: 'local' }, false],
  ['of another protocol', { protocol: 12 }, false],
  ['of another protocol, unreachable', { protocol: 12, type: 'unreachable' }, false],
  ['in another table', { table: 100 }, false],
  ['in another table, unreachable', { table: 100, type: 'unreachable' }, false],
];

describe('whose a kernel route is', () => {
  for (const [what, change, isOurs] of CASES) {
    it(`${isOurs ? 'the FIB’s' : 'not the FIB’s'}: one ${what}`, () => {
      assert.equal(isFibRoute({ ...learned, ...change }, 254, 179), isOurs);
      assert.equal(isForeignRoute({ ...learned, ...change }, 179), change.protocol !== undefined);
    });
  }
});
