// What an operator sees of a running node: its commands, its log and its metrics, while a real router goes away
// and comes back.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as bodyOf } from 'node:stream/consumers';
import type { RouteStatus, SessionStatus } from '#agent-api';
import { waitUntil } from '#world';
import { Lab } from './lab.ts';

const SESSION = 'tor-n1-ipv4';

describe('what happened to a session is visible', function () {
  this.timeout(60_000);
  let lab: Lab;
  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'podroute-test-'));
    rmSync(folder, { recursive: true });
    lab = await Lab.up({ topology: 'tor', folder, name: `pr-see-${process.pid}`, keep: false });
    for (const node of lab.nodes) await lab.addPod(node.name, `pod-${node.name}`);
    await lab.settled();
    await waitUntil('the session', 10_000, () => session().state === 'Established');
  });
  after(() => lab?.down());

  const session = (): SessionStatus =>
    JSON.parse(lab.podroute('n1', 'status', SESSION, '-o', 'json')) as SessionStatus;
  /** Commands that change something, which lab.birdc() may not. */
  const bird = (...command: string[]): string =>
    lab.host('tor').run(['birdc', '-s', join(lab.folder, 'tor', 'bird.ctl'), ...command]);
  const routes = (...args: string[]): RouteStatus[] =>
    JSON.parse(lab.podroute('n1', 'routes', ...args, '-o', 'json')) as RouteStatus[];

  it('in status: what both sides offered and use, timers, messages and true counts', () => {
    const { capabilities, offered, timers, messages, prefixes } = session();
    assert.ok(capabilities.includes('multiprotocol ipv4 unicast'));
    assert.ok(offered.local.includes('extended messages') && !capabilities.includes('extended messages'));
    assert.ok(offered.remote.includes('four-octet AS 65000'));
    assert.deepEqual(
      [timers.configured.hold, timers.offeredHold.remote, timers.negotiated?.hold],
      [90, 240, 90],
    );
    assert.ok(timers.left.hold! > 0 && timers.left.hold! <= 90);
    assert.deepEqual([messages.in.open, messages.out.open, messages.in.notification], [1, 1, 0]);
    const { received, accepted, advertised } = prefixes;
    assert.deepEqual([received.ipv4, accepted.ipv4, advertised.ipv4], [2, 2, 1]);
    assert.equal(routes('--received', SESSION).length, received.ipv4);
    assert.equal(routes('--advertised', SESSION).length, advertised.ipv4);
    const text = lab.podroute('n1', 'status', SESSION);
    for (const words of [
      /^capabilities +agreed /m,
      /^timers +ours: hold 90 s/m,
      /theirs: hold 240 s/,
      /^messages +in +UPDATE \d/m,
    ]) {
      assert.match(text, words);
    }
  });

  it('in routes: what is sent as it leaves, the longest match, and why something is not sent', () => {
    const [own] = routes('--advertised', SESSION);
    assert.deepEqual(
      [own?.asPath, own?.nextHops[0], own?.localPref],
      ['65001', session().localAddress, undefined],
    );
    const [learned] = routes('--received', SESSION);
    const address = learned!.prefix.split('/')[0]!;
    const why = lab.podroute('n1', 'routes', address, '--why');
    assert.match(why, new RegExp(`not sent to ${SESSION}: split horizon`));
    const refused = lab.podroute('n1', 'routes', learned!.prefix, '--advertised', SESSION);
    assert.match(refused, /^no routes\n.*is not sent to tor-n1-ipv4: split horizon/);
  });

  it('when a filter changes: the router has what it sets, each rule says what it did, and the session stays', async () => {
    const { since } = session();
    const file = readdirSync(lab.store)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => join(lab.store, name))
      .find((name) => readFileSync(name, 'utf8').includes(`name: ${SESSION} `))!;
    const before = readFileSync(file, 'utf8');
    const filtered = before.replace('peerIP: 10.0.1.0, asNumber: 65000', '$&, filters: [rack]');
    assert.notEqual(filtered, before);
    const communities = ['65001:7', '65001:1:2', 'rt:65001:9', '65001:8'].map(
      (value) => `{ addCommunity: { value: "${value}" } }`,
    );
    const filter = `---
apiVersion: podroute.io/v1
kind: BGPFilter
metadata: { name: rack }
spec:
  communitySets: [ { name: mistakes, values: ["65001:8"] } ]
  importV4: [ { asPath: { regex: "^65000 65003$" }, action: Next, operations: [ { setLocalPref: { value: 250 } } ] } ]
  exportV4:
    - action: Next
      operations: [ ${communities.join(', ')}, { setMED: { value: 77 } } ]
    - { action: Next, operations: [ { deleteCommunities: { values: ["set:mistakes"] } } ] }
`;
    writeFileSync(file, filtered + filter);
    const [own] = routes('--advertised', SESSION);
    const preferred = () => routes().find(({ localPref }) => localPref === 250);
    await waitUntil('the filter', 10_000, () => preferred() !== undefined);
    const { asPath, prefix } = preferred()!;
    assert.equal(asPath, '65000 65003');
    await waitUntil('the router', 10_000, () => atRouter().includes('BGP.med: 77'));
    const seen = atRouter();
    for (const line of [
      'BGP.community: (65001,7)',
      'BGP.large_community: (65001, 1, 2)',
      'BGP.ext_community: (rt, 65001, 9)',
    ])
      assert.ok(
        seen.split('\n').some((text) => text.trim() === line),
        `${line} in ${seen}`,
      );
    const why = lab.podroute('n1', 'routes', prefix, '--why');
    assert.match(
      why,
      /import from tor-n1-ipv4: BGPFilter rack, importV4 rule 1: goes on, sets LOCAL_PREF 250/,
    );
    assert.match(why, /import from tor-n1-ipv4: import: Cluster \(pools\): accepted/);
    const whyOwn = lab.podroute('n1', 'routes', own!.prefix, '--why');
    assert.match(
      whyOwn,
      /export to tor-n1-ipv4: BGPFilter rack, exportV4 rule 2: goes on, takes away 65001:8/,
    );
    writeFileSync(file, before);
    await waitUntil('the filter to be gone', 10_000, () => !atRouter().includes('BGP.med: 77'));
    assert.deepEqual([session().since, session().flaps], [since, 0]);

    function atRouter(): string {
      return lab.router('tor').ask('show', 'route', own!.prefix, 'all');
    }
  });

  it('when the router says goodbye: why, what next, and one line in the log for each transition', async () => {
    bird('disable', 'n1_ipv4', '"rack 7 is rewired"');
    await waitUntil('the session to go', 5000, () => session().state !== 'Established');
    const down = session();
    assert.equal(down.flaps, 1);
    assert.equal(down.notifications.lastIn?.message, 'rack 7 is rewired');
    assert.deepEqual([down.notifications.lastIn?.code, down.notifications.lastIn?.subcode], [6, 2]);
    assert.match(down.whyDown!.why, /administrative shutdown: "rack 7 is rewired"/);
    assert.match(down.whyDown!.next, /ask who runs it/);
    assert.match(lab.podroute('n1', 'status'), /tor-n1-ipv4 .*rack 7 is rewired/);
    bird('enable', 'n1_ipv4');
    await waitUntil('the session to return', 20_000, () => session().state === 'Established');
    const { history } = session();
    const logged = readFileSync(lab.logOf('n1'), 'utf8')
      .split('\n')
      .filter((line) => line.includes(`"peer":"${SESSION}"`) && line.includes('"from":'))
      .map((line) => JSON.parse(line) as { from: string; to: string; reason: string })
      .map(({ from, to, reason }) => `${from} -> ${to}: ${reason}`);
    assert.deepEqual(
      logged,
      history.map(({ from, to, reason }) => `${from} -> ${to}: ${reason}`),
    );
    assert.ok(
      history.some(({ from, reason }) => from === 'Established' && reason.includes('rack 7 is rewired')),
    );
  });

  it('in metrics', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      get({ socketPath: lab.socketOf('n1'), path: '/metrics' }, (answer) => resolve(bodyOf(answer))).on(
        'error',
        reject,
      );
    });
    for (const line of [
      `podroute_bgp_session_up{session="${SESSION}"} 1`,
      `podroute_bgp_session_flaps_total{session="${SESSION}"} 1`,
      `podroute_bgp_session_notifications_total{session="${SESSION}",direction="in",code="cease"} 1`,
      `podroute_bgp_session_prefixes_advertised{session="${SESSION}",family="ipv4"} 1`,
    ]) {
      assert.ok(text.split('\n').includes(line), line);
    }
  });

  it('and obeys: disabled until it is enabled, the router is told why; refreshed without a loss; reset', async () => {
    const say = (...words: string[]) => lab.podroute('n1', 'session', SESSION, ...words);
    assert.match(say('disable', '--message', 'new fan'), /goes down and stays so/);
    await waitUntil('the session to go', 5000, () => session().state !== 'Established');
    assert.match(session().whyDown!.why, /shut down by an operator: new fan/);
    assert.match(session().whyDown!.next, /podroute session .* enable/);
    assert.match(
      lab.router('tor').ask('show', 'protocols', 'all', 'n1_ipv4'),
      /administrative shutdown|new fan/i,
    );
    say('enable');
    await waitUntil('the session to return', 20_000, () => session().state === 'Established');
    const { since, messages } = session();
    say('refresh', 'out');
    await waitUntil(
      'routes to go out again',
      5000,
      () => session().messages.out.update > messages.out.update,
    );
    say('refresh', 'in');
    assert.equal(session().since, since);
    say('reset');
    await waitUntil('a new session', 20_000, () => {
      const now = session();
      return now.state === 'Established' && now.since !== since;
    });
  });
});
