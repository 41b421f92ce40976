// The state by itself: what a replayed journal comes to, which address is next, and what links say that the journal does not.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { parsePrefix } from '#ip';
import type { JournalRecord } from './journal-record.ts';
import { hostLinkName, ownerKey } from './owner-key.ts';
import { IpamState } from './state.ts';
import { owner } from './testing/ipam-node.ts';

const allocate = (n: number, ipv4: string, atMs = 3): JournalRecord => ({
  type: 'allocate',
  key: ownerKey(owner(n)),
  owner: owner(n),
  addresses: { ipv4 },
  atMs,
});
const release = (n: number, ipv4: string): JournalRecord => ({
  ...(allocate(n, ipv4) as Extract<JournalRecord, { key: string }>),
  type: 'release',
});
const hold = (cidr: string): JournalRecord => ({ type: 'holdBlock', cidr, pool: 'p', atMs: 1 });

function stateOf(...records: JournalRecord[]): IpamState {
  const state = new IpamState();
  state.replay(records, 0);
  return state;
}
const heldIn = (state: IpamState): Record<string, string | undefined> =>
  Object.fromEntries([...state.allocations.values()].map((a) => [a.owner.containerId, a.addresses.ipv4]));

describe('the state of addresses, replayed', () => {
  const BLOCK = hold('10.0.0.0/29');

  it('has a block that was given back no longer, and one that was taken again once', () => {
    const back: JournalRecord = { type: 'returnBlock', cidr: '10.0.0.0/29', pool: 'p', atMs: 2 };
    assert.deepEqual(stateOf(BLOCK, back).blocks, []);
    assert.equal(stateOf(BLOCK, back, BLOCK, hold('10.0.1.0/29')).blocks.length, 2);
  });

  it('takes an address from its owner when a later record gives it to another, and only then', () => {
    assert.deepEqual(heldIn(stateOf(BLOCK, allocate(1, '10.0.0.1'), allocate(2, '10.0.0.1'))), {
      c2: '10.0.0.1',
    });
    // Said twice.
    assert.deepEqual(heldIn(stateOf(BLOCK, allocate(1, '10.0.0.1'), allocate(1, '10.0.0.1'))), {
      c1: '10.0.0.1',
    });
    // Moved on in between: the release that got lost was of the first address only.
    assert.deepEqual(
      heldIn(stateOf(BLOCK, allocate(1, '10.0.0.1'), allocate(1, '10.0.0.2'), allocate(2, '10.0.0.1'))),
      { c1: '10.0.0.2', c2: '10.0.0.1' },
    );
    // Released, and come back elsewhere.
    assert.deepEqual(
      heldIn(
        stateOf(
          BLOCK,
          allocate(1, '10.0.0.1'),
          release(1, '10.0.0.1'),
          allocate(1, '10.0.0.1'),
          hold('10.0.1.0/29'),
        ),
      ),
      { c1: '10.0.0.1' },
    );
  });

  it('is the same as what was written anew from it', () => {
    const step = fc.record({
      n: fc.nat(5),
      at: fc.integer({ min: 1, max: 14 }),
      do: fc.constantFrom('allocate', 'release', 'hold', 'return', 'adopt'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const state = new IpamState();
        state.addBlock(parsePrefix('10.0.0.0/28')!, 'p', 0);
        steps.forEach(({ n, at, do: what }, i) => {
          const address = `10.0.0.${at}`;
          const place = state.blockWith(address);
          const key = ownerKey(owner(n));
          if (what === 'release') state.release(key, i, i);
          else if (what === 'allocate' && !state.allocations.has(key) && place?.block.take(place.index))
            state.allocate(owner(n), { ipv4: address }, i);
        });
        const again = new IpamState();
        assert.equal(again.replay(state.snapshot('n1', 77), 0), 'n1');
        assert.deepEqual([...again.allocations], [...state.allocations]);
        assert.deepEqual(
          again.blocks.map(({ cidr, pool, used }) => [cidr, pool, used]),
          state.blocks.map(({ cidr, pool, used }) => [cidr, pool, used]),
        );
        assert.deepEqual(again.snapshot('n1', 77), state.snapshot('n1', 77));
      }),
    );
  });

  it('remembers at least the 256 newest releases, and never more than 512', () => {
    const state = stateOf(BLOCK);
    const remembered = (): JournalRecord[] =>
      state.snapshot('n1', 0).filter(({ type }) => type === 'release');
    for (let i = 1; i <= 2000; i++) {
      state.allocate(owner(i), { ipv4: '10.0.0.1' }, i);
      state.release(ownerKey(owner(i)), i, i);
      const { length } = remembered();
      assert.ok(length <= 512 && length >= Math.min(i, 256), `${length} after ${i}`);
      assert.equal(remembered().at(-1)?.atMs, i);
    }
  });
});

describe('the state of addresses', () => {
  const at = (state: IpamState, nowMs: number): string | undefined => state.takeFree('ipv4', nowMs, 1000);

  it('gives the address freed longest ago, of all blocks, when none has rested long enough', () => {
    const state = new IpamState();
    for (const cidr of ['10.0.0.0/32', '10.0.1.0/32', '10.0.2.0/32'])
      state.addBlock(parsePrefix(cidr)!, undefined, 0);
    for (let i = 0; i < 3; i++) assert.ok(at(state, 0));
    state.putBack({ ipv4: '10.0.0.0' }, 30);
    state.putBack({ ipv4: '10.0.1.0' }, 10);
    state.putBack({ ipv4: '10.0.2.0' }, 20);
    assert.deepEqual(
      [at(state, 500), at(state, 500), at(state, 500), at(state, 500)],
      ['10.0.1.0', '10.0.2.0', '10.0.0.0', undefined],
    );
  });

  it('fills the first block first, once its addresses have rested, to the millisecond', () => {
    const state = new IpamState();
    for (const cidr of ['10.0.0.0/32', '10.0.1.0/32']) state.addBlock(parsePrefix(cidr)!, undefined, 0);
    at(state, 0);
    at(state, 0);
    state.putBack({ ipv4: '10.0.1.0' }, 40);
    state.putBack({ ipv4: '10.0.0.0' }, 50);
    assert.equal(at(state, 1049), '10.0.1.0');
    state.putBack({ ipv4: '10.0.1.0' }, 50);
    assert.equal(at(state, 1050), '10.0.0.0');
  });

  it('keeps reservations free in blocks that come later, and in those that are there', () => {
    const state = new IpamState();
    state.addBlock(parsePrefix('10.0.0.0/31')!, undefined, 0);
    state.setReservations(['10.0.0.0/32', '10.0.1.1/32']);
    state.addBlock(parsePrefix('10.0.1.0/31')!, undefined, 0);
    assert.deepEqual([at(state, 0), at(state, 0), at(state, 0)], ['10.0.0.1', '10.0.1.0', undefined]);
  });

  it('removes the block that it is told, and no other', () => {
    const state = new IpamState();
    const blocks = ['10.0.0.0/29', '10.0.1.0/29', '10.0.2.0/29'].map((cidr) =>
      state.addBlock(parsePrefix(cidr)!, undefined, 0),
    );
    state.removeBlock(blocks[0]!);
    state.removeBlock(blocks[0]!);
    assert.deepEqual(
      state.blocks.map(({ cidr }) => cidr),
      ['10.0.1.0/29', '10.0.2.0/29'],
    );
  });

  it('adopts what a link uses, unless the link has it by right or somebody else has it', () => {
    const state = new IpamState();
    state.addBlock(parsePrefix('10.0.0.0/29')!, undefined, 0);
    const link = hostLinkName(ownerKey(owner(1)));
    const place = state.blockWith('10.0.0.1')!;
    place.block.take(place.index);
    state.allocate(owner(1), { ipv4: '10.0.0.1' }, 0);
    assert.equal(state.adopt('10.0.0.1', link), false, 'its own');
    assert.equal(state.adopt('10.0.0.1', 'prother'), false, 'somebody else has it');
    assert.equal(state.adopt('10.0.0.2', link), true);
    assert.equal(state.adopt('10.0.0.2', link), false, 'twice');
    assert.equal(state.adopt('10.9.9.9', 'prother'), true, 'outside of all blocks');
    // The block comes later, as with one whose record got lost.
    const later = state.addBlock(parsePrefix('10.9.9.8/29')!, undefined, 0);
    assert.equal(later.used, 1);
    assert.equal(state.abandon('10.9.9.9', 5), true);
    assert.equal(state.abandon('10.9.9.9', 5), false);
    assert.equal(later.used, 0);
    // DEL of the link's owner frees what was adopted for it, and nothing of another link.
    state.adopt('10.9.9.10', 'prother');
    assert.equal(state.release(ownerKey(owner(1)), 6, 6)?.type, 'release');
    assert.deepEqual([...state.adopted.keys()], ['10.9.9.10']);
  });

  it('names what no block has, also when it is one of two addresses', () => {
    const state = stateOf(hold('10.0.0.0/29'));
    state.allocate(owner(1), { ipv4: '10.0.0.1', ipv6: 'fd00::1' }, 0);
    state.allocate(owner(2), { ipv4: '10.0.0.2' }, 0);
    const { outside, leaked, missing } = state.compare([owner(1), owner(3)], undefined);
    assert.deepEqual(
      [outside, leaked].map((list) => list.map((a) => a.owner.containerId)),
      [['c1'], ['c2']],
    );
    assert.deepEqual(missing, [{ containerId: 'c3', ifname: 'eth0' }]);
    assert.deepEqual(state.compare([], 'another').leaked, []);
  });
});
