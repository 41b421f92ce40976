// What podroute agent takes from its options and environment.
import assert from 'node:assert/strict';
import { CommandError } from '../exit.ts';
import { leakGraceOf, routerIdOf } from './agent.ts';

describe('the router ID that an agent is given', () => {
  it('is the option, else ours of the environment, else Calico’s; empty is absent', () => {
    const both = { PODROUTE_ROUTER_ID: '10.0.0.2', CALICO_ROUTER_ID: '10.0.0.3' };
    assert.equal(routerIdOf('10.0.0.1', both), '10.0.0.1');
    assert.equal(routerIdOf(undefined, both), '10.0.0.2');
    assert.equal(routerIdOf(undefined, { ...both, PODROUTE_ROUTER_ID: '' }), '10.0.0.3');
    assert.equal(routerIdOf(undefined, { CALICO_ROUTER_ID: 'hash' }), 'hash');
    assert.equal(routerIdOf(undefined, { CALICO_ROUTER_ID: '' }), undefined);
  });

  it('is an IPv4 address or hash', () => {
    for (const value of ['fd00::1', '0.0.0.0', '10.0.0', 'Hash']) {
      assert.throws(
        () => routerIdOf(undefined, { CALICO_ROUTER_ID: value }),
        (error) =>
          error instanceof CommandError &&
          error.message.startsWith(`agent: CALICO_ROUTER_ID ${value}: expected`),
      );
    }
  });
});

describe('how long a Pod must have been gone', () => {
  it('is whole seconds up to a week, and 0 is never', () => {
    assert.deepEqual(['0', '900', '604800'].map(leakGraceOf), [0, 900, 604_800]);
    for (const value of ['', '-1', '1.5', '604801', '15m']) {
      assert.throws(
        () => leakGraceOf(value),
        /--leak-grace-seconds .*: expected a number from 0 \(never\) to 604800/,
      );
    }
  });
});
