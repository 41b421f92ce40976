// Somebody sets the date, by an hour in either direction, while addresses are given out and the journal is written: what
// pods have is theirs, also after a restart, and an address that was just freed is not the next one.
import assert from 'node:assert/strict';
import { inputs, owner, pool, startNode, type TestNode } from './testing/ipam-node.ts';

const HOUR_MS = 3_600_000;
const GIVEN = inputs([pool('v4', '10.0.0.0/29', 29)]);

describe('ipam while the date is set', () => {
  const allocate = async ({ ipam }: TestNode, name: string): Promise<string> => {
    const answer = await ipam.allocate(owner(name), ['ipv4']);
    assert.ok(!('kind' in answer), JSON.stringify(answer));
    return answer.addresses.ipv4!;
  };
  const held = ({ ipam }: TestNode): string[] =>
    ipam
      .usage()
      .allocations.map((one) => `${one.owner.containerId} ${one.addresses.ipv4}`)
      .toSorted();

  for (const byMs of [HOUR_MS, -HOUR_MS]) {
    it(`keeps every address with its pod, and rests a freed one: by ${byMs / HOUR_MS} h`, async () => {
      const node = await startNode(GIVEN);
      const { clock, disk, store } = node;
      const [a, b] = [await allocate(node, 'a'), await allocate(node, 'b')];
      clock.dateSetByMs += byMs;
      const c = await allocate(node, 'c');
      await node.ipam.release(owner('b'));
      const d = await allocate(node, 'd');
      assert.notEqual(d, b, 'freed a moment ago');
      clock.dateSetByMs -= 2 * byMs;
      await node.ipam.release(owner('c'));
      const wanted = [`ca ${a}`, `cd ${d}`];
      assert.deepEqual(held(node), wanted);
      const blocks = [...store.blocks.keys()];
      await node.ipam[Symbol.asyncDispose]();

      // The process starts anew, with a date that was set once more.
      clock.dateSetByMs += byMs;
      const again = await startNode(GIVEN, { clock, disk, store });
      assert.deepEqual(held(again), wanted);
      assert.deepEqual([...store.blocks.keys()], blocks);
      assert.deepEqual(again.ipam.usage().problems, []);
      const e = await allocate(again, 'e');
      assert.ok(![a, b, c, d].includes(e), `${e}: as long as there are others`);
      const all = new Set([a, d, e]);
      for (let i = 0; i < 5; i++) all.add(await allocate(again, `f${i}`));
      assert.equal(all.size, 8, 'each one once');

      // Of those that were freed the first one is first, whatever the date was then.
      await again.ipam.release(owner('f1'));
      const first = [...all][4]!;
      clock.advance(1000);
      clock.dateSetByMs -= HOUR_MS;
      await again.ipam.release(owner('a'));
      assert.equal(await allocate(again, 'g'), first);
    });
  }
});
