// A neighbour that takes no bytes while others do: what is written to it beyond its mark.
import assert from 'node:assert/strict';
import { announceMessage } from '../../../testing/message-bytes.ts';
import type { FakeSession } from '../../testing/fake-session.ts';
import { RibLab } from '../../testing/rib-lab.ts';

const ROUTES = 3000;
const MOST = (1 << 20) + (1 << 17);

/** Counts the octets that come after the session has said that it is full. */
function countAfterFull(session: FakeSession): { octets: number } {
  const after = { octets: 0 };
  let isFull = false;
  const write = session.write.bind(session);
  session.write = (bytes) => {
    if (isFull) after.octets += bytes.length;
    const hasRoom = write(bytes);
    isFull = !hasRoom;
    return hasRoom;
  };
  return after;
}

/** Some 3 MB of routes, no two with the same attributes. */
function announceAll(lab: RibLab): void {
  const message = announceMessage(['20.0.0.0/24'], {
    path: [65001],
    nextHop: '10.0.1.1',
    communities: Array.from({ length: 250 }, (_, i) => i),
  });
  for (let n = 0; n < ROUTES; n++) {
    message.writeUInt32BE(0x10000000 + n, message.length - 8);
    message.writeUInt16BE(n, message.length - 2);
    lab.feed('a', message);
  }
}

function attacked(): RibLab {
  const lab = new RibLab();
  lab.up({ id: 'a', address: '10.0.1.1', as: 65001 });
  return lab;
}

describe('a member that blocks', () => {
  it('in the shared stream gets a megabyte more, and the rest when it is drained', () => {
    const lab = attacked();
    const slow = lab.up({ id: 'slow', address: '10.0.1.9', as: 65009 });
    const fast = lab.up({ id: 'fast', address: '10.0.1.8', as: 65008 });
    lab.settle();
    slow.room = 1;
    const after = countAfterFull(slow);
    announceAll(lab);
    lab.settle();
    assert.equal(fast.held.size, ROUTES);
    assert.ok(after.octets > 0 && after.octets < MOST, `${after.octets} octets`);
    assert.ok(slow.held.size < ROUTES);
    lab.drain('slow', 1000);
    lab.settle();
    assert.deepEqual([...slow.held.keys()].sort(), [...fast.held.keys()].sort());
  });

  it('while it gets its first table gets no more either', () => {
    const lab = attacked();
    announceAll(lab);
    lab.settle();
    const slow = lab.up({ id: 'slow', address: '10.0.1.9', as: 65009 });
    slow.room = 1;
    const after = countAfterFull(slow);
    lab.settle();
    assert.ok(after.octets > 0 && after.octets < MOST, `${after.octets} octets`);
    for (let i = 0; i < 10; i++) {
      lab.drain('slow', 1);
      lab.settle();
    }
    assert.equal(slow.held.size, ROUTES);
    assert.deepEqual(slow.endOfRib, ['ipv4', 'ipv6']);
  });

  it('and owes changes of all of them, gets each once', () => {
    const lab = attacked();
    const slow = lab.up({ id: 'slow', address: '10.0.1.9', as: 65009 });
    lab.settle();
    slow.room = 0;
    announceAll(lab);
    lab.settle();
    lab.drain('slow', 0);
    announceAll(lab);
    lab.settle();
    const before = slow.announced;
    lab.drain('slow', 100_000);
    lab.settle();
    assert.equal(slow.held.size, ROUTES);
    assert.ok(slow.announced - before <= ROUTES);
  });
});
