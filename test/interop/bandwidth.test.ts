// Equal paths that share the traffic by their link bandwidths (draft-ietf-idr-link-bandwidth) with other daemons: what two
// of them say is in our kernel as weights; what we say, pass on and add up is seen there, and weighs in FRR's kernel.
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { FAMILIES, type Family } from '#ip';
import type { Host } from '#lab';
import type { Daemon, DaemonKind } from './daemons/daemon.ts';
import { DAEMONS } from './daemons/index.ts';
import { bandwidthText } from './daemons/link-bandwidth.ts';
import { openbgpd } from './daemons/openbgpd.ts';
import { eventually, INJECTOR, OWN, OWN_AS, type SessionType, Stage, THEIRS } from './testing/fixture.ts';
import { Matrix } from './testing/matrix.ts';
import { BUSY_AT_ONCE, describeTracks, type Cell, type Track } from './testing/scenarios.ts';
import { scriptedAt } from './testing/scripted.ts';
import { announcement, numbered } from './testing/scripted-routes.ts';

const matrix = new Matrix('scenario');
const SOURCE_AS = 65_011;
const OTHER_AS = 65_012;
/** Octets a second. */
const GIGABIT = 125_000_000;

const SHARED = numbered(0);
const PASSED = numbered(1);
const SUMMED = numbered(2);
const ORIGINATED = { ipv4: '10.50.0.0/26', ipv6: 'fd50::/64' } as const;

const FILTERS = { filters: ['originated'] };
const FILTER = {
  apiVersion: 'podroute.io/v1',
  kind: 'BGPFilter',
  metadata: { name: 'originated' },
  spec: { exportV4: rules('ipv4'), exportV6: rules('ipv6') },
};

describe('interop: link bandwidths', function () {
  this.timeout(100_000);
  after(() => matrix.publish('interop:bandwidth', '### Link bandwidths'));
  describeTracks(
    [
      ...DAEMONS.map((kind) => shares(kind, 'ebgp')),
      ...DAEMONS.filter((kind) => kind !== openbgpd).map((kind) => shares(kind, 'ibgp')),
    ],
    matrix,
    BUSY_AT_ONCE,
  );
});

function shares(kind: DaemonKind, type: SessionType): Track<Stage> {
  const there = (asNumber: number, octets: number, isTransitive = type === 'ebgp') => {
    const text = bandwidthText(isTransitive, asNumber, octets);
    return kind.lacks.bandwidthForms === undefined ? text : text.replace('transitive-', '');
  };
  const seen = (): Cell => {
    const reason = kind.lacks.bandwidthForms;
    return { text: 'pass', ...(reason === undefined ? {} : { reason }) };
  };
  const weighs = type === 'ebgp' && kind.lacks.weighedPaths === undefined;
  return {
    kind,
    name: type === 'ebgp' ? 'eBGP' : 'iBGP',
    set: async () => {
      const stage = await Stage.set(kind, {
        ...{ type, withTwin: true, sharesTraffic: weighs, ours: { spec: FILTERS } },
        scripted: {
          ours: [{ asNumber: SOURCE_AS }, { asNumber: SOURCE_AS }],
          theirs: weighs ? [{ asNumber: OTHER_AS }] : [],
        },
      });
      stage.podroute.setObjects([FILTER]);
      return stage;
    },
    scenarios: [
      {
        title: 'two of it say 1 and 3 Gbit/s for a prefix: so are the weights in our kernel',
        needs: 'announcesExtended',
        body: async (s) => {
          await s.established();
          await theySay(s, GIGABIT, 3 * GIGABIT);
          await sharedHere(s, 1, 3);
        },
      },
      {
        title: 'one of them says none: the weights are equal',
        needs: 'announcesExtended',
        body: async (s) => {
          await theySay(s, GIGABIT, undefined);
          await sharedHere(s, 1, 1);
        },
      },
      {
        title: 'they say 2 and 1 Gbit/s: the weights follow',
        needs: 'announcesExtended',
        body: async (s) => {
          await theySay(s, 2 * GIGABIT, GIGABIT);
          await sharedHere(s, 2, 1);
        },
      },
      {
        title: 'linkBandwidth Ignore for one of them: the weights are equal',
        needs: 'announcesExtended',
        body: async (s) => {
          s.edit({ spec: { ...FILTERS, linkBandwidth: 'Ignore' } });
          await sharedHere(s, 1, 1);
          s.edit({ spec: FILTERS });
          await sharedHere(s, 2, 1);
        },
      },
      {
        title: 'one of them says 0: the weights are equal',
        needs: 'zeroBandwidth',
        body: async (s) => {
          await theySay(s, 0, GIGABIT);
          await sharedHere(s, 1, 1);
        },
      },
      {
        title: 'setLinkBandwidth on what we originate is seen there',
        body: async (s) => {
          await s.established();
          await s.podroute.announce(
            FAMILIES.map((family) => ({ prefix: ORIGINATED[family], nextHop: OWN[family] })),
          );
          await bandwidthsThere(s.daemon, ORIGINATED, [there(OWN_AS, 5 * GIGABIT)]);
          return seen();
        },
      },
      {
        title:
          type === 'ebgp'
            ? 'what a neighbour says for its AS alone goes there only with linkBandwidth Send'
            : 'what a neighbour says for its AS alone goes there as it is',
        body: async (s) => {
          say(s, 0, PASSED, GIGABIT);
          if (type === 'ebgp') {
            await bandwidthsThere(s.daemon, PASSED, []);
            s.edit({ spec: { ...FILTERS, linkBandwidth: 'Send' } });
          }
          await bandwidthsThere(s.daemon, PASSED, [there(SOURCE_AS, GIGABIT)]);
          return seen();
        },
      },
      {
        title: 'linkBandwidth Sum: of two paths that are used together it gets the sum',
        body: async (s) => {
          s.edit({ spec: { ...FILTERS, linkBandwidth: 'Sum' } });
          say(s, 0, SUMMED, GIGABIT);
          say(s, 1, SUMMED, 2 * GIGABIT);
          await bandwidthsThere(s.daemon, SUMMED, [there(OWN_AS, 3 * GIGABIT, true)]);
          return seen();
        },
      },
      ...(type === 'ebgp'
        ? [
            {
              title: 'another neighbour says 1 Gbit/s to it: its kernel has weights of 3 to 1',
              needs: 'weighedPaths' as const,
              body: async (s: Stage) => {
                s.scripted.theirs[0]?.send(
                  ...announcement('theirs', 0, SUMMED, {
                    path: [OTHER_AS, SOURCE_AS],
                    extendedCommunities: [community(OTHER_AS, GIGABIT)],
                  }),
                );
                for (const family of FAMILIES) {
                  const other = scriptedAt('theirs', 0)[family];
                  await shared(s.theirHost, family, SUMMED[family], { [OWN[family]]: 3, [other]: 1 });
                }
              },
            },
          ]
        : []),
    ],
  };
}

function rules(family: Family): object[] {
  const operations = [{ setLinkBandwidth: { value: 5 * GIGABIT } }];
  return [{ cidr: ORIGINATED[family], matchOperator: 'Equal', action: 'Accept', operations }];
}

/** The daemon and its twin announce the prefix with so many octets a second. */
async function theySay(s: Stage, first: number | undefined, second: number | undefined): Promise<void> {
  const of = (nextHops: Readonly<Record<Family, string>>, octets: number | undefined) =>
    FAMILIES.map((family) => ({
      ...{ prefix: SHARED[family], nextHop: nextHops[family] },
      ...(octets === undefined ? {} : { linkBandwidth: octets }),
    }));
  await s.daemon.announce(of(THEIRS, first));
  await s.twin?.announce(of(TWIN, second));
}

const TWIN = { ipv4: INJECTOR.theirs, ipv6: INJECTOR.theirs6 } as const;

async function sharedHere(s: Stage, first: number, second: number): Promise<void> {
  for (const family of FAMILIES) {
    const expected = { [THEIRS[family]]: first, [TWIN[family]]: second };
    await shared(s.ourHost, family, SHARED[family], expected);
  }
}

/** The kernel's route has these gateways, with weights in these proportions. */
async function shared(
  host: Host,
  family: Family,
  prefix: string,
  expected: Readonly<Record<string, number>>,
): Promise<void> {
  const read = async () => {
    const option = family === 'ipv4' ? '-4' : '-6';
    const [route] = JSON.parse(host.ip('-j', option, 'route', 'show', prefix)) as KernelRoute[];
    const hops = route?.nexthops ?? [];
    const least = Math.min(...hops.map(({ weight }) => weight));
    return Object.fromEntries(hops.map(({ gateway, weight }) => [gateway, weight / least]));
  };
  assert.deepEqual(await eventually(read, (now) => isDeepStrictEqual(now, expected), 10_000), expected);
}

interface KernelRoute {
  readonly nexthops?: readonly { readonly gateway: string; readonly weight: number }[];
}

/** Scripted neighbour `index` of ours says it in the form that is for its AS alone. */
function say(s: Stage, index: number, prefixes: typeof PASSED, octets: number): void {
  const extendedCommunities = [community(SOURCE_AS, octets)];
  s.scripted.ours[index]?.send(
    ...announcement('ours', index, prefixes, { path: [SOURCE_AS], extendedCommunities }),
  );
}

function community(asNumber: number, octets: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16BE(0x4004);
  bytes.writeUInt16BE(asNumber, 2);
  bytes.writeFloatBE(octets, 4);
  return bytes.toString('hex');
}

async function bandwidthsThere(
  daemon: Daemon,
  prefixes: typeof PASSED,
  expected: readonly string[],
): Promise<void> {
  for (const family of FAMILIES) {
    const read = async () => {
      const all = await daemon.routes(family);
      return all.find((route) => route.prefix === prefixes[family])?.extendedCommunities;
    };
    const found = await eventually(read, (now) => isDeepStrictEqual(now, expected), 10_000);
    assert.deepEqual(found, expected, `${daemon.name}, ${prefixes[family]}`);
  }
}
