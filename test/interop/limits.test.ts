// Limits on prefixes with other daemons: theirs above our limit, ours above theirs. Both end the session with Cease 6/1
// (RFC 4486), and our status says which it was.
import assert from 'node:assert/strict';
import type { NotificationStatus } from '#agent-api';
import type { Announcement, DaemonKind } from './daemons/daemon.ts';
import { DAEMONS } from './daemons/index.ts';
import { eventually, OWN, Stage, THEIRS } from './testing/fixture.ts';
import { Matrix } from './testing/matrix.ts';
import { BUSY_AT_ONCE, describeTracks, type Track } from './testing/scenarios.ts';
import { numbered } from './testing/scripted-routes.ts';

const matrix = new Matrix('scenario');
const LIMIT = 2;
/** Code 6, subcode 1, also inside a hard reset (RFC 8538), which those get that keep routes over NOTIFICATIONs. */
const OVER = /maximum number of prefixes reached/;

describe('interop: limits on prefixes', function () {
  this.timeout(100_000);
  after(() => matrix.publish('interop:limits', '### Limits on prefixes'));
  describeTracks(DAEMONS.map(track), matrix, BUSY_AT_ONCE);
});

function track(kind: DaemonKind): Track<Stage> {
  const theirs = prefixes(100, LIMIT + 1, THEIRS.ipv4);
  return {
    kind,
    name: '',
    set: () =>
      Stage.set(kind, {
        type: 'ebgp',
        ours: { spec: { maxPrefixes: { limit: LIMIT, restartTime: '3s' } } },
        ...(kind.lacks.maxPrefixes === undefined ? { theirs: { maxPrefixes: LIMIT } } : {}),
      }),
    scenarios: [
      {
        title: 'as many as we allow: they are used, and the session stays',
        body: async (s) => {
          await s.established();
          await s.daemon.announce(theirs.slice(0, LIMIT));
          const routes = await eventually(
            () => s.podroute.routes('ipv4'),
            (all) => all.length === LIMIT,
          );
          assert.equal(routes.length, LIMIT);
          assert.equal((await s.podroute.session(THEIRS.ipv4)).flaps, 0);
        },
      },
      {
        title: 'one more: we say 6/1, and status says why it is down',
        body: async (s) => {
          await s.daemon.announce(theirs.slice(LIMIT));
          const session = await eventually(
            () => s.podroute.session(THEIRS.ipv4),
            ({ notifications, whyDown }) => isOver(notifications.lastOut) && whyDown !== undefined,
          );
          assert.match(session.notifications.lastOut?.text ?? '', OVER, session.lastError?.text);
          assert.match(JSON.stringify(session.whyDown), /prefix/);
        },
      },
      {
        title: 'it withdraws some: the session is up again after restartTime',
        body: async (s) => {
          await s.daemon.withdraw(theirs.slice(1).map((a) => a.prefix));
          await new Promise((wake) => setTimeout(wake, 3500));
          await s.daemon.retry?.(OWN.ipv4);
          await s.established(40_000);
        },
      },
      {
        title: 'ours are more than it allows: it says 6/1, and status says so',
        needs: 'maxPrefixes',
        body: async (s) => {
          // Of ours, FRR sends back what it has.
          s.edit({ spec: {} });
          // FRR looks before it counts the new one.
          await s.podroute.announce(prefixes(0, LIMIT + 2, OWN.ipv4));
          const session = await eventually(
            () => s.podroute.session(THEIRS.ipv4),
            ({ lastLost }) => OVER.test(lastLost?.reason ?? ''),
            10_000,
          );
          // The newest NOTIFICATION may be another: FRR refuses what comes after it in its own words.
          assert.match(session.lastLost?.reason ?? '', OVER, session.lastError?.text);
        },
      },
    ],
  };
}

function prefixes(first: number, count: number, nextHop: string): Announcement[] {
  return Array.from({ length: count }, (_, i) => ({ prefix: numbered(first + i).ipv4, nextHop }));
}

function isOver(told: NotificationStatus | undefined): boolean {
  return OVER.test(told?.text ?? '');
}
