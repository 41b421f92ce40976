import assert from 'node:assert/strict';
import type { NotificationRecord, PeerConfig, PeerStatus } from '#bgp';
import { whyDown } from './advice.ts';

const COUNTS = { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0, bytes: 0 };

const DOWN: PeerStatus = {
  id: 'tor',
  remote: '10.0.1.0',
  state: 'Active',
  sinceMs: 0,
  uptimeSeconds: 0,
  isPassive: false,
  flaps: 0,
  collisions: 0,
  counters: { in: COUNTS, out: COUNTS },
  notifications: { in: {}, out: {} },
  capabilities: { local: [], remote: [], agreed: [] },
  offeredHoldSeconds: {},
  timers: {},
  connectAttempts: 1,
  queuedBytes: 0,
  connections: 0,
  history: [],
};
const notification = (code: number, subcode: number, text: string): NotificationRecord => ({
  atMs: 1000,
  code,
  subcode,
  text,
  dataBytes: 0,
  dataHex: '',
});
const error = (text: string, atMs = 1000) => ({ lastError: { atMs, text } });
const advice = (peer: Partial<PeerStatus>) =>
  whyDown({ ...DOWN, ...peer }, { config: undefined, from: 'BGPPeer tor', ownAs: 64512 });

describe('why a session is down, and what to do', () => {
  it('says nothing of a session that is up', () => assert.equal(advice({ state: 'Established' }), undefined));

  for (const [what, peer, why, next] of [
    [
      'nobody listens',
      error('connect to 10.0.1.0 port 179: ECONNREFUSED'),
      /ECONNREFUSED/,
      /is BGP on there/,
    ],
    ['no answer', error('connect to 10.0.1.0 port 179: ETIMEDOUT'), /ETIMEDOUT/, /firewall on TCP/],
    ['no route', error('connect to 10.0.1.0 port 179: EHOSTUNREACH'), /EHOSTUNREACH/, /ip route get/],
    ['link down', error('the link went down (eth0)'), /link/, /ip link show/],
    [
      'the neighbour says our AS is wrong',
      {
        ...error('NOTIFICATION received: OPEN message error: bad peer AS'),
        lastNotificationIn: notification(2, 2, ''),
      },
      /bad peer AS/,
      /expects another AS than 64512/,
    ],
    [
      'its AS is wrong',
      {
        ...error('the neighbour is in AS 65000, expected AS 65009'),
        lastNotificationOut: notification(2, 2, ''),
        lastNotificationIn: { ...notification(6, 2, ''), atMs: 5 },
      },
      /expected AS 65009/,
      /compare asNumber of BGPPeer tor/,
    ],
    [
      'hold timer, ours',
      {
        lastLost: { atMs: 1000, reason: 'hold timer expired: nothing heard', establishedSeconds: 9 },
        lastNotificationOut: notification(4, 0, ''),
      },
      /hold timer/,
      /loss on the link/,
    ],
    [
      'over its limit',
      { heldDown: 'ipv4: 11 prefixes, the limit is 10; until reset' },
      /limit is 10/,
      /maxPrefixes of BGPPeer tor/,
    ],
    [
      'without its password',
      { heldDown: 'shut down by configuration: its password is not to be had' },
      /password/,
      /Secret/,
    ],
    ['passive and never seen', { isPassive: true }, /has not connected/, /make 10.0.1.0 connect/],
  ] as const) {
    it(what, () => {
      const found = advice(peer);
      assert.match(found!.why, why);
      assert.match(found!.next, next);
      assert.ok(!found!.why.includes('\n'));
    });
  }

  it('keeps the cause in sight when the tries after it fail in another way', () => {
    const found = advice({
      ...error('NOTIFICATION received: cease: administrative shutdown: "rewiring"'),
      lastNotificationIn: { ...notification(6, 2, ''), message: 'rewiring' },
      history: [{ from: 'OpenSent', to: 'Active', reason: 'read ECONNRESET', atMs: 9000 }],
    });
    assert.equal(
      found!.why,
      'NOTIFICATION received: cease: administrative shutdown: "rewiring"; the newest try: read ECONNRESET',
    );
    assert.match(found!.next, /ask who runs it/);
  });

  it('names the rules that drop packets silently, when they are on', () => {
    const config = { md5Key: 'k', ttl: { kind: 'gtsm', hops: 1 } } as PeerConfig;
    const context = { config, from: 'BGPPeer tor', ownAs: 64512 };
    const unanswered = whyDown({ ...DOWN, ...error('connect to 10.0.1.0 port 179: no answer') }, context);
    assert.match(unanswered!.next, /password \(MD5\).*TTL below 255.*look like this too/);
    const silent = whyDown({ ...DOWN, state: 'OpenSent', sinceMs: 2000 }, context);
    assert.match(silent!.why, /taken the connection, and nothing of BGP/);
    assert.match(silent!.next, /TTL below 255/);
    const plain = { ...context, config: { ttl: { kind: 'direct' } } as PeerConfig };
    assert.match(whyDown({ ...DOWN, ...error('read ECONNRESET') }, plain)!.next, /GTSM demanded there/);
    assert.doesNotMatch(whyDown({ ...DOWN, ...error('connect: ECONNREFUSED') }, plain)!.next, /GTSM/);
    const unheard = {
      ...DOWN,
      ...error('NOTIFICATION received'),
      lastNotificationIn: notification(4, 0, ''),
    };
    assert.match(whyDown(unheard, plain)!.next, /heard nothing from this node.*GTSM demanded there/);
  });

  it('looks at the newest try when the cause says nothing to do', () => {
    const found = advice({
      lastLost: { atMs: 1000, reason: 'remoteAs changed from 65000 to 65009', establishedSeconds: 9 },
      history: [
        { from: 'OpenSent', to: 'Active', reason: 'the neighbour closed the connection', atMs: 9000 },
      ],
    });
    assert.match(found!.next, /takes the connection and ends it/);
  });
});
