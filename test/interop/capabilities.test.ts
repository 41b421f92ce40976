// What two speakers may agree on beyond the basics: one IPv6 session for both families with IPv6 next hops for IPv4
// (RFC 8950), and 4-octet AS numbers across a neighbour that knows only two octets (RFC 6793).
import assert from 'node:assert/strict';
import type { Family } from '#ip';
import type { Daemon, DaemonKind, Route } from './daemons/daemon.ts';
import { DAEMONS } from './daemons/index.ts';
import {
  EXTERNAL_AS,
  eventually,
  INJECTOR,
  INJECTOR_AS,
  OWN,
  OWN_AS,
  Stage,
  THEIRS,
} from './testing/fixture.ts';
import { Matrix } from './testing/matrix.ts';
import { attribute, hex, IPV4_UNICAST, IPV6_UNICAST, prefix, update } from '../testing/messages.ts';
import { describeTracks, type Track } from './testing/scenarios.ts';

const matrix = new Matrix('scenario');
const OLD_SPEAKER = [IPV4_UNICAST, IPV6_UNICAST];

describe('interop: capabilities', function () {
  this.timeout(100_000);
  after(() => matrix.publish('interop:capabilities', '### Capabilities'));
  describeTracks(DAEMONS.map(track), matrix);
});

function track(kind: DaemonKind): Track<Stage> {
  const extendedNextHop = kind.lacks.extendedNextHop === undefined;
  return {
    kind,
    name: 'IPv6 session',
    set: () =>
      Stage.set(kind, {
        ...{ type: 'ebgp', overIpv6: true, both: { extendedNextHop } },
        ...{ withInjector: true, injectorCapabilities: OLD_SPEAKER },
      }),
    scenarios: [
      { title: 'it comes up, and carries IPv6 routes both ways', body: ipv6Routes },
      {
        title: 'both sides agree on IPv6 next hops for IPv4',
        needs: 'extendedNextHop',
        body: async (s) => {
          for (const [who, views] of [
            ['podroute', await s.podroute.sessions()],
            [kind.name, await s.daemon.sessions()],
          ] as const) {
            const agreed = views.find((v) => v.remoteAddress.includes(':'))?.capabilities ?? [];
            assert.ok(agreed.includes('extended-next-hop'), `${who}: ${agreed.join(', ')}`);
          }
        },
      },
      {
        title: 'its IPv4 routes come with an IPv6 next hop, and are in our kernel with it',
        needs: 'extendedNextHop',
        body: async (s) => {
          await s.daemon.announce([{ prefix: '192.0.2.0/24', nextHop: THEIRS.ipv6 }]);
          assert.equal((await routeAt(s.podroute, 'ipv4', '192.0.2.0/24'))?.nextHop, THEIRS.ipv6);
          const kernel = await eventually(
            async () => s.ourHost.ip('route', 'show', '192.0.2.0/24'),
            (text) => text !== '',
          );
          assert.match(kernel, new RegExp(`via inet6 ${THEIRS.ipv6} dev eth0`));
        },
      },
      {
        title: 'our IPv4 routes arrive there with an IPv6 next hop',
        needs: 'extendedNextHop',
        body: async (s) => {
          await s.podroute.announce([{ prefix: '10.50.0.0/26', nextHop: OWN.ipv6 }]);
          assert.equal((await routeAt(s.daemon, 'ipv4', '10.50.0.0/26'))?.nextHop, OWN.ipv6);
        },
      },
      { title: 'a path that came with AS_TRANS and AS4_PATH arrives whole', body: pathFromOldSpeaker },
      { title: 'its path goes to a speaker of two octets as AS_TRANS and AS4_PATH', body: pathToOldSpeaker },
    ],
  };
}

async function ipv6Routes(s: Stage): Promise<void> {
  await s.established();
  await s.daemon.announce([{ prefix: '2001:db8:2::/48', nextHop: THEIRS.ipv6 }]);
  const route = await routeAt(s.podroute, 'ipv6', '2001:db8:2::/48');
  assert.deepEqual([route?.nextHop, route?.asPath], [THEIRS.ipv6, String(EXTERNAL_AS)]);
  await s.podroute.announce([{ prefix: 'fd50::/122', nextHop: OWN.ipv6 }]);
  const there = await routeAt(s.daemon, 'ipv6', 'fd50::/122');
  assert.deepEqual([there?.nextHop, there?.asPath], [OWN.ipv6, String(OWN_AS)]);
}

async function pathFromOldSpeaker(s: Stage): Promise<void> {
  const reach = Buffer.concat([
    hex('0002 01 10 fd020000000000000000000000000002 00'),
    prefix('2001:db8:78::/48'),
  ]);
  assert.equal(INJECTOR.theirs6, 'fd02::2');
  const origin = attribute(0x40, 1, hex('00'));
  const twoOctets = attribute(0x40, 2, hex('02 02 fdf2 5ba0'));
  const fourOctets = attribute(0xc0, 17, hex('02 02 0000fdf2 fa56ea03'));
  s.injector?.send(
    update({ attributes: Buffer.concat([attribute(0x80, 14, reach), origin, twoOctets, fourOctets]) }),
  );
  const route = await routeAt(s.daemon, 'ipv6', '2001:db8:78::/48');
  assert.equal(route?.asPath, `${OWN_AS} ${INJECTOR_AS} 4200000003`);
}

async function pathToOldSpeaker(s: Stage): Promise<void> {
  const wanted = prefix('2001:db8:2::/48');
  const find = () => s.injector?.received.find((m) => m.type === 2 && m.body.includes(wanted))?.body;
  const body = await eventually(
    async () => find(),
    (found) => found !== undefined,
  );
  assert.ok(body !== undefined, 'the route did not reach the old speaker');
  assert.ok(body.includes(hex('40 02 06 02 02 5ba0 5ba0')), `AS_PATH in ${body.toString('hex')}`);
  assert.ok(body.includes(hex('c0 11 0a 02 02 fa56ea00 fa56ea01')), `AS4_PATH in ${body.toString('hex')}`);
}

function routeAt(daemon: Daemon, family: Family, wanted: string): Promise<Route | undefined> {
  return eventually(
    async () => (await daemon.routes(family)).find((r) => r.prefix === wanted),
    (route) => route !== undefined,
  );
}
