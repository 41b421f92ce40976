// Who ends when a connection has brought its OPEN while others with the same neighbour live (FSM-5, FSM-7).
import assert from 'node:assert/strict';
import { type Contender, settleCollision } from './collision.ts';
import type { SessionState } from './fsm-types.ts';
import type { Negotiated, NegotiatedGracefulRestart } from './negotiate.ts';

describe('a session that has received its OPEN, beside others', () => {
  const said: string[] = [];
  const restart = (isRemoteRestarting: boolean, families: NegotiatedGracefulRestart['families']) =>
    ({ gracefulRestart: { isRemoteRestarting, families } as NegotiatedGracefulRestart }) as Negotiated;
  const ipv4 = [{ family: 'ipv4', isForwardingKept: true }] as const;
  const [plain, fresh, restarted] = [{} as Negotiated, restart(false, ipv4), restart(true, ipv4)];
  const helper = restart(false, []);

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

  /** What is said to each at once, and after '|' once the new one has gone on; our identifier is the higher one. */
  function settle(rivals: readonly Contender[], late: Contender, negotiated: Negotiated): string {
    said.length = 0;
    const ids = { localRouterId: 9, remoteRouterId: 5, localAs: 65001, remoteAs: 65002 };
    const end = settleCollision([...rivals, late], late, ids, negotiated);
    const before = said.splice(0).join(', ');
    if (end === undefined) return before;
    end();
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
      'agreed, a second after: the neighbour has restarted',
      [up(fresh)],
      late(6_000),
      fresh,
      '|old: peer restarted',
    ],
    [
      'agreed, but it only helps others: the old one is asked',
      [up(helper)],
      late(9_000),
      helper,
      'old: asked, new: collisionLost',
    ],
    ['agreed, sooner: both had dialled', [up(fresh)], late(5_999), fresh, 'old: asked, new: collisionLost'],
    ['agreed, sooner, and it says so', [up(fresh)], late(5_001), restarted, '|old: peer restarted'],
    [
      'agreed, sooner, and it had said so before',
      [up(restarted)],
      late(5_001),
      restarted,
      'old: asked, new: collisionLost',
    ],
    [
      'agreed, and another connection as well: both go',
      [up(fresh), session('other', 'OpenConfirm')],
      late(9_000),
      fresh,
      '|old: peer restarted, other: collisionLost',
    ],
  ] as const) {
    it(`${what} (FSM-7)`, () => assert.equal(settle(rivals, newcomer, negotiated), expected));
  }
});
