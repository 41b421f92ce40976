// Routes that change often, with other daemons: what they hear of them with an advertisement interval (RFC 4271 section
// 9.2.1.1), by their own counters.
import assert from 'node:assert/strict';
import { FAMILIES } from '#ip';
import { bird } from './daemons/bird.ts';
import type { DaemonKind } from './daemons/daemon.ts';
import { frr } from './daemons/frr.ts';
import { gobgp } from './daemons/gobgp.ts';
import { openbgpd } from './daemons/openbgpd.ts';
import { eventually, OWN, Stage, THEIRS } from './testing/fixture.ts';
import { Matrix } from './testing/matrix.ts';
import { BUSY_AT_ONCE, describeTracks, type Track } from './testing/scenarios.ts';
import { announcement, numbered, type Prefixes, withdrawal } from './testing/scripted-routes.ts';

const matrix = new Matrix('scenario');
const SOURCE = 65_011;
/** Three quarters of it are enough for what must come within. */
const INTERVAL_MS = 8000;
const CHANGES = 20;
const BETWEEN_MS = 50;

const CHANGED = numbered(1);
const LOST = numbered(2);

describe('interop: routes that change often', function () {
  this.timeout(100_000);
  after(() => matrix.publish('interop:pace', '### Routes that change often'));
  describeTracks([bird, frr, gobgp, openbgpd].map(track), matrix, BUSY_AT_ONCE);
});

function track(kind: DaemonKind): Track<Stage> {
  return {
    kind,
    name: 'advertisementInterval',
    set: () =>
      Stage.set(kind, {
        type: 'ebgp',
        ours: { spec: { advertisementInterval: `${INTERVAL_MS / 1000}s` } },
        scripted: { ours: [{ asNumber: SOURCE }], theirs: [] },
      }),
    scenarios: [
      {
        title: `a route changes ${CHANGES} times within the interval: it hears of it twice at most, and has the newest`,
        body: async (s) => {
          await s.established();
          for (const prefixes of [CHANGED, LOST]) announce(s, prefixes, 1);
          for (const prefixes of [CHANGED, LOST]) await hasThere(s, prefixes, 1);
          await passes(INTERVAL_MS);
          const before = await updates(s);
          await changeOften(s);
          await hasThere(s, CHANGED, CHANGES + 1);
          for (const [i, count] of (await updates(s)).entries()) {
            const more = count - before[i]!;
            assert.ok(more === 1 || more === 2, `${FAMILIES[i]}: ${more} UPDATEs`);
          }
        },
      },
      {
        title: 'a route is withdrawn within the interval: it goes there at once, before what waits',
        body: async (s) => {
          announce(s, CHANGED, 1);
          await waiting(s, 1);
          s.scripted.ours[0]?.send(...withdrawal(LOST));
          await hasThere(s, LOST, undefined);
          await waiting(s, 1);
          await hasThere(s, CHANGED, CHANGES + 1);
        },
      },
      {
        title: 'it is announced again within the interval: it comes back when that is over, with what waited',
        body: async (s) => {
          announce(s, LOST, 2);
          await waiting(s, 2);
          await hasThere(s, LOST, 2);
          await hasThere(s, CHANGED, 1);
          await waiting(s, 0);
        },
      },
      {
        title: 'without an interval: it hears of each change',
        body: async (s) => {
          s.edit({ spec: { advertisementInterval: '0s' } });
          await eventually(
            () => s.podroute.session(THEIRS.ipv4),
            ({ timers }) => timers.configured.advertisementInterval === undefined,
          );
          const before = await updates(s);
          await changeOften(s);
          await hasThere(s, CHANGED, CHANGES + 1);
          for (const [i, count] of (await updates(s)).entries())
            assert.ok(count - before[i]! > CHANGES / 2, `${FAMILIES[i]}: ${count - before[i]!} UPDATEs`);
        },
      },
    ],
  };
}

/** Which state of the routes it is: the length of the AS path. */
function announce(s: Stage, prefixes: Prefixes, length: number): void {
  const path = Array.from({ length }, () => SOURCE);
  s.scripted.ours[0]?.send(...announcement('ours', 0, prefixes, { path }));
}

async function changeOften(s: Stage): Promise<void> {
  for (let n = 2; n <= CHANGES + 1; n++) {
    announce(s, CHANGED, n);
    await passes(BETWEEN_MS);
  }
}

async function passes(ms: number): Promise<void> {
  await new Promise((wake) => setTimeout(wake, ms));
}

/** @param length undefined: it has no such route */
async function hasThere(s: Stage, prefixes: Prefixes, length: number | undefined): Promise<void> {
  for (const family of FAMILIES) {
    const read = async () => {
      const route = (await s.daemon.routes(family)).find(({ prefix }) => prefix === prefixes[family]);
      // Ours before the others.
      return route === undefined ? undefined : route.asPath.split(' ').length - 1;
    };
    const found = await eventually(read, (now) => now === length, INTERVAL_MS * 1.5);
    assert.equal(found, length, `AS path of ${prefixes[family]}`);
  }
}

/** In each family so many changes wait for the interval. */
async function waiting(s: Stage, count: number): Promise<void> {
  for (const family of FAMILIES) {
    const read = async () => (await s.podroute.session(THEIRS[family])).prefixes.heldBack[family];
    assert.equal(await eventually(read, (now) => now === count, 2000), count, `${family} routes that wait`);
  }
}

/** By family. */
async function updates(s: Stage): Promise<number[]> {
  const counts: number[] = [];
  for (const family of FAMILIES) counts.push((await s.daemon.updatesFrom?.(OWN[family])) ?? Number.NaN);
  return counts;
}
