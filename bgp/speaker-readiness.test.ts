// What /readyz asks of the speaker: are the first routes in?
import assert from 'node:assert/strict';
import { AttackedSpeaker } from './testing/attacked-speaker.ts';
import { END_OF_RIB, update } from './testing/message-bytes.ts';

/** The one of IPv6 unicast. */
const END_OF_IPV6 = update({ attributes: '800f 03 0002 01', nlri: '' });

describe('speaker: the first routes are in', () => {
  it('when each neighbour that is up has sent its End-of-RIB (RFC 4724 section 2); those away are not waited for', async () => {
    await using bench = new AttackedSpeaker();
    await bench.start();
    const readiness = () => bench.speaker.readiness();
    assert.deepEqual(readiness(), { wanted: 2, established: 0, hasFirstRoutes: false });
    const good = bench.up('good');
    assert.deepEqual(readiness(), { wanted: 2, established: 1, hasFirstRoutes: false });
    good.send(END_OF_RIB);
    bench.run(10);
    assert.equal(readiness().hasFirstRoutes, false, 'IPv6 is still to come');
    good.send(END_OF_IPV6);
    bench.run(10);
    assert.deepEqual(readiness(), { wanted: 2, established: 1, hasFirstRoutes: true });
    assert.equal(bench.speaker.hasHeardAll(), false);
    const other = bench.up('hostile');
    assert.equal(readiness().hasFirstRoutes, false);
    other.send(END_OF_RIB, END_OF_IPV6);
    bench.run(10);
    assert.deepEqual(readiness(), { wanted: 2, established: 2, hasFirstRoutes: true });
    assert.equal(bench.speaker.hasHeardAll(), true);
  });
});
