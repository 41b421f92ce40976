// What happens where a daemon is missing, decided by one function (the others need the daemons themselves).
import assert from 'node:assert/strict';
import { obstacle } from './installed.ts';
import { podroute } from '../daemons/podroute.ts';

describe('interop: a daemon that is not installed', () => {
  const before = process.env['CI'];
  after(() => {
    if (before === undefined) delete process.env['CI'];
    else process.env['CI'] = before;
  });
  const missing = { ...podroute, title: 'BIRD', missing: () => 'apt-get install bird2' };
  const expected = 'BIRD is not installed: apt-get install bird2';

  it('is skipped with the command that installs it', () => {
    delete process.env['CI'];
    assert.deepEqual(obstacle(missing), { text: expected, isFailure: false });
  });

  it('fails the tests under CI=true', () => {
    process.env['CI'] = 'true';
    assert.deepEqual(obstacle(missing), { text: expected, isFailure: true });
    assert.equal(obstacle(podroute), undefined);
  });
});
