// Each foreign daemon against our agent, eBGP and iBGP: what they agree on, routes both ways with their attributes,
// withdraw, refresh, and a neighbour that falls silent.
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Announcement, Capability, Daemon, DaemonKind, Route } from './daemons/daemon.ts';
import { DAEMONS } from './daemons/index.ts';
import { EXTERNAL_AS, eventually, OWN, OWN_AS, type SessionType, Stage, THEIRS } from './testing/fixture.ts';
import { comparable, expectedAtDaemon, injectedUpdates, injectedWithdrawals } from './testing/injected.ts';
import { Matrix } from './testing/matrix.ts';
import { describeTracks, type Track } from './testing/scenarios.ts';

const matrix = new Matrix('scenario');
const HOLD = 6;

const ANNOUNCED: readonly Announcement[] = [
  {
    ...{ prefix: '192.0.2.0/24', nextHop: THEIRS.ipv4, med: 50 },
    ...{ communities: ['65001:100', '65001:200'], largeCommunities: ['4200000001:1:2'] },
  },
  { prefix: '2001:db8:2::/48', nextHop: THEIRS.ipv6, med: 50, communities: ['65001:100'] },
];
const OWN_PREFIXES: readonly Announcement[] = [
  { prefix: '10.50.0.0/26', nextHop: OWN.ipv4, communities: ['64512:7'], largeCommunities: ['64512:1:2'] },
  { prefix: 'fd50::/122', nextHop: OWN.ipv6 },
];

describe('interop: exchange of routes', function () {
  this.timeout(130_000);
  after(() => matrix.publish('interop:exchange', '### Exchange of routes'));
  describeTracks(
    (['ebgp', 'ibgp'] as const).flatMap((type) => DAEMONS.map((kind) => track(kind, type))),
    matrix,
  );
});

function track(kind: DaemonKind, type: SessionType): Track<Stage> {
  return {
    kind,
    name: type === 'ebgp' ? 'eBGP' : 'iBGP',
    set: () => Stage.set(kind, { type, holdTimeSeconds: HOLD, withInjector: true }),
    scenarios: [
      {
        title: 'sessions come up and both sides agree on what was negotiated',
        body: async (s) => {
          await s.established();
          await checkAgreed(s, type);
        },
      },
      {
        title: 'its routes arrive with all attributes',
        body: async (s) => {
          await s.daemon.announce(ANNOUNCED);
          await arrivesAtPodroute(s, type, expectedAtPodroute(type));
        },
      },
      {
        title: 'routes that we pass on arrive there with all attributes',
        body: async (s) => {
          s.injector?.send(...injectedUpdates());
          await arrivesAt(s.daemon, type, expectedAtDaemon(type));
        },
      },
      {
        title: 'our own prefixes arrive there',
        body: async (s) => {
          await s.podroute.announce(OWN_PREFIXES);
          const passed = expectedAtDaemon(type);
          await arrivesAt(s.daemon, type, {
            ipv4: [...passed.ipv4, ownRoute(OWN_PREFIXES[0] as Announcement, type)],
            ipv6: [...passed.ipv6, ownRoute(OWN_PREFIXES[1] as Announcement, type)],
          });
        },
      },
      { title: 'a refresh that it asks for is answered', needs: 'refreshRequest', body: refreshIsAnswered },
      {
        title: 'withdrawals go through, both ways',
        body: async (s) => {
          await s.daemon.withdraw(ANNOUNCED.map((a) => a.prefix));
          await arrivesAtPodroute(s, type, { ipv4: [], ipv6: [] });
          s.injector?.send(...injectedWithdrawals());
          await s.podroute.withdraw(OWN_PREFIXES.map((a) => a.prefix));
          await arrivesAt(s.daemon, type, { ipv4: [], ipv6: [] });
        },
      },
      {
        title: 'when it falls silent our hold timer ends the session, and it comes back',
        body: (s) => silenceEndsTheSession(s, type),
      },
    ],
  };
}

async function refreshIsAnswered(s: Stage): Promise<void> {
  const before = await s.podroute.session(THEIRS.ipv4);
  await s.daemon.refresh(OWN.ipv4);
  const after = await eventually(
    () => s.podroute.session(THEIRS.ipv4),
    (now) => now.messages.updatesOut > before.messages.updatesOut,
  );
  assert.ok(after.messages.updatesOut > before.messages.updatesOut, 'routes were not sent again');
  assert.equal(after.flaps, 0);
  assert.equal(after.since, before.since);
}

async function silenceEndsTheSession(s: Stage, type: SessionType): Promise<void> {
  await s.daemon.announce(ANNOUNCED);
  await arrivesAtPodroute(s, type, expectedAtPodroute(type));
  const stopped = s.daemon.pid;
  process.kill(stopped, 'SIGSTOP');
  try {
    const lost = await eventually(
      () => s.podroute.session(THEIRS.ipv4),
      (now) => now.flaps > 0,
      (HOLD + 4) * 1000,
    );
    const { code, subcode } = lost.notifications.lastOut ?? {};
    assert.deepEqual({ code, subcode }, { code: 4, subcode: 0 }, lost.lastError?.text);
    await arrivesAtPodroute(s, type, { ipv4: [], ipv6: [] });
  } finally {
    process.kill(stopped, 'SIGCONT');
  }
  // It finds its own hold timer expired as well, and some then rest for half a minute.
  await eventually(
    () => s.daemon.sessions(),
    (all) => all.every((session) => !session.isEstablished),
    3000,
  );
  for (const address of Object.values(OWN)) await s.daemon.retry?.(address);
  // Both back off: we up to a minute when the track has failed often before, OpenBGPD 30 s when it was not asked in time.
  await s.established(80_000);
}

async function checkAgreed(s: Stage, type: SessionType): Promise<void> {
  const theirAs = type === 'ebgp' ? EXTERNAL_AS : OWN_AS;
  const ours = await s.podroute.sessions();
  const theirs = await s.daemon.sessions();
  for (const [i, family] of (['ipv4', 'ipv6'] as const).entries()) {
    const capabilities: Capability[] = ['four-byte-as', 'route-refresh', family];
    // What it says of restarts is its own affair here: see restart.test.ts.
    const { restart: _restart, ...mine } = ours.find((v) => v.remoteAddress === THEIRS[family])!;
    assert.deepEqual(mine, {
      ...{ remoteAddress: THEIRS[family], state: 'Established', isEstablished: true, capabilities },
      ...{ remoteAs: theirAs, remoteRouterId: '10.1.0.2', holdTimeSeconds: HOLD },
    });
    const view = theirs[i];
    assert.deepEqual(
      [view?.remoteAs, view?.remoteRouterId, view?.holdTimeSeconds],
      [OWN_AS, '10.1.0.1', HOLD],
      `${s.daemon.name} sees ${JSON.stringify(view)}`,
    );
    const seen = view?.capabilities ?? [];
    assert.ok(
      seen.includes('four-byte-as') && seen.includes('route-refresh'),
      `${s.daemon.name} sees ${seen.join(', ')}`,
    );
  }
}

function expectedAtPodroute(type: SessionType): { ipv4: Route[]; ipv6: Route[] } {
  const asPath = type === 'ebgp' ? String(EXTERNAL_AS) : '';
  const [four, six] = ANNOUNCED.map((a) => ({
    ...{ prefix: a.prefix, nextHop: a.nextHop, asPath, origin: 'igp' as const, localPref: 100, med: 50 },
    ...{
      communities: a.communities ?? [],
      largeCommunities: a.largeCommunities ?? [],
      extendedCommunities: [],
    },
  }));
  return { ipv4: [four as Route], ipv6: [six as Route] };
}

function ownRoute(a: Announcement, type: SessionType): Route {
  return {
    ...{ prefix: a.prefix, nextHop: a.nextHop, asPath: type === 'ebgp' ? String(OWN_AS) : '', origin: 'igp' },
    ...{
      communities: a.communities ?? [],
      largeCommunities: a.largeCommunities ?? [],
      extendedCommunities: [],
    },
    ...(type === 'ibgp' ? { localPref: 100 } : {}),
  };
}

/** Our table without what the scripted neighbour announced. */
async function arrivesAtPodroute(
  s: Stage,
  type: SessionType,
  expected: { ipv4: readonly Route[]; ipv6: readonly Route[] },
): Promise<void> {
  const injected = expectedAtDaemon(type);
  const foreign = new Set([...injected.ipv4, ...injected.ipv6].map((r) => r.prefix));
  for (const family of ['ipv4', 'ipv6'] as const) {
    const read = async () => (await s.podroute.routes(family)).filter((r) => !foreign.has(r.prefix));
    await compare(read, expected[family], 'ibgp');
  }
}

async function arrivesAt(
  daemon: Daemon,
  type: SessionType,
  expected: { ipv4: readonly Route[]; ipv6: readonly Route[] },
): Promise<void> {
  for (const family of ['ipv4', 'ipv6'] as const) {
    await compare(() => daemon.routes(family), expected[family], type);
  }
}

async function compare(
  read: () => Promise<Route[]>,
  expected: readonly Route[],
  type: SessionType,
): Promise<void> {
  const want = comparable(expected, type);
  const sorted = async () => comparable(await read(), type);
  const found = await eventually(sorted, (now) => isDeepStrictEqual(now, want), 4000);
  assert.deepEqual(found, want);
}
