// Roles and OTC with other daemons (RFC 9234): pairs of roles that fit and that do not, OTC as each side adds it, and
// leaks that each side refuses.
import assert from 'node:assert/strict';
import { FAMILIES } from '#ip';
import type { Daemon, DaemonKind } from './daemons/daemon.ts';
import { DAEMONS } from './daemons/index.ts';
import { EXTERNAL_AS, eventually, OWN_AS, Stage, THEIRS } from './testing/fixture.ts';
import { Matrix } from './testing/matrix.ts';
import { BUSY_AT_ONCE, describeTracks, type Track } from './testing/scenarios.ts';
import { announcement, numbered } from './testing/scripted-routes.ts';

const matrix = new Matrix('scenario');
const SOURCE = { asNumber: 65_011 };
const PATH = [SOURCE.asNumber, 65_099];
const CLEAN = numbered(0);
/** It came from a provider or peer of the scripted neighbour. */
const LEAK = numbered(1);

describe('interop: roles', function () {
  this.timeout(100_000);
  after(() => matrix.publish('interop:roles', '### Roles'));
  describeTracks(
    [weProvide, theyProvide, theySayNothing].flatMap((track) => DAEMONS.map(track)),
    matrix,
    BUSY_AT_ONCE,
  );
});

function weProvide(kind: DaemonKind): Track<Stage> {
  return {
    kind,
    name: 'provider here, customer there',
    set: () =>
      Stage.set(kind, {
        ...{ type: 'ebgp', scripted: { ours: [SOURCE], theirs: [] } },
        ...{ ours: { spec: { role: 'Provider' } }, theirs: { role: 'customer' } },
      }),
    scenarios: [
      {
        title: 'the sessions come up, and what we send has OTC with our AS there',
        needs: 'roles',
        body: async (s) => {
          await s.established();
          s.scripted.ours[0]?.send(...announcement('ours', 0, CLEAN, { path: PATH }));
          for (const family of FAMILIES) await has(s.daemon, CLEAN[family], OWN_AS);
        },
      },
      {
        title: 'customers on both sides: refused with 2/11, and status says why',
        needs: 'roles',
        body: async (s) => {
          s.edit({ spec: { role: 'Customer' } });
          const read = () => s.podroute.session(THEIRS.ipv4);
          const session = await eventually(
            read,
            ({ lastError }) => lastError?.code === 2 && lastError.subcode === 11,
            20_000,
          );
          assert.deepEqual([session.lastError?.code, session.lastError?.subcode], [2, 11]);
          assert.match(JSON.stringify(session.whyDown), /role/i);
        },
      },
      {
        title: 'put right again: they come up',
        needs: 'roles',
        body: async (s) => {
          s.edit({ spec: { role: 'Provider' } });
          await s.established(40_000);
        },
      },
    ],
  };
}

function theyProvide(kind: DaemonKind): Track<Stage> {
  return {
    kind,
    name: 'customer here, provider there',
    set: () =>
      Stage.set(kind, {
        ...{ type: 'ebgp', scripted: { ours: [SOURCE], theirs: [SOURCE] } },
        ...{ ours: { spec: { role: 'Customer' } }, theirs: { role: 'provider' } },
      }),
    scenarios: [
      {
        title: 'what it sends has OTC with its AS here',
        needs: 'roles',
        body: async (s) => {
          await s.established();
          s.scripted.theirs[0]?.send(...announcement('theirs', 0, numbered(2), { path: PATH }));
          for (const family of FAMILIES) await has(s.podroute, numbered(2)[family], EXTERNAL_AS);
        },
      },
      {
        title: 'what has OTC is not sent to it',
        needs: 'roles',
        body: async (s) => {
          s.scripted.ours[0]?.send(
            ...announcement('ours', 0, LEAK, { path: PATH, otc: 65_099 }),
            ...announcement('ours', 0, CLEAN, { path: PATH }),
          );
          for (const family of FAMILIES) {
            await has(s.podroute, LEAK[family], 65_099);
            await has(s.daemon, CLEAN[family]);
            const there = (await s.daemon.routes(family)).map((route) => route.prefix);
            assert.ok(!there.includes(LEAK[family]), there.join(' '));
          }
        },
      },
      {
        title: 'our role is taken away: what has OTC is sent, and it refuses the leak',
        needs: 'oneSidedRole',
        body: async (s) => {
          s.edit({ spec: {} });
          const sent = async () => (await s.podroute.session(THEIRS.ipv4)).prefixes.advertised.ipv4;
          assert.equal(await eventually(sent, (count) => count === 2, 20_000), 2);
          await s.established(40_000);
          for (const family of FAMILIES) {
            await has(s.daemon, CLEAN[family]);
            const there = (await s.daemon.routes(family)).map((route) => route.prefix);
            assert.ok(!there.includes(LEAK[family]), there.join(' '));
          }
        },
      },
    ],
  };
}

/** It passes a leak on, which our role finds. */
function theySayNothing(kind: DaemonKind): Track<Stage> {
  return {
    kind,
    name: 'provider here, no role there',
    set: () =>
      Stage.set(kind, {
        ...{ type: 'ebgp', scripted: { ours: [], theirs: [SOURCE] }, ours: { spec: { role: 'Provider' } } },
      }),
    scenarios: [
      {
        title: 'a leak that it passes on is not used here, and routes --received says why',
        needs: 'passesOn',
        body: async (s) => {
          await s.established();
          s.scripted.theirs[0]?.send(
            ...announcement('theirs', 0, LEAK, { path: PATH, otc: 65_099 }),
            ...announcement('theirs', 0, CLEAN, { path: PATH }),
          );
          for (const family of FAMILIES) {
            await has(s.podroute, CLEAN[family]);
            const read = async () => {
              const all = await s.podroute.received(THEIRS[family], family);
              return all.find((route) => route.prefix === LEAK[family])?.why ?? '';
            };
            assert.match(await eventually(read, (why) => /OTC/.test(why)), /route leak: OTC from a customer/);
            const used = (await s.podroute.routes(family)).map((route) => route.prefix);
            assert.ok(!used.includes(LEAK[family]), used.join(' '));
          }
        },
      },
    ],
  };
}

/** Of this OTC, when one is asked for. */
async function has(daemon: Daemon, prefix: string, otc?: number): Promise<void> {
  const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
  const read = async () => (await daemon.routes(family)).find((route) => route.prefix === prefix);
  const found = await eventually(
    read,
    (route) => route !== undefined && (otc === undefined || route.otc === otc),
    10_000,
  );
  assert.ok(found, `${daemon.name} has no ${prefix}`);
  if (otc !== undefined) assert.equal(found.otc, otc, `${daemon.name}, ${prefix}`);
}
