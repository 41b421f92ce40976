// Who ends when a connection has brought its OPEN while others with the same neighbour live (FSM-5, FSM-7).
import assert from 'node:assert/strict';
import { type Contender, settleCollision } from './collision.ts';
import type { SessionState } from './fsm-types.ts';
import type { Negotiated, NegotiatedGracefulRestart } from './negotiate.ts';

describe('a session that has received its OPEN, beside others', () => {
  const said: string[] = [];
  const restart = (
    isRemoteRestarting: boolean,
    families: NegotiatedGracefulRestart['families'],
    staleSeconds = 0,
  ) => {
    const longLived = [{ family: 'ipv4', staleSeconds, isForwardingKept: true }] as const;
    const gracefulRestart: Partial<NegotiatedGracefulRestart> = { isRemoteRestarting, families, longLived };
    return { gracefulRestart } as Negotiated;
  };
  const ipv4 = [{ family: 'ipv4', isForwardingKept: true }] as const;
  const [plain, fresh, restarted] = [{} as Negotiated, restart(false, ipv4), restart(true, ipv4)];
  const [helper, onlyLong] = [restart(false, []), restart(false, [], 60)];

  function session(name: string, state: SessionState, more: Partial<Contender> = {}): Contender {
    return {
      state,
      isIncoming: true,
      beganAt: 0,
      establishedAt: 0,
      negotiated: plain,
      step: (event) => void said.push(`${name}: ${'cause' in event ? event.cause.kind : event.type}`),
      probe: () => void said.push(`${name}: asked`),
      ...more,
    };
  }

  /**
   * What is said to each at once, and after '|' once the new one has gone on; our identifier is the higher one.
   * 'ask' (and 'R': it says that it has restarted): not decided, and after '>' what is once the old one is silent.
   */
  function settle(rivals: readonly Contender[], late: Contender, negotiated: Negotiated): string {
    said.length = 0;
    const ids = { localRouterId: 9, remoteRouterId: 5, localAs: 65001, remoteAs: 65002 };
    const all = [...rivals, late];
    let settled = settleCollision(all, late, ids, negotiated);
    let asked = '';
    if (settled.kind === 'ask') {
      asked = `ask${settled.saysRestarted ? ' R' : ''}${said.splice(0).join(', ')}>`;
      settled = settleCollision(all, late, ids, negotiated, settled.established);
    }
    const before = asked + said.splice(0).join(', ');
    if (settled.kind !== 'won') return before;
    settled.endLosers();
    return `${before}|${said.join(', ')}`;
  }

  const up = (negotiated: Negotiated) => session('old', 'Established', { negotiated, establishedAt: 5_000 });
  const late = (beganAt: number, isIncoming = true) => session('new', 'OpenSent', { beganAt, isIncoming });
  for (const [what, rivals, newcomer, negotiated, expected] of [
    ['alone: goes on', [], late(0), plain, '|'],
    ['beside what has not come so far: goes on', [session('old', 'OpenSent')], late(0), plain, '|'],
    [
      'beside those that the neighbour opened before: all of them go',
      [session('old', 'OpenConfirm'), session('other', 'Connect'), session('third', 'OpenConfirm')],
      late(0),
      plain,
      '|old: collisionLost, third: collisionLost',
    ],
    [
      'beside ours, which wins: goes, and nobody else does',
      [session('old', 'OpenConfirm'), session('ours', 'OpenConfirm', { isIncoming: false })],
      late(0),
      plain,
      'new: collisionLost',
    ],
    [
      'no restarts agreed: the old one is asked',
      [up(plain)],
      late(9_000),
      plain,
      'old: asked, new: collisionLost',
    ],
    ['not before: the same', [up(plain)], late(9_000), restarted, 'old: asked, new: collisionLost'],
    ['not any more: the same', [up(fresh)], late(9_000), plain, 'old: asked, new: collisionLost'],
    [
      'we dialled: the same (RFC 4724 §5 is about what the neighbour opens)',
      [up(fresh)],
      late(9_000, false),
      restarted,
      'old: asked, new: collisionLost',
    ],
    [
      'agreed, afterwards: only when the old one is silent',
      [up(fresh)],
      late(5_000),
      fresh,
      'ask>|old: peer restarted',
    ],
    [
      'agreed, but it only helps others: the old one is asked',
      [up(helper)],
      late(9_000),
      helper,
      'old: asked, new: collisionLost',
    ],
    [
      'agreed, and kept long though it has no restart time (RFC 9494 §4.2)',
      [up(onlyLong)],
      late(5_000),
      onlyLong,
      'ask>|old: peer restarted',
    ],
    [
      'agreed, from before: both had dialled',
      [up(fresh)],
      late(4_999),
      fresh,
      'old: asked, new: collisionLost',
    ],
    ['the same, whatever it says', [up(fresh)], late(4_999), restarted, 'old: asked, new: collisionLost'],
    ['agreed, and it says so', [up(fresh)], late(5_001), restarted, 'ask R>|old: peer restarted'],
    [
      'agreed, and another connection as well: both go',
      [up(fresh), session('other', 'OpenConfirm')],
      late(9_000),
      fresh,
      'ask>|old: peer restarted, other: collisionLost',
    ],
  ] as const) {
    it(`${what} (FSM-7)`, () => assert.equal(settle(rivals, newcomer, negotiated), expected));
  }
});
