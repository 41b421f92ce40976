// Which changes of a node's status are told as events.
import assert from 'node:assert/strict';
import type { SessionStatus, StatusProblem } from '#agent-api';
import { factsBetween, type Seen } from './node-events.ts';
import { HEALTHY } from './testing/healthy-session.ts';

const session = (more: Partial<SessionStatus> = {}): SessionStatus => ({
  ...HEALTHY,
  id: 'tor-a',
  flaps: 0,
  ...more,
});
const seen = (more: Partial<Seen> = {}): Seen => ({ sessions: [], problems: [], ...more });
const told = (before: Seen | undefined, now: Seen) =>
  factsBetween(before, now).map(({ object, type, reason }) => `${type} ${object} ${reason}`);

describe('what is told as an event', () => {
  it('is a session that comes up, also at the start of the agent, and one that goes down, with the reason', () => {
    const up = seen({ sessions: [session()] });
    assert.deepEqual(told(undefined, up), ['Normal BGPPeer tor SessionUp']);
    assert.deepEqual(told(up, up), []);
    const lastLost = { at: '', kind: 'x', reason: 'hold timer expired', establishedSeconds: 9 };
    const down = seen({ sessions: [session({ state: 'Idle', flaps: 1, lastLost })] });
    assert.deepEqual(told(up, down), ['Warning BGPPeer tor SessionDown']);
    assert.match(
      factsBetween(up, down)[0]!.message,
      /^session tor-a with 10\.0\.1\.0 \(AS 65000\) went down: hold timer/,
    );
    assert.deepEqual(told(down, down), []);
    assert.deepEqual(told(undefined, down), [], 'it never was up');
  });

  it('is both of a session that was lost and came back between two looks', () => {
    const before = seen({ sessions: [session({ flaps: 3 })] });
    const now = seen({ sessions: [session({ flaps: 4 })] });
    assert.deepEqual(told(before, now), ['Warning BGPPeer tor SessionDown', 'Normal BGPPeer tor SessionUp']);
  });

  it('is both of a session whose peer was deleted and made anew between two looks', () => {
    const before = seen({ sessions: [session()] });
    const now = seen({ sessions: [session({ since: '2026-11-21T00:01:00.000Z' })] });
    assert.deepEqual(told(before, now), ['Warning BGPPeer tor SessionDown', 'Normal BGPPeer tor SessionUp']);
  });

  it('is that a neighbour is over its prefix limit, once, with what becomes of the routes', () => {
    const of = (received: number) => {
      const prefixes = { ...HEALTHY.prefixes, limit: 3, received: { ipv4: received, ipv6: 0 } };
      return seen({ sessions: [session({ prefixes, hint: 'over the prefix limit of 3: …' })] });
    };
    assert.deepEqual(told(of(3), of(4)), ['Warning BGPPeer tor PrefixLimitExceeded']);
    assert.match(factsBetween(of(3), of(4))[0]!.message, /^session tor-a .* is over the prefix limit of 3/);
    assert.deepEqual(told(of(4), of(5)), []);
    assert.deepEqual(told(undefined, of(4)), [
      'Normal BGPPeer tor SessionUp',
      'Warning BGPPeer tor PrefixLimitExceeded',
    ]);
  });

  it('is a problem that is new, by its cause where it has one', () => {
    const problem = (text: string, cause?: StatusProblem['cause']) =>
      ({ object: 'BGPPeer tor', text, ...(cause && { cause }) }) as StatusProblem;
    const before = seen({ problems: [problem('old')] });
    const now = seen({ problems: [problem('old'), problem('new', 'SecretMissing'), problem('other')] });
    assert.deepEqual(told(before, now), [
      'Warning BGPPeer tor SecretMissing',
      'Warning BGPPeer tor ProblemFound',
    ]);
  });

  it('is that pods get no addresses, and that they do again', () => {
    const full = seen({ whyNoPods: 'every block is taken' });
    assert.deepEqual(told(seen(), full), ['Warning  NoAddresses']);
    assert.deepEqual(told(full, full), []);
    assert.deepEqual(told(full, seen()), ['Normal  AddressesFree']);
    assert.deepEqual(told(undefined, seen()), []);
  });

  it('is that addresses of Pods that are gone were given back, once for all between two looks', () => {
    const leaks = { count: 0, first: [], collected: 1, newest: '10.0.0.5 of Pod default/web' };
    const one = seen({ leaks });
    const message = (before: Seen | undefined, now: Seen) =>
      factsBetween(before, now).map((fact) => fact.message);
    assert.deepEqual(told(seen(), one), ['Normal  LeaksCollected']);
    assert.deepEqual(message(seen(), one), [
      'addresses of Pods that are gone were given back: 10.0.0.5 of Pod default/web',
    ]);
    assert.deepEqual(told(one, one), []);
    assert.deepEqual(message(one, seen({ leaks: { ...leaks, collected: 9 } })), [
      'addresses of Pods that are gone were given back: 8 Pods, the last 10.0.0.5 of Pod default/web',
    ]);
    assert.deepEqual(told(seen(), seen({ leaks: { ...leaks, count: 3, collected: 0 } })), []);
  });
});
