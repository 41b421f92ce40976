// Graceful restart (RFC 4724, RFC 8538, RFC 9494) with other daemons: each side restarts while the other one helps.
import assert from 'node:assert/strict';
import type { StatusReply } from '#agent-api';
import type { Announcement, Daemon, DaemonKind, PeerSetup, RestartView, Route } from './daemons/daemon.ts';
import { bird } from './daemons/bird.ts';
import { frr } from './daemons/frr.ts';
import { gobgp } from './daemons/gobgp.ts';
import { eventually, OWN, Stage, type StageOptions, THEIRS } from './testing/fixture.ts';
import { announced, endOfRib, has, hasNone, holder, routesOf, sleep, Watch } from './testing/kept-routes.ts';
import { intrude } from './testing/intruder.ts';
import { Matrix } from './testing/matrix.ts';
import { type Cell, describeTracks, type Track } from './testing/scenarios.ts';

const matrix = new Matrix('scenario');
/** Those that can restart gracefully themselves. */
const KINDS = [bird, frr, gobgp];
const HOLD = 3;
const RESTART_SECONDS = 12;
/** Long-lived ones begin after that. */
const SHORT_SECONDS = 2;
/** In each one's words. */
const LLGR_STALE = ['65535:6', 'llgr-stale'];

const STAYS = announced(THEIRS, '192.0.2.0/24', '2001:db8:2::/48');
const GOES = announced(THEIRS, '198.51.100.0/24', '2001:db8:3::/48');
const OURS = announced(OWN, '10.50.0.0/26', 'fd50::/122');

describe('interop: graceful restart', function () {
  this.timeout(130_000);
  after(() => matrix.publish('interop:restart', '### Graceful restart'));
  describeTracks(
    [theirRestart, theirSilence, ourRestart, longLived].flatMap((track) => KINDS.map(track)),
    matrix,
  );
});

function theirRestart(kind: DaemonKind): Track<Stage> {
  return {
    kind,
    name: 'it restarts',
    set: () => Stage.set(kind, both({ seconds: RESTART_SECONDS })),
    scenarios: [
      {
        title:
          'it is killed: we keep its routes; it is back: what it does not send again goes, the rest stayed',
        body: async (s) => {
          await s.established();
          await s.daemon.announce([...STAYS, ...GOES]);
          await has(holder(s.podroute), [...STAYS, ...GOES]);
          await endOfRib(s);
          const watch = new Watch(holder(s.podroute), STAYS);
          await s.daemon.kill();
          await sleep(1000);
          await has(holder(s.podroute), [...STAYS, ...GOES], 0);
          await s.startDaemonAgain(STAYS);
          await s.established(RESTART_SECONDS * 1000);
          await hasNone(holder(s.podroute), GOES, 8000);
          await watch.stop();
        },
      },
      {
        title: 'it is killed and back within a second: its routes stay',
        body: async (s) => {
          const before = lossesOf(await s.podroute.status());
          const watch = new Watch(holder(s.podroute), STAYS);
          await s.daemon.kill();
          await s.startDaemonAgain(STAYS);
          await s.established(RESTART_SECONDS * 1000);
          await sleep(1500);
          await watch.stop();
          assert.ok(lossesOf(await s.podroute.status()) > before, 'no session was lost');
        },
      },
      {
        title: 'others open connections from its address, and say that it has restarted: its sessions stay',
        body: async (s) => {
          await endOfRib(s);
          const before = lossesOf(await s.podroute.status());
          assert.deepEqual(await intrude(s, 3), ['6/7', '6/7', '6/7']);
          assert.equal(lossesOf(await s.podroute.status()), before);
        },
      },
      { title: 'bits that it sends then', body: async (s) => bitsOf(await s.podroute.sessions()) },
      {
        title: 'it is killed and stays away: its routes go with its restart time',
        body: async (s) => {
          await endOfRib(s);
          await s.daemon.kill();
          await sleep((RESTART_SECONDS / 2) * 1000);
          await has(holder(s.podroute), STAYS, 0);
          await hasNone(holder(s.podroute), STAYS, RESTART_SECONDS * 1000);
        },
      },
      {
        title: 'an operator ends the session there: its routes go at once',
        needs: 'hardReset',
        body: async (s) => {
          await s.startDaemonAgain(STAYS);
          await s.established(RESTART_SECONDS * 1000);
          await has(holder(s.podroute), STAYS);
          await endOfRib(s);
          await s.daemon.hardReset?.(OWN.ipv4);
          await hasNone(holder(s.podroute), STAYS.slice(0, 1), 2000);
        },
      },
    ],
  };
}

/** Without a restart of its process. */
function theirSilence(kind: DaemonKind): Track<Stage> {
  return {
    kind,
    name: 'it falls silent',
    set: () => Stage.set(kind, both({ seconds: RESTART_SECONDS })),
    scenarios: [
      {
        title: 'for the hold time: we keep its routes for its restart time',
        needs: 'notificationKeeps',
        body: async (s) => {
          await s.established();
          await s.daemon.announce(STAYS);
          await has(holder(s.podroute), STAYS);
          await endOfRib(s);
          const { pid } = s.daemon;
          process.kill(pid, 'SIGSTOP');
          try {
            const sessions = await eventually(
              () => s.podroute.sessions(),
              (all) => all.every((one) => !one.isEstablished),
              (HOLD + 2) * 1000,
            );
            assert.ok(sessions.every((one) => !one.isEstablished));
            await sleep(SHORT_SECONDS * 1000);
            await has(holder(s.podroute), STAYS, 0);
            await hasNone(holder(s.podroute), STAYS, (RESTART_SECONDS + 2) * 1000);
          } finally {
            process.kill(pid, 'SIGCONT');
          }
        },
      },
    ],
  };
}

function ourRestart(kind: DaemonKind): Track<Stage> {
  return {
    kind,
    name: 'we restart',
    set: () => Stage.set(kind, both({ seconds: RESTART_SECONDS })),
    scenarios: [
      {
        title: 'our agent is killed, and back: it keeps our routes',
        body: async (s) => {
          await s.established();
          await s.podroute.announce(OURS);
          await s.daemon.announce(STAYS);
          await has(holder(s.daemon), OURS);
          await has(holder(s.podroute), STAYS);
          await sleep(1000);
          const watch = new Watch(holder(s.daemon), OURS);
          await s.podroute.kill();
          await sleep(1000);
          await s.podroute.startAgain();
          await s.established(RESTART_SECONDS * 1000);
          await sleep(1500);
          await watch.stop();
        },
      },
      { title: 'bits of ours that it saw', body: async (s) => bitsOf(await s.daemon.sessions()) },
      {
        title: 'our agent is stopped, and back: it keeps our routes',
        body: async (s) => {
          const watch = new Watch(holder(s.daemon), OURS);
          await s.podroute[Symbol.asyncDispose]();
          await sleep(1000);
          await s.podroute.startAgain();
          await s.established(RESTART_SECONDS * 1000);
          await sleep(1500);
          await watch.stop();
        },
      },
      {
        title: 'our agent is silent for the hold time: it keeps our routes',
        needs: 'notificationKeeps',
        body: async (s) => {
          const watch = new Watch(holder(s.daemon), OURS);
          const { pid } = s.podroute;
          process.kill(pid, 'SIGSTOP');
          try {
            await eventually(
              () => s.daemon.sessions(),
              (all) => all.every((one) => !one.isEstablished),
              (HOLD + 2) * 1000,
            );
            await sleep(1000);
          } finally {
            process.kill(pid, 'SIGCONT');
          }
          for (const { localAddress } of s.ourPeers) await s.daemon.retry?.(localAddress);
          await s.established();
          await sleep(1000);
          await watch.stop();
        },
      },
      {
        title: 'our node leaves: our routes go at once',
        body: async (s) => {
          s.podroute.setLeaving(true);
          await eventually(
            () => s.podroute.status(),
            ({ sessions }) => sessions.every(({ exportPolicy }) => exportPolicy.includes('leaving')),
          );
          await s.podroute[Symbol.asyncDispose]();
          await hasNone(holder(s.daemon), OURS, 2000);
        },
      },
    ],
  };
}

function longLived(kind: DaemonKind): Track<Stage> {
  const restart = { seconds: SHORT_SECONDS, longLivedSeconds: 60 };
  return {
    kind,
    name: 'long-lived',
    set: () => Stage.set(kind, both(restart)),
    scenarios: [
      {
        title: 'its restart time is over: its routes stay here, with LLGR_STALE',
        needs: 'longLived',
        body: async (s) => {
          await s.established();
          await s.daemon.announce(STAYS);
          await s.podroute.announce(OURS);
          await has(holder(s.podroute), STAYS);
          await endOfRib(s);
          await s.daemon.kill();
          await areStale(s.podroute, STAYS, true);
        },
      },
      {
        title: 'it is back: they are as they were',
        needs: 'longLived',
        body: async (s) => {
          await s.startDaemonAgain(STAYS);
          await s.established();
          await areStale(s.podroute, STAYS, false);
        },
      },
      {
        title: 'our restart time is over: our routes stay there, with LLGR_STALE',
        needs: 'longLived',
        body: async (s) => {
          await has(holder(s.daemon), OURS);
          await sleep(1000);
          await s.podroute.kill();
          await areStale(s.daemon, OURS, true);
        },
      },
    ],
  };
}

function both(restart: NonNullable<PeerSetup['restart']>): StageOptions {
  return { type: 'ebgp', holdTimeSeconds: HOLD, both: { restart } };
}

/** They are there, and all of them have, or none has, the community of RFC 9494. */
async function areStale(who: Daemon, wanted: readonly Announcement[], isStale: boolean): Promise<void> {
  const of = (all: readonly Route[]) =>
    wanted.map(({ prefix }) =>
      all.find((route) => route.prefix === prefix)?.communities.some((one) => LLGR_STALE.includes(one)),
    );
  const all = await eventually(
    () => routesOf(who),
    (now) => of(now).every((stale) => stale === isStale),
    (SHORT_SECONDS + 10) * 1000,
  );
  assert.deepEqual(
    of(all),
    wanted.map(() => isStale),
    JSON.stringify(all),
  );
}

function lossesOf({ sessions }: StatusReply): number {
  return sessions.reduce((sum, { flaps }) => sum + flaps, 0);
}

/** 'R F' when every session has them. */
function bitsOf(sessions: readonly { restart?: RestartView }[]): Cell {
  const bits = sessions.map(({ restart }) =>
    restart === undefined
      ? 'no capability'
      : [restart.isRestarting ? 'R' : '–', restart.kept.length > 0 ? 'F' : '–'].join(' '),
  );
  return { text: [...new Set(bits)].join(', ') };
}
