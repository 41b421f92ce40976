import assert from 'node:assert/strict';
import type { SessionStatus, StatusReply } from '#agent-api';
import { clusterTable } from '../cluster-table.ts';
import { sessionDetails } from '../session-details.ts';
import { statusTable } from '../status-table.ts';
import { sessionAnswer } from '../testing/answers.ts';
import { sessionNamed } from './status.ts';

describe('podroute status SESSION', () => {
  const reply = {
    sessions: [{ id: 'tor-a', remote: '10.0.0.1' }],
    waiting: [{ id: 'tor-b', from: 'BGPPeer tor-b', device: 'eth1', why: 'link eth1 is down' }],
  } as unknown as StatusReply;
  it('finds it by its id and by its address', () => {
    for (const name of ['tor-a', '10.0.0.1']) assert.equal(sessionNamed(reply, name).id, 'tor-a');
  });
  it('says why one has no neighbour yet', () => {
    assert.throws(() => sessionNamed(reply, 'tor-b'), {
      ...{ message: 'status: session tor-b has no neighbour yet: link eth1 is down', exitCode: 1 },
    });
  });
  it('names those that there are', () => {
    const message = 'status: no session tor on this node; there are: tor-a, tor-b';
    assert.throws(() => sessionNamed(reply, 'tor'), { message, exitCode: 2 });
  });
});

describe('podroute status shows', () => {
  const status = {
    ...{
      node: 'n1',
      version: '0',
      plan: { generation: 1 },
      uptimeSeconds: 1,
      sessions: [],
      ranges: [],
      problems: [],
    },
    waiting: [{ id: 'tor', from: 'BGPPeer tor', device: 'eth1', why: 'link eth1 is down' }],
    rib: { prefixes: { ipv4: 0, ipv6: 0 }, paths: 0 },
    ipam: {
      ...{
        addressesInUse: { ipv4: 0, ipv6: 0 },
        addressesFree: { ipv4: 0, ipv6: 0 },
        blocks: { ipv4: 0, ipv6: 0 },
      },
    },
  } as unknown as StatusReply;

  it('a session whose neighbour is not found yet as waiting, with the link and the reason', () => {
    const row = statusTable(status)
      .split('\n')
      .find((line) => line.startsWith('tor'));
    assert.match(row ?? '', /^tor +%eth1 +- +Waiting .* link eth1 is down$/);
  });

  it('that the node is leaving, in its first line', () => {
    const [first] = statusTable({ ...status, isLeaving: true }).split('\n');
    assert.match(first ?? '', /leaving \(podroute[.]io\/GracefulShutdown\)/);
    assert.doesNotMatch(statusTable(status), /leaving/);
  });

  it('whose routes are waited for after a restart, and how long', () => {
    const waitsFor = ['tor-a', 'mesh/n2/ipv4'];
    const deferred = [{ family: 'ipv4' as const, waitsFor, neighbours: 7, secondsLeft: 97 }];
    const line = 'restarted: IPv4 waits for the routes of tor-a, mesh/n2/ipv4 and 5 more, 97 s at most';
    assert.ok(statusTable({ ...status, deferred }).includes(line));
    assert.ok(!statusTable(status).includes('restarted'));
  });

  it('whose addresses have leaked, when there are any', () => {
    const leak = { address: '10.0.0.5 and fd00::5', pod: 'default/web', since: '2026-01-01T00:00:00.000Z' };
    const text = statusTable({ ...status, leaks: { count: 3, first: [leak], collected: 0 } });
    assert.match(text, /^LEAKS +3 Pods are gone, and have addresses:$/m);
    assert.match(text, /^ +10\.0\.0\.5 and fd00::5 of default\/web, gone since 2026-01-01T00:00:00\.000Z$/m);
    assert.match(text, /^ +and 2 more$/m);
    const one = statusTable({ ...status, leaks: { count: 1, first: [leak], collected: 0 } });
    assert.match(one, /^LEAKS +1 Pod is gone, and has addresses:$/m);
    for (const none of [status, { ...status, leaks: { count: 0, first: [], collected: 4 } }]) {
      assert.ok(!statusTable(none).includes('LEAKS'));
    }
  });

  it('what was changed and waits for the next session, with both values in the details of one', () => {
    const waits = sessionAnswer({
      pending: [
        { field: 'holdTime', inUse: 90, next: 30 },
        { field: 'keepaliveTime', next: 5 },
      ],
    });
    const text = statusTable({ ...status, sessions: [waits, sessionAnswer({ id: 'tor-b' })] });
    assert.match(text, /^WAIT FOR THE NEXT SESSION\n  tor-a: holdTime, keepaliveTime$/m);
    assert.ok(!/^  tor-b: /m.test(text));
    const details = sessionDetails(waits);
    assert.match(
      details,
      /^waits +holdTime: 90 in use, 30 configured; with the next session, or after podroute session tor-a reset$/m,
    );
    assert.match(details, /^ +keepaliveTime: none in use, 5 configured$/m);
  });

  describe('of BFD', () => {
    const since = '2026-01-01T00:00:00.000Z';
    const up = { profile: 'defaults', state: 'Up', since, transmitMicros: 300_000, downs: 0 } as const;
    const columnsOf = (...sessions: SessionStatus[]) =>
      statusTable({ ...status, sessions })
        .split('\n')
        .filter((line) => /^(SESSION|tor)/.test(line))
        .map((line) => line.split(/ +/).slice(0, 7).join(' '));

    it('a column, when there is any', () => {
      const without = sessionAnswer({ id: 'tor-b' });
      const down = sessionAnswer({ id: 'tor-c', bfd: { ...up, state: 'Down' } });
      assert.deepEqual(columnsOf(sessionAnswer({ bfd: up }), down), [
        'SESSION REMOTE AS STATE SINCE BFD RECEIVED',
        'tor-a 10.0.0.9 65000 Established 60 s Up',
        'tor-c 10.0.0.9 65000 Established 60 s Down',
        'tor %eth1 - Waiting - - -',
      ]);
      assert.equal(
        columnsOf(sessionAnswer({ bfd: up }), without)[2],
        'tor-b 10.0.0.9 65000 Established 60 s -',
      );
      assert.ok(!columnsOf(without)[0]!.includes('BFD'));
      assert.doesNotMatch(sessionDetails(without), /BFD/);
    });

    it('packets that belong to no session, and where they went', () => {
      const bfdUnclaimed = {
        packets: 7,
        lastReason: 'from 10.0.0.8 to 10.0.0.1, between which there is no session',
      };
      assert.match(
        statusTable({ ...status, bfdUnclaimed }),
        /^BFD    7 packets belonged to no session, the newest: from 10\.0\.0\.8 to 10\.0\.0\.1, between/m,
      );
    });

    it('what was agreed, and what both sides say of why it was lost', () => {
      const bfd = {
        ...({
          ...up,
          profile: 'BFDProfile fast',
          state: 'Down',
          downs: 1,
          detectionMicros: 150_000,
        } as const),
        ...({
          isRequired: true,
          transmitMicros: 50_000,
          refused: 7,
          lastRefusal: 'TTL 254, wanted 255 at least',
        } as const),
        remoteDiagnostic: 'control detection time expired',
        problem: 'bind UDP 10.0.0.1: no such address',
      };
      const details = sessionDetails(sessionAnswer({ bfd }));
      const lines = details.slice(details.indexOf('BFD')).split('\n').slice(0, 5);
      assert.deepEqual(
        lines.map((line) => line.replace(/ +/g, ' ')),
        [
          `BFD Down since ${since} (BFDProfile fast, required); lost 1 time`,
          ' 10.0.0.9 says: control detection time expired',
          ' a packet each 50 ms, lost after 150 ms of silence',
          'BFD refused 7, the newest: TTL 254, wanted 255 at least',
          'BFD problem bind UDP 10.0.0.1: no such address',
        ],
      );
      const both = { ...bfd, diagnostic: 'neighbor signaled session down' };
      assert.match(
        sessionDetails(sessionAnswer({ bfd: both })),
        /^ +neighbor signaled session down; 10\.0\.0\.9 says: control detection time expired$/m,
      );
    });
  });

  it('how many routes were refused, by reason', () => {
    const { prefixes } = sessionAnswer({});
    const of = (ipv4: number) => ({ ipv4, ipv6: 0 });
    const refused = {
      filtered: of(3),
      dropped: of(1),
      ineligible: of(9),
      ownAsLoops: of(4),
      unfitHops: of(3),
    };
    const details = sessionDetails(
      sessionAnswer({ prefixes: { ...prefixes, received: of(12), ...refused } }),
    );
    assert.match(
      details,
      /accepted 0, 2 filtered, 1 dropped over the limit, 4 with our own AS \(loop\), 3 with a next hop that is this node or on no link of it, 2 not allowed by another rule; sent 0$/m,
    );
  });

  it('an advertisement interval, and how many changes wait for it', () => {
    const session = sessionAnswer({});
    const { timers, prefixes } = session;
    const configured = { ...timers.configured, advertisementInterval: 30 };
    const slow = {
      ...session,
      timers: { ...timers, configured },
      prefixes: { ...prefixes, owed: { ipv4: 5, ipv6: 0 }, heldBack: { ipv4: 3, ipv6: 0 } },
    };
    assert.match(sessionDetails(slow), /^timers +ours: .*, connect retry 5 s, advertisement interval 30 s/m);
    assert.match(
      sessionDetails(slow),
      /sent 0 \(5 changes not sent yet, 3 wait for the advertisement interval\)$/m,
    );
    assert.ok(!sessionDetails(session).includes('advertisement interval'));
  });

  it('routes that are kept for a neighbour that is away', () => {
    const kept = [
      { family: 'ipv4', state: 'away', routes: 12, secondsLeft: 85 },
      { family: 'ipv6', state: 'long-lived', routes: 3, secondsLeft: 600 },
    ] as const;
    const details = sessionDetails(sessionAnswer({ kept }));
    assert.match(details, /^kept +IPv4 12 of its session before, until it is back; 85 s left$/m);
    assert.match(details, /^ +IPv6 3 of its session before, as the last choice, .*; 600 s left$/m);
  });

  it('of a cluster on which nodes addresses have leaked, when there are any', () => {
    const node = {
      agent: 'reports',
      isReady: true,
      isNode: true,
      established: 1,
      wanted: 1,
      blocks: 1,
    } as const;
    const row = { ...node, addressesInUse: 1, problems: 0, wrong: [] };
    const nodes = [
      { ...row, node: 'n1', leaked: 2 },
      { ...row, node: 'n2' },
      { ...row, node: 'n3', leaked: 1 },
    ];
    assert.match(clusterTable({ nodes }), /^3 Pods are gone and still have addresses: n1 2, n3 1$/m);
    assert.match(clusterTable({ nodes: nodes.slice(1) }), /^1 Pod is gone and still has addresses: n3 1$/m);
    assert.ok(!clusterTable({ nodes: [{ ...row, node: 'n1' }] }).includes('gone'));
  });
});
