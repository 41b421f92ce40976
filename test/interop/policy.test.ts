// What policy makes of routes, as other daemons see it and as they send it: the operations and matches of a BGPFilter on
// all kinds of communities and on preferences, GRACEFUL_SHUTDOWN (RFC 8326), and the fields of a BGPPeer that change the
// AS path (RFC 7705).
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { FAMILIES } from '#ip';
import { bird } from './daemons/bird.ts';
import type { Announcement, Daemon, DaemonKind, Route } from './daemons/daemon.ts';
import { frr } from './daemons/frr.ts';
import { gobgp } from './daemons/gobgp.ts';
import { DAEMONS } from './daemons/index.ts';
import { EXTERNAL_AS, eventually, OWN, OWN_AS, type SessionType, Stage, THEIRS } from './testing/fixture.ts';
import { Matrix } from './testing/matrix.ts';
import { BUSY_AT_ONCE, describeTracks, type Track } from './testing/scenarios.ts';
import {
  EXPORTS,
  EXTENDED,
  FILTER,
  type Import,
  IMPORTS,
  LEAVING,
  PATH,
  SOURCE_AS,
} from './testing/policies.ts';
import { announcement, numbered } from './testing/scripted-routes.ts';

/** Those with all that is asked of the further tracks. */
const KINDS = [bird, frr, gobgp];
const matrix = new Matrix('scenario');
/** Public ones between private ones. */
const MIXED_PATH = [SOURCE_AS, 3356, 65_012];
const LOCAL_AS = 64_999;

describe('interop: policy', function () {
  this.timeout(100_000);
  after(() => matrix.publish('interop:policy', '### Policy'));
  describeTracks(
    [
      ...DAEMONS.map((kind) => filters(kind, 'ebgp')),
      ...KINDS.map((kind) => filters(kind, 'ibgp')),
      ...[shownPath, localAs].flatMap((track) => KINDS.map(track)),
    ],
    matrix,
    BUSY_AT_ONCE,
  );
});

function filters(kind: DaemonKind, type: SessionType): Track<Stage> {
  return {
    kind,
    name: type === 'ebgp' ? 'eBGP' : 'iBGP',
    set: async () => {
      const stage = await Stage.set(kind, {
        ...{ type, scripted: { ours: [{ asNumber: SOURCE_AS }], theirs: [] } },
        ours: { spec: { filters: ['policy'] } },
      });
      stage.podroute.setObjects([FILTER]);
      return stage;
    },
    scenarios: [
      ...EXPORTS.map(({ title, sent, expected }, i) => ({
        title,
        body: async (s: Stage) => {
          if (i === 0) await s.established();
          s.scripted.ours[0]?.send(...announcement('ours', 0, numbered(i), { path: PATH, ...sent }));
          for (const family of FAMILIES) await seen(s.daemon, numbered(i)[family], expected(type));
        },
      })),
      {
        title: 'communities that it sends are matched here: all, any, none, numbers left open, by name',
        body: (s) => matched(s, IMPORTS, 100),
      },
      {
        title: 'extended communities that it sends are matched here',
        needs: 'announcesExtended',
        body: (s) => matched(s, EXTENDED, 120),
      },
      ...(type === 'ebgp'
        ? [
            {
              title: 'GRACEFUL_SHUTDOWN that it sends: LOCAL_PREF 0 here, whatever the filter sets',
              body: (s: Stage) => matched(s, [LEAVING], 130),
            },
          ]
        : []),
      {
        title: 'our node leaves: GRACEFUL_SHUTDOWN is there on all that we announce, and goes again',
        body: async (s) => {
          await s.podroute.announce([{ prefix: '10.50.0.0/26', nextHop: OWN.ipv4 }]);
          const own = type === 'ibgp' ? { localPref: 100 } : {};
          await seen(s.daemon, '10.50.0.0/26', { communities: [], ...own });
          s.podroute.setLeaving(true);
          const leaving = { communities: ['65535:0'], ...(type === 'ibgp' ? { localPref: 0 } : {}) };
          await seen(s.daemon, '10.50.0.0/26', leaving);
          await seen(s.daemon, numbered(1).ipv4, { communities: ['65000:8', '65535:0'] });
          s.podroute.setLeaving(false);
          await seen(s.daemon, '10.50.0.0/26', { communities: [], ...own });
        },
      },
    ],
  };
}

/** Fields of a BGPPeer that change the path: what it sees of a path with its own AS, and of one with private ASes. */
function shownPath(kind: DaemonKind): Track<Stage> {
  const [looped, mixed] = [numbered(0), numbered(1)];
  const shows = async (s: Stage, prefix: string, path: readonly number[]) =>
    seen(s.daemon, prefix, { asPath: path.join(' ') });
  return {
    kind,
    name: 'shown path',
    set: () => Stage.set(kind, { type: 'ebgp', scripted: { ours: [{ asNumber: SOURCE_AS }], theirs: [] } }),
    scenarios: [
      {
        title: 'asOverride: our AS stands in for its own, and the route that was a loop is used',
        body: async (s) => {
          await s.established();
          s.scripted.ours[0]?.send(
            ...announcement('ours', 0, looped, { path: [SOURCE_AS, EXTERNAL_AS] }),
            ...announcement('ours', 0, mixed, { path: MIXED_PATH }),
          );
          for (const family of FAMILIES) await shows(s, mixed[family], [OWN_AS, ...MIXED_PATH]);
          s.edit({ spec: { asOverride: true } });
          for (const family of FAMILIES) await shows(s, looped[family], [OWN_AS, SOURCE_AS, OWN_AS]);
        },
      },
      {
        title: 'removePrivateAS: private ASes are not in the path there',
        body: async (s) => {
          s.edit({ spec: { removePrivateAS: true } });
          for (const family of FAMILIES) await shows(s, mixed[family], [OWN_AS, 3356]);
        },
      },
      {
        title: 'privateASAction Replace: our AS stands in for each',
        body: async (s) => {
          s.edit({ spec: { removePrivateAS: true, privateASAction: 'Replace' } });
          for (const family of FAMILIES) await shows(s, mixed[family], [OWN_AS, OWN_AS, 3356, OWN_AS]);
        },
      },
    ],
  };
}

/** It knows us by another AS than the node's. */
function localAs(kind: DaemonKind): Track<Stage> {
  const mode = (localASMode: string) => ({ spec: { localASNumber: LOCAL_AS, localASMode } });
  const shows = async (s: Stage, there: readonly number[], here: readonly number[]) => {
    await s.established();
    for (const family of FAMILIES) {
      await seen(s.daemon, numbered(0)[family], { asPath: there.join(' ') });
      await seen(s.podroute, numbered(100)[family], { asPath: here.join(' ') });
    }
  };
  return {
    kind,
    name: 'localASNumber',
    set: () =>
      Stage.set(kind, {
        ...{ type: 'ebgp', scripted: { ours: [{ asNumber: SOURCE_AS }], theirs: [] } },
        ...{ ours: mode('Replace'), theirs: { remoteAs: LOCAL_AS } },
      }),
    scenarios: [
      {
        title: "the session comes up with it; Replace: it stands in for the node's AS",
        body: async (s) => {
          await s.established();
          await s.daemon.announce(announced(100, {}));
          s.scripted.ours[0]?.send(...announcement('ours', 0, numbered(0), { path: PATH }));
          await shows(s, [LOCAL_AS, ...PATH], [EXTERNAL_AS]);
        },
      },
      {
        title: "Prepend: it stands before the node's AS there",
        body: async (s) => {
          s.edit(mode('Prepend'));
          await shows(s, [LOCAL_AS, OWN_AS, ...PATH], [EXTERNAL_AS]);
        },
      },
      {
        title: 'PrependBoth: and before what it sends here',
        body: async (s) => {
          s.edit(mode('PrependBoth'));
          await shows(s, [LOCAL_AS, OWN_AS, ...PATH], [LOCAL_AS, EXTERNAL_AS]);
        },
      },
    ],
  };
}

function announced(number: number, sent: Import['sent']): Announcement[] {
  return FAMILIES.map((family) => ({
    ...{ prefix: numbered(number)[family], nextHop: THEIRS[family] },
    ...sent,
  }));
}

async function matched(s: Stage, imports: readonly Import[], first: number): Promise<void> {
  await s.daemon.announce(imports.flatMap(({ sent }, i) => announced(first + i, sent)));
  for (const family of FAMILIES) {
    const expected = imports.map(({ localPref }, i) => `${numbered(first + i)[family]} ${localPref}`);
    const wanted = new Set(imports.map((_, i) => numbered(first + i)[family]));
    const read = async () => {
      const all = await s.podroute.routes(family);
      return all.filter((r) => wanted.has(r.prefix)).map((r) => `${r.prefix} ${r.localPref}`);
    };
    const found = await eventually(read, (now) => isDeepStrictEqual([...now].sort(), [...expected].sort()));
    assert.deepEqual(found.sort(), expected.sort());
  }
}

/** The route of this prefix there has these attributes, whatever else it has. */
async function seen(daemon: Daemon, prefix: string, expected: Partial<Route>): Promise<void> {
  const names = Object.keys(expected) as (keyof Route)[];
  const read = async () => {
    const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
    const route = (await daemon.routes(family)).find((one) => one.prefix === prefix);
    return route && Object.fromEntries(names.map((name) => [name, route[name]]));
  };
  const found = await eventually(read, (now) => isDeepStrictEqual(now, expected), 10_000);
  assert.deepEqual(found, expected, `${daemon.name}, ${prefix}`);
}
