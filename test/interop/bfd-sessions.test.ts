// BGP sessions that BFD watches (RFC 5882), with BIRD and with FRR: a neighbour that is lost is found out long before the
// hold time, a restart of either side is no loss, and what keeps BFD from coming up is said.
import assert from 'node:assert/strict';
import type { SessionStatus } from '#agent-api';
import { FAMILIES } from '#ip';
import type { Host } from '#lab';
import { bird } from './daemons/bird.ts';
import type { BfdSetup, DaemonKind, PeerSetup, SessionView } from './daemons/daemon.ts';
import { frr } from './daemons/frr.ts';
import { eventually, OWN, Stage, THEIRS } from './testing/fixture.ts';
import { announced, endOfRib, has, hasNone, holder, kernelOf, sleep, Watch } from './testing/kept-routes.ts';
import { Matrix } from './testing/matrix.ts';
import { type Cell, describeTracks, type Track } from './testing/scenarios.ts';

const matrix = new Matrix('scenario');
const KINDS = [bird, frr];
const HOLD = 30;
const RESTART_SECONDS = 30;
/** A second: other tests run beside these, and a daemon that is late for that long is lost indeed. */
const BFD: BfdSetup = { intervalMs: 200, multiplier: 5 };
const DETECTION_MS = BFD.intervalMs * BFD.multiplier;
/** For two daemons and the looks at them on a busy machine; the hold time is ten times as long as both. */
const SLACK_MS = 2000;

const STAYS = announced(THEIRS, '192.0.2.0/24', '2001:db8:2::/48');
const OURS = announced(OWN, '10.50.0.0/26', 'fd50::/122');

describe('interop: BGP with BFD', function () {
  this.timeout(130_000);
  after(() => matrix.publish('interop:bfd', '### BGP with BFD'));
  describeTracks(
    [loss, theirRestart, ourRestart, ourRestartUnprepared, required, signed].flatMap((track) =>
      KINDS.map(track),
    ),
    matrix,
  );
});

function loss(kind: DaemonKind): Track<Stage> {
  return {
    kind,
    name: 'it is lost',
    set: () => stage(kind),
    scenarios: [
      {
        title: 'both sides see BFD up',
        body: async (s) => {
          await up(s);
          await itsRoutesStand(s);
        },
      },
      {
        title: 'another interval in the BFDProfile: no session is lost, and both agree on it',
        body: async (s) => {
          const before = await ours(s);
          s.edit({ bfd: { ...BFD, intervalMs: 400 } });
          await agreed(s, 400);
          s.edit({ bfd: BFD });
          await agreed(s, BFD.intervalMs);
          const after = await ours(s);
          assert.deepEqual(losses(after), losses(before));
        },
      },
      {
        title: 'its processes stand still: its routes leave the kernel with BFD, not with the hold time',
        body: async (s) => {
          const pids = [s.daemon.pid, ...(s.daemon.bfdPid === undefined ? [] : [s.daemon.bfdPid])];
          for (const pid of pids) process.kill(pid, 'SIGSTOP');
          try {
            await lost(s);
          } finally {
            for (const pid of pids) process.kill(pid, 'SIGCONT');
          }
          await back(s);
        },
      },
      {
        title: 'the way between is dead, and both links are up: likewise, on both sides',
        body: async (s) => {
          await has(kernelOf(s.ourHost), STAYS);
          const hosts = [s.ourHost, s.theirHost];
          for (const host of hosts) dropAll(host);
          try {
            await lost(s);
            const theirs = await eventually(() => s.daemon.sessions(), areDown, SLACK_MS);
            assert.ok(areDown(theirs), JSON.stringify(theirs));
          } finally {
            for (const host of hosts) host.run(['nft', 'delete', 'table', 'netdev', 'dead']);
          }
          await back(s);
        },
      },
    ],
  };
}

function theirRestart(kind: DaemonKind): Track<Stage> {
  return {
    kind,
    name: 'it restarts',
    set: () => stage(kind),
    scenarios: [
      {
        title: 'it is killed, and back after its BFD has failed here: its routes stay in the kernel',
        body: async (s) => {
          await up(s);
          await itsRoutesStand(s);
          const watch = new Watch(kernelOf(s.ourHost), STAYS);
          await s.daemon.kill();
          await bfdFailed(s);
          await sleep(SLACK_MS);
          await s.startDaemonAgain(STAYS);
          await up(s);
          await sleep(1000);
          await watch.stop();
        },
      },
    ],
  };
}

function ourRestart(kind: DaemonKind): Track<Stage> {
  return {
    kind,
    name: 'it has `bfd graceful` (FRR: `bfd check-control-plane-failure`)',
    set: () => stage(kind, { theirs: { bfd: { ...BFD, isGraceful: true } } }),
    scenarios: [
      {
        title: 'our agent is killed, and back: it keeps our routes',
        body: async (s) => {
          await up(s);
          await ourRoutesStand(s);
          assert.deepEqual(await away(s, () => s.podroute.kill()), { text: 'kept' });
        },
      },
      {
        title: 'our agent is stopped, and back: it keeps our routes',
        body: async (s) => {
          assert.deepEqual(await away(s, () => s.podroute[Symbol.asyncDispose]()), { text: 'kept' });
        },
      },
      {
        title: 'its own routes here, when it is killed',
        body: async (s) => {
          await itsRoutesStand(s);
          const watch = new Watch(kernelOf(s.ourHost), STAYS);
          await s.daemon.kill();
          await bfdFailed(s);
          await sleep(1000);
          const text = (await watch.end()).length === 0 ? 'kept' : 'gone';
          // FRR says with that setting that its BFD outlives its BGP (C bit): then its forwarding has failed.
          assert.equal(text, kind === frr ? 'gone' : 'kept');
          return { text };
        },
      },
    ],
  };
}

/** What becomes of our routes there is the daemon's own affair: the page says it, so that nobody is surprised. */
function ourRestartUnprepared(kind: DaemonKind): Track<Stage> {
  return {
    kind,
    name: 'it has `bfd` alone',
    set: () => stage(kind),
    scenarios: [
      {
        title: 'our routes there, when our agent is killed, and back',
        body: async (s) => {
          await up(s);
          await ourRoutesStand(s);
          return away(s, () => s.podroute.kill());
        },
      },
      {
        title: 'our routes there, when our agent is stopped, and back',
        body: (s) => away(s, () => s.podroute[Symbol.asyncDispose]()),
      },
    ],
  };
}

function required(kind: DaemonKind): Track<Stage> {
  return {
    kind,
    name: 'required here',
    set: () =>
      Stage.set(kind, { type: 'ebgp', holdTimeSeconds: HOLD, ours: { bfd: { ...BFD, isRequired: true } } }),
    scenarios: [
      {
        title: 'it has no BFD: no session comes up, and status says why',
        body: async (s) => {
          const isSaid = ({ whyDown }: SessionStatus) =>
            /BFD, which is required, is not up/.test(whyDown?.why ?? '');
          const all = await eventually(
            () => ours(s),
            (now) => now.every(isSaid),
            10_000,
          );
          assert.ok(all.every(isSaid), JSON.stringify(all.map(({ whyDown }) => whyDown)));
          await staysDown(s);
        },
      },
      {
        title: 'BFD is switched on there: they come up',
        body: async (s) => {
          await s.daemon.setBfd?.(BFD);
          await up(s, 25_000);
        },
      },
      {
        title:
          'its packets come as if over a router: BFD goes down, no session comes up, and status says why',
        body: async (s) => {
          lowerTtl(s.theirHost);
          await bfdFailed(s);
          const isSaid = ({ whyDown }: SessionStatus) => /TTL 255/.test(whyDown?.next ?? '');
          const all = await eventually(
            () => ours(s),
            (now) => now.every(isSaid),
            10_000,
          );
          assert.ok(all.every(isSaid), JSON.stringify(all.map(({ whyDown }) => whyDown)));
          await staysDown(s);
        },
      },
    ],
  };
}

function signed(kind: DaemonKind): Track<Stage> {
  return {
    kind,
    name: 'signed',
    set: () => stage(kind, { both: { bfd: { ...BFD, key: 'correct-horse' } } }),
    scenarios: [
      { title: 'with one key on both sides BFD is up', needs: 'bfdKey', body: (s) => up(s) },
      {
        title: 'with another key here it goes down, and status says why',
        needs: 'bfdKey',
        body: async (s) => {
          s.edit({ bfd: { ...BFD, key: 'correct-house' } });
          await refused(s, /authentication with another key/);
        },
      },
      {
        title: 'with the right key again it is up',
        needs: 'bfdKey',
        body: async (s) => {
          s.edit({ bfd: { ...BFD, key: 'correct-horse' } });
          await up(s);
        },
      },
    ],
  };
}

interface Sides {
  readonly both?: Partial<PeerSetup>;
  readonly theirs?: Partial<PeerSetup>;
}

/** Both sides restart gracefully, and have BFD. */
function stage(kind: DaemonKind, { both, theirs = {} }: Sides = {}): Promise<Stage> {
  const common = { restart: { seconds: RESTART_SECONDS }, bfd: BFD, ...both };
  return Stage.set(kind, { type: 'ebgp', holdTimeSeconds: HOLD, both: common, theirs });
}

/** The sessions are established and BFD is up, on both sides. */
async function up(s: Stage, timeoutMs = 15_000): Promise<void> {
  await s.established(timeoutMs);
  const views = async () => [...(await s.podroute.sessions()), ...(await s.daemon.sessions())];
  const isUp = (all: readonly SessionView[]) => all.every(({ bfd }) => bfd?.toLowerCase() === 'up');
  const seen = await eventually(views, isUp, timeoutMs);
  assert.ok(isUp(seen), JSON.stringify(seen.map(({ remoteAddress, bfd }) => [remoteAddress, bfd])));
}

/** Its routes are in our kernel, and it has sent all that it has. */
async function itsRoutesStand(s: Stage): Promise<void> {
  await s.daemon.announce(STAYS);
  await has(kernelOf(s.ourHost), STAYS);
  await endOfRib(s);
}

async function ourRoutesStand(s: Stage): Promise<void> {
  await s.podroute.announce(OURS);
  await has(holder(s.daemon), OURS);
  await sleep(1000);
}

async function back(s: Stage): Promise<void> {
  await s.daemon.retry?.(OWN.ipv4);
  await up(s);
  await has(kernelOf(s.ourHost), STAYS);
  await endOfRib(s);
}

async function ours(s: Stage): Promise<readonly SessionStatus[]> {
  return (await s.podroute.status()).sessions;
}

function losses(all: readonly SessionStatus[]): unknown {
  return all.map(({ id, flaps, bfd }) => [id, flaps, bfd?.downs]);
}

function areDown(all: readonly SessionView[]): boolean {
  return all.every(({ isEstablished }) => !isEstablished);
}

async function agreed(s: Stage, intervalMs: number): Promise<void> {
  const wanted = { transmitMicros: intervalMs * 1000, detectionMicros: intervalMs * 1000 * BFD.multiplier };
  const found = (all: readonly SessionStatus[]) =>
    all.map(({ bfd }) => ({ transmitMicros: bfd?.transmitMicros, detectionMicros: bfd?.detectionMicros }));
  const isAgreed = (all: readonly SessionStatus[]) =>
    JSON.stringify(found(all)) === JSON.stringify(FAMILIES.map(() => wanted));
  const all = await eventually(() => ours(s), isAgreed, 5000);
  assert.deepEqual(
    found(all),
    FAMILIES.map(() => wanted),
  );
}

/** From now on: the sessions end by BFD, and the routes leave the kernel. */
async function lost(s: Stage): Promise<void> {
  await hasNone(kernelOf(s.ourHost), STAYS, DETECTION_MS + SLACK_MS);
  const all = await ours(s);
  for (const { state, lastLost } of all) {
    assert.notEqual(state, 'Established');
    assert.equal(lastLost?.kind, 'BFD down');
  }
}

async function bfdFailed(s: Stage): Promise<void> {
  const isFailed = (all: readonly SessionStatus[]) => all.every(({ bfd }) => bfd?.state === 'Down');
  const all = await eventually(() => ours(s), isFailed, DETECTION_MS + SLACK_MS);
  assert.ok(isFailed(all), JSON.stringify(all.map(({ bfd }) => bfd)));
}

/** What becomes of our routes there while our agent is away for longer than BFD takes to see it. */
async function away(s: Stage, stop: () => Promise<void>): Promise<Cell> {
  const watch = new Watch(holder(s.daemon), OURS);
  await stop();
  await sleep(DETECTION_MS + 1000);
  await s.podroute.startAgain();
  await s.daemon.retry?.(OWN.ipv4);
  await up(s);
  await sleep(1000);
  return { text: (await watch.end()).length === 0 ? 'kept' : 'gone' };
}

async function staysDown(s: Stage): Promise<void> {
  for (let i = 0; i < 10; i++) {
    for (const { state } of await ours(s)) assert.notEqual(state, 'Established');
    await sleep(300);
  }
}

async function refused(s: Stage, why: RegExp): Promise<void> {
  const isSaid = (all: readonly SessionStatus[]) =>
    all.every(({ bfd }) => bfd?.state !== 'Up' && why.test(bfd?.lastRefusal ?? ''));
  const all = await eventually(() => ours(s), isSaid, 6000);
  assert.ok(isSaid(all), JSON.stringify(all.map(({ bfd }) => bfd)));
}

/** Whatever comes is lost before the kernel looks at it: who sends is told of nothing. */
function dropAll(host: Host): void {
  host.run(['nft', 'add', 'table', 'netdev', 'dead']);
  const hook = 'type filter hook ingress device eth0 priority 0; policy drop;';
  host.run(['nft', 'add', 'chain', 'netdev', 'dead', 'in', `{ ${hook} }`]);
}

/** What BFD sends from there looks as if a router had passed it on. */
function lowerTtl(host: Host): void {
  host.run(['nft', 'add', 'table', 'inet', 'far']);
  host.run(['nft', 'add', 'chain', 'inet', 'far', 'out', '{ type filter hook output priority 0; }']);
  for (const field of [
    ['ip', 'ttl'],
    ['ip6', 'hoplimit'],
  ])
    host.run(['nft', 'add', 'rule', 'inet', 'far', 'out', 'udp', 'dport', '3784', ...field, 'set', '254']);
}
