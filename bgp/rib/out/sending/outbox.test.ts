// Many members of one group are given what was packed in turns, and what happens to them in between takes nothing away.
import assert from 'node:assert/strict';
import { RibLab } from '../../testing/rib-lab.ts';

const MEMBERS = 40;
const STEP = 4;
const client = (n: number) => ({ id: `c${n}`, address: `198.51.100.${n}`, as: 65000, client: true });
const route = (n: number) => ({ path: [], nextHop: `198.51.100.${n}` });
const FIRST = '10.0.0.0/24';
const SECOND = '10.0.1.0/24';

describe('an update group of many members', () => {
  let lab: RibLab;

  beforeEach(() => {
    lab = new RibLab(undefined, STEP);
    for (let n = 1; n <= MEMBERS; n++) lab.up(client(n));
    lab.settle();
  });

  const has = (prefix: string): number[] =>
    Array.from({ length: MEMBERS }, (_, i) => i + 1).filter((n) => lab.session(`c${n}`).held.has(prefix));

  /** Some have it, and some not yet. */
  function partly(prefix: string): { served: number[]; owed: number[] } {
    lab.announce('c1', [prefix], route(1));
    while (has(prefix).length === 0) lab.turn();
    const served = has(prefix);
    const owed = Array.from({ length: MEMBERS - 1 }, (_, i) => i + 2).filter((n) => !served.includes(n));
    assert.ok(owed.length > MEMBERS / 2, `${owed.length} of ${MEMBERS} are still owed`);
    return { served, owed };
  }

  it('is served in turns, each of which writes to a few', () => {
    lab.announce('c1', [FIRST], route(1));
    let before = 0;
    while (lab.turn()) {
      const now = has(FIRST).length;
      assert.ok(now - before <= 3 * STEP, `${now - before} at once`);
      before = now;
    }
    assert.equal(before, MEMBERS - 1);
  });

  it('gets what comes meanwhile behind it', () => {
    partly(FIRST);
    lab.withdraw('c1', [FIRST]);
    lab.announce('c1', [SECOND], route(1));
    lab.settle();
    assert.deepEqual([has(FIRST).length, has(SECOND).length], [0, MEMBERS - 1]);
  });

  it('gives one that must leave the stream what it is owed, and nothing of what comes behind', () => {
    lab.announce('c1', [FIRST], route(1));
    lab.announce('c1', [SECOND], route(MEMBERS / 2));
    lab.settle();
    assert.equal(has(FIRST).length, MEMBERS - 1);
    assert.equal(has(SECOND).length, MEMBERS - 2, 'not the one that is the next hop');
  });

  it('sends everything again to one that asks for it meanwhile', () => {
    const { owed } = partly(FIRST);
    const id = `c${owed.at(-1)}`;
    lab.withdraw('c1', [FIRST]);
    lab.rib.refresh(lab.session(id), 0);
    lab.settle();
    assert.deepEqual(has(FIRST), []);
  });

  it('gives one that changes to another group what it is owed, and the difference', () => {
    const { owed } = partly(FIRST);
    const { config } = lab.session(`c${owed.at(-1)}`);
    lab.rib.neighbours.configure({ ...config, linkBandwidth: 'send' });
    lab.announce('c1', [SECOND], route(1));
    lab.settle();
    assert.deepEqual([has(FIRST).length, has(SECOND).length], [MEMBERS - 1, MEMBERS - 1]);
  });

  it('owes nothing to one that is gone, and all to the one that comes in its place', () => {
    const { owed } = partly(FIRST);
    const n = owed.at(-1)!;
    const gone = lab.session(`c${n}`);
    lab.down(`c${n}`);
    lab.up(client(n));
    lab.announce('c1', [SECOND], route(1));
    lab.settle();
    assert.ok(!gone.held.has(FIRST));
    assert.deepEqual([has(FIRST).length, has(SECOND).length], [MEMBERS - 1, MEMBERS - 1]);
  });
});
