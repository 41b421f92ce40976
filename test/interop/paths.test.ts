// Several paths of a prefix with other daemons: ADD-PATH both ways (RFC 7911), and two reflectors of which they are one
// and our agent is the other (RFC 4456), with a cluster ID each and with one for both.
import assert from 'node:assert/strict';
import { FAMILIES, type Family } from '#ip';
import { bird } from './daemons/bird.ts';
import type { Daemon, DaemonKind } from './daemons/daemon.ts';
import { frr } from './daemons/frr.ts';
import { gobgp } from './daemons/gobgp.ts';
import { openbgpd } from './daemons/openbgpd.ts';
import { eventually, OWN_AS, Stage, THEIRS } from './testing/fixture.ts';
import { Matrix } from './testing/matrix.ts';
import { BUSY_AT_ONCE, describeTracks, type Track } from './testing/scenarios.ts';
import { scriptedAt, type Side } from './testing/scripted.ts';
import { announcement, type Attributes, type Prefixes, withdrawal } from './testing/scripted-routes.ts';

const matrix = new Matrix('scenario');
/** Those with a table: ExaBGP passes nothing on. */
const KINDS = [bird, frr, gobgp, openbgpd];
const SOURCES = [65_011, 65_012, 65_013];
const OUR_CLUSTER = '10.1.0.1';
const THEIR_CLUSTER = '10.1.0.2';

const PREFIXES = { ipv4: '203.0.113.0/24', ipv6: '2001:db8:77::/48' } as const;
const OTHER_PREFIXES = { ipv4: '198.51.100.0/24', ipv6: '2001:db8:78::/48' } as const;

describe('interop: several paths, and reflectors', function () {
  this.timeout(100_000);
  after(() => matrix.publish('interop:paths', '### Several paths, and reflectors'));
  describeTracks(
    [addPaths, twoClusters, oneCluster].flatMap((track) => KINDS.map(track)),
    matrix,
    BUSY_AT_ONCE,
  );
});

function addPaths(kind: DaemonKind): Track<Stage> {
  const sources = SOURCES.map((asNumber) => ({ asNumber }));
  return {
    kind,
    name: 'ADD-PATH',
    set: () =>
      Stage.set(kind, {
        ...{ type: 'ibgp', holdTimeSeconds: 9, both: { addPaths: true } },
        scripted: { ours: sources, theirs: sources },
      }),
    scenarios: [
      {
        title: 'it sends three paths of a prefix: all arrive, each with an identifier',
        body: async (s) => {
          await s.established();
          tell(s, 'theirs', PREFIXES, [0, 1, 2]);
          await pathsHere(s, PREFIXES, ['65011 65099', '65012 65099', '65013 65099']);
        },
      },
      {
        title: 'of these it withdraws one and changes one: the third stays as it is',
        body: async (s) => {
          withdraw(s, 'theirs', PREFIXES, [1]);
          s.scripted.theirs[2]?.send(...announcement('theirs', 2, PREFIXES, { path: [65_013, 65_098] }));
          await pathsHere(s, PREFIXES, ['65011 65099', '65013 65098']);
        },
      },
      {
        title: 'we send three paths of a prefix: all arrive there',
        body: async (s) => {
          tell(s, 'ours', OTHER_PREFIXES, [0, 1, 2]);
          await pathsThere(s.daemon, OTHER_PREFIXES, ['65011 65099', '65012 65099', '65013 65099']);
        },
      },
      {
        title: 'of these we withdraw one and change one: the third stays there as it is',
        body: async (s) => {
          withdraw(s, 'ours', OTHER_PREFIXES, [1]);
          s.scripted.ours[2]?.send(...announcement('ours', 2, OTHER_PREFIXES, { path: [65_013, 65_098] }));
          await pathsThere(s.daemon, OTHER_PREFIXES, ['65011 65099', '65013 65098']);
        },
      },
      {
        title: 'the last ones are withdrawn: none stays, on either side',
        body: async (s) => {
          withdraw(s, 'theirs', PREFIXES, [0, 2]);
          withdraw(s, 'ours', OTHER_PREFIXES, [0, 2]);
          await pathsHere(s, PREFIXES, []);
          await pathsThere(s.daemon, OTHER_PREFIXES, []);
        },
      },
    ],
  };
}

/** Both reflect to client 0; client 1 is a client of one of them only. */
function reflectors(kind: DaemonKind, theirCluster: string): Promise<Stage> {
  const clients = [0, 1].map(() => ({ asNumber: OWN_AS, isClient: true }));
  return Stage.set(kind, {
    ...{ type: 'ibgp', holdTimeSeconds: 9, scripted: { ours: clients, theirs: clients } },
    clusterIds: { ours: OUR_CLUSTER, theirs: theirCluster },
    theirs: { isClient: kind.lacks.reflectorPeer !== undefined },
  });
}

const CLIENT = { path: [65_099], localPref: 100 } as const;

function twoClusters(kind: DaemonKind): Track<Stage> {
  const reflected = (cluster: string) => ({
    originatorId: scriptedAt('ours', 0).routerId,
    clusterList: [cluster],
  });
  return {
    kind,
    name: 'two reflectors',
    set: () => reflectors(kind, THEIR_CLUSTER),
    scenarios: [
      {
        title: 'what its client says comes with ORIGINATOR_ID and its cluster ID, and what ours says goes so',
        body: async (s) => {
          await s.established();
          s.scripted.theirs[0]?.send(...announcement('theirs', 0, PREFIXES, CLIENT));
          s.scripted.ours[0]?.send(...announcement('ours', 0, OTHER_PREFIXES, CLIENT));
          for (const family of FAMILIES) {
            const here = await one(s.podroute, family, PREFIXES);
            assert.deepEqual(picked(here), reflected(THEIR_CLUSTER));
            const there = await one(s.daemon, family, OTHER_PREFIXES);
            assert.deepEqual(picked(there), reflected(OUR_CLUSTER));
          }
          const reason = kind.lacks.reflectorPeer;
          return { text: 'pass', ...(reason === undefined ? {} : { reason }) };
        },
      },
      {
        title: 'a client of both tells both: each uses what the client said',
        body: async (s) => {
          s.scripted.ours[0]?.send(...announcement('ours', 0, PREFIXES, CLIENT));
          s.scripted.theirs[0]?.send(...announcement('theirs', 0, OTHER_PREFIXES, CLIENT));
          for (const prefixes of [PREFIXES, OTHER_PREFIXES]) {
            for (const family of FAMILIES) {
              const direct = (route: object | undefined) =>
                JSON.stringify(picked(route)) ===
                JSON.stringify({ originatorId: undefined, clusterList: undefined });
              const here = await one(s.podroute, family, prefixes, direct);
              assert.ok(direct(here), JSON.stringify(here));
              const best = await s.daemon.routes(family);
              assert.ok(best.some((route) => route.prefix === prefixes[family] && direct(route)));
            }
          }
          const { flaps } = await s.podroute.session(THEIRS.ipv4);
          assert.equal(flaps, 0);
        },
      },
      {
        title: 'a route that has been in our cluster is not used here, and routes --received says why',
        body: async (s) => {
          const looped = { ...CLIENT, originator: '192.0.2.99', clusters: [OUR_CLUSTER] };
          s.scripted.theirs[1]?.send(...announcement('theirs', 1, LOOPED, looped));
          await notUsedHere(s, LOOPED, /CLUSTER_LIST/);
        },
      },
      {
        title: 'one that began here is not used here, and routes --received says why',
        body: async (s) => {
          const looped = { ...CLIENT, originator: '10.1.0.1', clusters: ['192.0.2.77'] };
          s.scripted.theirs[1]?.send(...announcement('theirs', 1, LOOPED, looped));
          await notUsedHere(s, LOOPED, /ORIGINATOR_ID/);
        },
      },
      {
        title: 'a route that has been in its cluster is not used there',
        needs: 'clusterCheck',
        body: async (s) => {
          const looped = { ...CLIENT, originator: '192.0.2.99', clusters: [THEIR_CLUSTER] };
          await notUsedThere(s, LOOPED_THERE, looped, FIRST);
        },
      },
      {
        title: 'one that began there is not used there',
        body: async (s) => {
          const looped = { ...CLIENT, originator: '10.1.0.2', clusters: ['192.0.2.77'] };
          await notUsedThere(s, BEGAN_THERE, looped, LAST);
        },
      },
    ],
  };
}

const LOOPED = { ipv4: '192.0.2.128/26', ipv6: '2001:db8:79::/48' } as const;
const LOOPED_THERE = { ipv4: '198.18.0.0/24', ipv6: '2001:db8:80::/48' } as const;
const BEGAN_THERE = { ipv4: '198.18.1.0/24', ipv6: '2001:db8:81::/48' } as const;
const FIRST = { ipv4: '198.18.3.0/24', ipv6: '2001:db8:83::/48' } as const;
const LAST = { ipv4: '198.18.2.0/24', ipv6: '2001:db8:82::/48' } as const;

function oneCluster(kind: DaemonKind): Track<Stage> {
  return {
    kind,
    name: 'one cluster ID',
    set: () => reflectors(kind, OUR_CLUSTER),
    scenarios: [
      {
        title: 'what its client says is not used here, and routes --received says why',
        body: async (s) => {
          await s.established();
          s.scripted.theirs[0]?.send(...announcement('theirs', 0, PREFIXES, CLIENT));
          await notUsedHere(s, PREFIXES, /CLUSTER_LIST/);
        },
      },
      {
        title: 'what our client says is not used there; what it says to both is used by both',
        needs: 'clusterCheck',
        body: async (s) => {
          s.scripted.ours[0]?.send(
            ...announcement('ours', 0, PREFIXES, CLIENT),
            ...announcement('ours', 0, OTHER_PREFIXES, CLIENT),
          );
          for (const family of FAMILIES) {
            await one(s.podroute, family, PREFIXES);
            await one(s.podroute, family, OTHER_PREFIXES);
          }
          await new Promise((wake) => setTimeout(wake, 500));
          for (const family of FAMILIES) {
            const there = (await s.daemon.routes(family)).map((route) => route.prefix);
            assert.deepEqual(there, [PREFIXES[family]]);
          }
        },
      },
    ],
  };
}

function tell(s: Stage, side: Side, prefixes: Prefixes, indexes: readonly number[]): void {
  for (const i of indexes)
    s.scripted[side][i]?.send(...announcement(side, i, prefixes, { path: [SOURCES[i] ?? 0, 65_099] }));
}

function withdraw(s: Stage, side: Side, prefixes: Prefixes, indexes: readonly number[]): void {
  for (const i of indexes) s.scripted[side][i]?.send(...withdrawal(prefixes));
}

/** What came from the daemon: these AS paths, and no two with one identifier. */
async function pathsHere(s: Stage, prefixes: Prefixes, expected: readonly string[]): Promise<void> {
  for (const family of FAMILIES) {
    const read = async () => {
      const all = await s.podroute.received(THEIRS[family], family);
      return all.filter((route) => route.prefix === prefixes[family]);
    };
    const paths = (routes: readonly { asPath: string }[]) => routes.map((r) => r.asPath).sort();
    const found = await eventually(read, (now) => String(paths(now)) === String(expected));
    assert.deepEqual(paths(found), expected);
    assert.equal(new Set(found.map((route) => route.pathId)).size, expected.length);
    assert.ok(found.every((route) => route.pathId !== undefined));
  }
}

async function pathsThere(daemon: Daemon, prefixes: Prefixes, expected: readonly string[]): Promise<void> {
  for (const family of FAMILIES) {
    const read = async () => {
      const all = await daemon.routes(family);
      return all.filter((r) => r.prefix === prefixes[family]).map((r) => r.asPath);
    };
    const found = await eventually(read, (now) => String([...now].sort()) === String(expected));
    assert.deepEqual(found.sort(), expected);
  }
}

/** The route of the prefix; undefined when there is none, or none that is right, in time. */
async function one(
  daemon: Daemon,
  family: Family,
  prefixes: Prefixes,
  isRight: (route: object | undefined) => boolean = (route) => route !== undefined,
) {
  const read = async () => (await daemon.routes(family)).find((route) => route.prefix === prefixes[family]);
  const found = await eventually(read, isRight);
  assert.ok(found, `${daemon.name} has no ${prefixes[family]}`);
  return found;
}

function picked(route: { originatorId?: string; clusterList?: readonly string[] } | undefined): object {
  return { originatorId: route?.originatorId, clusterList: route?.clusterList };
}

/** The mark is sent after it. */
async function notUsedThere(
  s: Stage,
  prefixes: Prefixes,
  attributes: Attributes,
  mark: Prefixes,
): Promise<void> {
  s.scripted.ours[1]?.send(
    ...announcement('ours', 1, prefixes, attributes),
    ...announcement('ours', 1, mark, CLIENT),
  );
  for (const family of FAMILIES) {
    await one(s.daemon, family, mark);
    const there = (await s.daemon.routes(family)).map((route) => route.prefix);
    assert.ok(!there.includes(prefixes[family]), there.join(' '));
  }
}

async function notUsedHere(s: Stage, prefixes: Prefixes, why: RegExp): Promise<void> {
  for (const family of FAMILIES) {
    const read = async () => {
      const all = await s.podroute.received(THEIRS[family], family);
      return all.find((route) => route.prefix === prefixes[family]);
    };
    const found = await eventually(read, (route) => why.test(route?.why ?? ''));
    assert.match(found?.why ?? '', why);
    const used = (await s.podroute.routes(family)).filter((route) => route.prefix === prefixes[family]);
    assert.deepEqual(used, []);
  }
}
