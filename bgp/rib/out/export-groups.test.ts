// Who shares a group, what becomes of groups that nobody needs, members that change groups, and the turns in which they
// are served.
import assert from 'node:assert/strict';
import type { FamilyIndex } from '#ip';
import type { PeerConfig } from '../../config.ts';
import { fakeConfig, type FakePeerOptions, FakeSession } from '../testing/fake-session.ts';
import { RibLab } from '../testing/rib-lab.ts';

const ebgp = (n: number, more: Partial<FakePeerOptions> = {}): FakePeerOptions => ({
  ...{ id: `e${n}`, address: `192.0.2.${n}`, as: 65100 + n },
  ...more,
});
const ibgp = (n: number, more: Partial<FakePeerOptions> = {}): FakePeerOptions => ({
  ...{ id: `i${n}`, address: `198.51.100.${n}`, as: 65000 },
  ...more,
});
const A = '20.0.1.0/24';
const B = 'fd12::/48';

/** Tells the RIB of a change, and lets it do nothing yet. */
function configure(lab: RibLab, peer: FakePeerOptions, change: Partial<PeerConfig>): void {
  const config = fakeConfig({ ...peer, config: { ...peer.config, ...change } });
  lab.session(peer.id).config = config;
  lab.rib.neighbours.configure(config);
}

/** The members of each group, of each family. */
const groups = (lab: RibLab): string[][] =>
  lab.rib.exports.groups.map((list) => list.map((group) => group.memberIds().sort().join(' ')).sort());

/** A source with a route of each family, and neighbours that have both. */
function scene(...peers: FakePeerOptions[]): RibLab {
  const lab = new RibLab();
  for (const peer of [ebgp(1), ...peers]) lab.up(peer);
  lab.announce('e1', [A], { path: [65101], nextHop: '192.0.2.1' });
  lab.announce('e1', [B], { path: [65101], nextHop: 'fd00::99' });
  lab.settle();
  return lab;
}

const MOST_STEPS = 1000;

/** All that is to be done in the background. */
function finish(lab: RibLab): void {
  for (let i = 0; lab.rib.exports.step(); i++) assert.ok(i < MOST_STEPS, 'it comes to an end');
}

const nextHops = (lab: RibLab, id: string): (string | undefined)[] =>
  [A, B].map((prefix) => /nh=(\S+)/.exec(lab.session(id).held.get(prefix) ?? '')?.[1]);
const KEPT = ['192.0.2.1', 'fd00::99'];
const OURS = ['10.0.0.1', 'fd00::1'];
const SELF = { nextHop: 'self' } as const;
const PRIVATE = { config: SELF } as const;

describe('export groups', () => {
  it('are shared by those who get the same, for each family by itself, and go with the last member', () => {
    const lab = scene(ebgp(2), ibgp(1), ibgp(2, { families: ['ipv6'] }), ibgp(3, { families: ['ipv4'] }));
    assert.deepEqual(groups(lab), [
      ['e1 e2', 'i1 i3'],
      ['e1 e2', 'i1 i2'],
    ]);
    lab.down('i1');
    assert.deepEqual(groups(lab), [
      ['e1 e2', 'i3'],
      ['e1 e2', 'i2'],
    ]);
    lab.down('i3');
    assert.deepEqual(groups(lab), [['e1 e2'], ['e1 e2', 'i2']]);
    lab.up(ibgp(4));
    lab.settle();
    assert.deepEqual(groups(lab), [
      ['e1 e2', 'i4'],
      ['e1 e2', 'i2 i4'],
    ]);
    assert.deepEqual(nextHops(lab, 'i4'), KEPT, 'the new group begins anew');
  });

  it('give back what they held when they go', () => {
    const lab = scene(ibgp(1), ibgp(2, PRIVATE));
    for (const id of ['i1', 'i2']) lab.down(id);
    lab.settle();
    assert.equal(lab.rib.exports.step(), false, 'all is taken apart');
    lab.down('e1');
    lab.settle();
    assert.deepEqual(groups(lab), [[], []]);
    assert.equal(lab.pages.sizes().attributeSets, 0);
  });

  it('forget no member but the one that leaves, and know nothing of one that never came', () => {
    const lab = scene(ibgp(1), ibgp(2));
    const stranger = new FakeSession(ibgp(3));
    lab.rib.exports.leave(stranger);
    lab.rib.exports.refresh(stranger, 0);
    assert.equal(lab.rib.exports.groupOf(stranger, 0), undefined);
    assert.equal(lab.rib.exports.drained(stranger), false);
    assert.deepEqual(groups(lab)[0], ['e1', 'i1 i2']);
    const gone = lab.session('i1');
    lab.down('i1');
    assert.deepEqual(groups(lab)[0], ['e1', 'i2']);
    lab.rib.exports.leave(gone);
    assert.equal(lab.rib.exports.groupOf(gone, 0), undefined);
    assert.deepEqual(lab.rib.exports.groupOf(lab.session('i2'), 1)?.memberIds(), ['i2']);
  });

  it('tell once that a queue that was full is empty', () => {
    const lab = scene(ibgp(1));
    const session = lab.session('i1');
    assert.equal(lab.rib.exports.drained(session), false, 'it was not full');
    session.room = 0;
    lab.announce('e1', [A], { path: [65101, 7], nextHop: '192.0.2.1' });
    lab.settle();
    session.room = 9;
    assert.equal(lab.rib.exports.drained(session), true);
    assert.equal(lab.rib.exports.drained(session), false);
  });
});

describe('a member whose rules change', () => {
  it('changes groups in both families, and the group that it leaves goes if it was the last', () => {
    const lab = scene(ibgp(1), ibgp(2));
    configure(lab, ibgp(1), SELF);
    lab.settle();
    assert.deepEqual(groups(lab), [
      ['e1', 'i1', 'i2'],
      ['e1', 'i1', 'i2'],
    ]);
    assert.deepEqual([nextHops(lab, 'i1'), nextHops(lab, 'i2')], [OURS, KEPT]);
    configure(lab, ibgp(2), SELF);
    lab.settle();
    assert.deepEqual(groups(lab), [
      ['e1', 'i1 i2'],
      ['e1', 'i1 i2'],
    ]);
    assert.deepEqual(nextHops(lab, 'i2'), OURS);
    assert.equal(lab.rib.exports.step(), false);
  });

  it('of a family that it does not have, changes nothing there', () => {
    const lab = scene(ibgp(1, { families: ['ipv6'] }), ibgp(2, { families: ['ipv4'] }));
    configure(lab, ibgp(1, { families: ['ipv6'] }), SELF);
    lab.settle();
    assert.deepEqual(groups(lab), [
      ['e1', 'i2'],
      ['e1', 'i1'],
    ]);
    configure(lab, ibgp(2, { families: ['ipv4'] }), SELF);
    lab.settle();
    assert.deepEqual(nextHops(lab, 'i1'), [undefined, OURS[1]]);
    assert.deepEqual(nextHops(lab, 'i2'), [OURS[0], undefined]);
    assert.deepEqual(groups(lab), [
      ['e1', 'i2'],
      ['e1', 'i1'],
    ]);
  });

  it('and change again before it has moved, moves to the last group only', () => {
    const lab = scene(ibgp(1));
    const { announced } = lab.session('i1');
    configure(lab, ibgp(1), SELF);
    configure(lab, ibgp(1), { nextHop: 'keep' });
    assert.deepEqual(groups(lab)[0]!.length, 3, 'no group stays for nobody');
    lab.settle();
    assert.deepEqual(groups(lab), [
      ['e1', 'i1'],
      ['e1', 'i1'],
    ]);
    assert.equal(lab.session('i1').announced, announced, 'the octets are the same');
  });

  it('and change back before it has moved, stays where it is', () => {
    const lab = scene(ibgp(1));
    const before = lab.rib.exports.groupOf(lab.session('i1'), 0);
    configure(lab, ibgp(1), SELF);
    configure(lab, ibgp(1), {});
    assert.deepEqual(groups(lab)[0]!.length, 2);
    lab.settle();
    assert.equal(lab.rib.exports.groupOf(lab.session('i1'), 0), before);
    assert.deepEqual(nextHops(lab, 'i1'), KEPT);
  });

  it('and are told twice, moves once', () => {
    const lab = scene(ibgp(1));
    configure(lab, ibgp(1), SELF);
    const made = lab.rib.exports.groups[0].at(-1);
    configure(lab, ibgp(1), SELF);
    assert.equal(lab.rib.exports.groups[0].at(-1), made, 'the group that was made for it is used');
    lab.settle();
    assert.equal(lab.rib.exports.groupOf(lab.session('i1'), 0), made);
    assert.deepEqual(nextHops(lab, 'i1'), OURS);
  });

  it('leaves others on their way where it goes down, or thinks better of it', () => {
    for (const isDown of [true, false]) {
      for (const [first, second] of [
        [ibgp(1), ibgp(2)],
        [ibgp(2), ibgp(1)],
      ] as const) {
        const lab = scene(ibgp(1), ibgp(2));
        configure(lab, first, SELF);
        configure(lab, second, SELF);
        if (isDown) lab.down(ibgp(1).id);
        else configure(lab, ibgp(1), {});
        lab.settle();
        assert.deepEqual(nextHops(lab, 'i2'), OURS);
        if (!isDown) assert.deepEqual(nextHops(lab, 'i1'), KEPT);
        const expected = isDown ? ['e1', 'i2'] : ['e1', 'i1', 'i2'];
        assert.deepEqual(groups(lab), [expected, expected]);
      }
    }
  });

  it('and goes down before it has moved, leaves no group behind', () => {
    const lab = scene(ibgp(1));
    configure(lab, ibgp(1), SELF);
    lab.down('i1');
    assert.deepEqual(groups(lab), [['e1'], ['e1']]);
    lab.settle();
    lab.down('e1');
    lab.settle();
    assert.equal(lab.pages.sizes().attributeSets, 0);
  });

  it('as a source, so that its routes are reflected, is heard by all others (RFC 4456)', () => {
    const lab = scene(ibgp(1), ibgp(2));
    lab.announce('i1', ['20.0.9.0/24'], { path: [], nextHop: '198.51.100.1' });
    lab.settle();
    assert.equal(lab.session('i2').held.has('20.0.9.0/24'), false);
    configure(lab, ibgp(1), { routeReflectorClient: true });
    lab.settle();
    assert.equal(lab.session('i2').held.has('20.0.9.0/24'), true);
  });

  it('and has no session, changes nothing', () => {
    const lab = scene(ibgp(1));
    lab.down('i1');
    lab.rib.exports.rulesChanged(lab.rib.peer('i1')!, lab.rib.intern.identity);
    assert.deepEqual(groups(lab), [['e1'], ['e1']]);
  });
});

describe('members that catch up', () => {
  const ROUTES = Array.from({ length: 40 }, (_, i) => `20.0.${i}.0/24`);
  const GRAIN = 8;

  /** A table of 40 routes of each of two attribute sets, and members that are to get it; their groups are built. */
  function dumps(...peers: FakePeerOptions[]): RibLab {
    const lab = new RibLab(undefined, GRAIN);
    lab.up(ebgp(1));
    lab.announce('e1', ROUTES.slice(0, 20), { path: [65101], nextHop: '192.0.2.1' });
    lab.announce('e1', ROUTES.slice(20), { path: [65101, 7], nextHop: '192.0.2.1' });
    lab.settle();
    for (const peer of peers) lab.up(peer);
    const isBuilding = (): boolean => lab.rib.exports.groups.flat().some((group) => group.isBuilding);
    for (let i = 0; i < MOST_STEPS && isBuilding(); i++) assert.equal(lab.rib.exports.step(), true);
    assert.equal(isBuilding(), false);
    return lab;
  }

  const V4 = { families: ['ipv4'] } as const;

  it('get their turns one after the other, group by group', () => {
    const lab = dumps(ibgp(1, V4), ibgp(2, V4), ebgp(2, V4), ibgp(3, { ...V4, ...PRIVATE }));
    const turns: string[] = [];
    for (let i = 0; i < MOST_STEPS; i++) {
      const before = [...lab.sessions].map(([id, session]) => [id, session.announced] as const);
      if (!lab.rib.exports.step()) break;
      turns.push(...before.filter(([id, count]) => lab.session(id).announced > count).map(([id]) => id));
    }
    for (const id of ['i1', 'i2', 'i3', 'e2']) {
      assert.deepEqual([...lab.session(id).held.keys()].sort(), [...ROUTES].sort());
      assert.equal(lab.session(id).announced, ROUTES.length);
      assert.deepEqual(lab.session(id).endOfRib, ['ipv4']);
    }
    const groupOf: Record<string, string> = { i1: 'i', i2: 'i', i3: 'p', e2: 'e' };
    const first = turns.slice(0, 9);
    for (let i = 0; i + 3 <= first.length; i++)
      assert.equal(new Set(first.slice(i, i + 3).map((id) => groupOf[id])).size, 3, turns.join(' '));
    const inside = turns.filter((id) => groupOf[id] === 'i').slice(0, 8);
    for (let i = 1; i < inside.length; i++) assert.notEqual(inside[i], inside[i - 1], turns.join(' '));
  });

  it('hold what was sent to them, and that is shown at each moment', () => {
    const lab = dumps(ibgp(1, V4));
    const { exports, tables } = lab.rib;
    const session = lab.session('i1');
    const group = exports.groupOf(session, 0)!;
    const look = (): void => {
      for (let unit = 0; unit < ROUTES.length; unit++) {
        const isHeld = session.held.has(lab.rib.prefixText(tables[0], unit));
        assert.equal(exports.isHeld(session, group, unit), isHeld);
      }
    };
    look();
    for (let step = 0; step < MOST_STEPS && exports.step(); step++) {
      look();
      if (step !== 2) continue;
      lab.withdraw('e1', [ROUTES[0]!]);
      lab.announce('e1', [ROUTES[39]!], { path: [65101, 8], nextHop: '192.0.2.1' });
      lab.turn();
      look();
    }
    assert.equal(session.held.size, ROUTES.length - 1);
    // Shown as well: with what it is sent.
    for (let unit = 0; unit < ROUTES.length; unit++) {
      const sent = exports.outgoing(group, unit);
      assert.equal(sent !== undefined, session.held.has(lab.rib.prefixText(tables[0], unit)));
      if (sent !== undefined) assert.deepEqual([...sent.nextHop], [192, 0, 2, 1]);
    }
    lab.down('i1');
    assert.equal(exports.isHeld(session, group, 1), false);
  });

  it('again after a request get the family that they asked for', () => {
    const lab = scene(ibgp(1));
    const session = lab.session('i1');
    for (const family of [0, 1] as FamilyIndex[]) {
      const { announced } = session;
      lab.rib.exports.refresh(session, family);
      const group = lab.rib.exports.groupOf(session, family)!;
      assert.deepEqual([group.stream.length, group.catchUps.length], [0, 1]);
      finish(lab);
      assert.equal(session.announced - announced, 1);
    }
  });

  it('and whose address is the next hop of many routes that were there before are counted to the end', () => {
    const lab = new RibLab(undefined, 2);
    for (const peer of [ebgp(1), ibgp(1)]) lab.up(peer);
    lab.announce('e1', ROUTES, { path: [65101], nextHop: '198.51.100.2' });
    lab.settle();
    const session = lab.up(ibgp(2));
    lab.settle();
    const { out } = lab.rib.exports.groupOf(session, 0)!;
    const counts = ['i1', 'i2'].map((id) => out.countFor(lab.rib.peer(id)!.slot));
    assert.deepEqual(counts, [ROUTES.length, 0]);
    assert.equal(session.held.size, 0);
  });

  it('that are blocked hold up nobody, and go on in their turn', () => {
    const lab = dumps(ibgp(1, V4), ibgp(2, V4), ibgp(3, V4), ebgp(2, V4));
    lab.session('i1').room = 1;
    finish(lab);
    for (const id of ['e2', 'i2', 'i3']) assert.equal(lab.session(id).held.size, ROUTES.length);
    assert.ok(lab.session('i1').held.size < ROUTES.length);
    lab.session('i1').room = 100;
    assert.equal(lab.rib.exports.drained(lab.session('i1')), true);
    finish(lab);
    assert.equal(lab.session('i1').held.size, ROUTES.length);
  });
});
