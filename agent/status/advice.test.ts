import assert from 'node:assert/strict';
import {
  CAUSES,
  causeText,
  type CauseKind,
  type DownCause,
  type PeerConfig,
  type PeerStatus,
  type SocketProblem,
} from '#bgp';
import { adviceOn, whyDown } from './advice.ts';

const COUNTS = { open: 0, update: 0, notification: 0, keepalive: 0, routeRefresh: 0, bytes: 0 };

const DOWN: PeerStatus = {
  id: 'tor',
  remote: '10.0.1.0',
  state: 'Active',
  sinceMs: 0,
  sinceMonotonicMs: 0,
  sinceSeconds: 0,
  isPassive: false,
  pending: [],
  flaps: 0,
  losses: {},
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
const error = (cause: DownCause, atMs = 1000) => ({
  lastError: { atMs, monotonicMs: atMs, cause, text: causeText(cause) },
});
const lost = (cause: DownCause) => ({
  lastLost: { atMs: 1000, monotonicMs: 1000, cause, reason: causeText(cause), establishedSeconds: 9 },
});
const dial = (problem: SocketProblem, errno: string): DownCause => ({
  kind: 'dial failed',
  problem,
  text: `connect to 10.0.1.0 port 179: ${errno}`,
});
const received = (code: number, subcode: number, text: string, message?: string): DownCause => ({
  kind: 'notification received',
  ...{ code, subcode, text },
  ...(message === undefined ? {} : { message }),
});
const RESET: DownCause = { kind: 'connection lost', problem: 'reset', text: 'read ECONNRESET' };
const heldDown = (cause: DownCause, heldText: string) => ({ heldDown: heldText, heldDownBy: { cause } });
const CONTEXT = { config: undefined, from: 'BGPPeer tor', ownAs: 64512 };
const advice = (peer: Partial<PeerStatus>) => whyDown({ ...DOWN, ...peer }, CONTEXT);

describe('why a session is down, and what to do', () => {
  it('says nothing of a session that is up', () => assert.equal(advice({ state: 'Established' }), undefined));

  for (const [what, peer, why, next] of [
    ['nobody listens', error(dial('refused', 'ECONNREFUSED')), /ECONNREFUSED/, /is BGP on there/],
    ['no answer', error(dial('no answer', 'ETIMEDOUT')), /ETIMEDOUT/, /firewall on TCP/],
    ['no route', error(dial('unreachable', 'EHOSTUNREACH')), /EHOSTUNREACH/, /ip route get/],
    ['link down', error({ kind: 'link down', device: 'eth0' }), /link/, /ip link show/],
    [
      'the neighbour says our AS is wrong',
      error(received(2, 2, 'OPEN message error: bad peer AS')),
      /bad peer AS/,
      /expects another AS than 64512/,
    ],
    [
      'its AS is wrong',
      error({
        kind: 'notification sent',
        ...{ code: 2, subcode: 2, why: 'the neighbour is in AS 65000, expected AS 65009' },
      }),
      /expected AS 65009/,
      /compare asNumber of BGPPeer tor/,
    ],
    [
      'the neighbour wants a longer hold time',
      error(received(2, 6, 'OPEN message error: unacceptable hold time')),
      /hold time/,
      /raise holdTime of BGPPeer tor/,
    ],
    [
      'the neighbour takes no more prefixes',
      lost(received(6, 1, 'cease: maximum number of prefixes reached')),
      /prefixes/,
      /raise the limit there, or export less/,
    ],
    ['hold timer, ours', lost({ kind: 'hold timer expired' }), /hold timer/, /loss on the link/],
    [
      'over its limit',
      heldDown(
        { kind: 'prefix limit', family: 'ipv4', count: 11, limit: 10 },
        'ipv4: 11 prefixes, the limit is 10; until reset',
      ),
      /limit is 10/,
      /maxPrefixes of BGPPeer tor/,
    ],
    [
      'without its password',
      heldDown(
        { kind: 'shut down', message: 'its password is not to be had', because: 'missing key' },
        'shut down by configuration: its password is not to be had',
      ),
      /password/,
      /Secret/,
    ],
    [
      'shut down with a text that speaks of something else',
      heldDown(
        { kind: 'shut down', message: 'new password and prefixes' },
        'shut down by configuration: new password and prefixes',
      ),
      /new password/,
      /change what it says in BGPPeer tor/,
    ],
    [
      'refused because it came without a signature',
      error({ kind: 'connection refused', refusal: { kind: 'unsigned' } }),
      /without a signature/,
      /give the neighbour the password/,
    ],
    [
      'refused because it came over a router',
      error({ kind: 'connection refused', refusal: { kind: 'too far', ttl: 64, least: 255 } }),
      /too far: TTL 64, at least 255/,
      /GTSM on at the neighbour.*ttlSecurity of BGPPeer tor/,
    ],
    [
      'waiting for BFD, whatever went wrong before',
      { state: 'OpenSent', isBfdAwaited: true, ...error(RESET) },
      /its BFD, which is required, is not up/,
      /UDP port 3784 \(over routers 4784\).*podroute status tor$/,
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
      ...error(received(6, 2, 'cease: administrative shutdown: "rewiring"', 'rewiring')),
      history: [
        {
          from: 'OpenSent',
          to: 'Active',
          cause: RESET,
          reason: 'read ECONNRESET',
          atMs: 9000,
          monotonicMs: 9000,
        },
      ],
    });
    assert.equal(
      found!.why,
      'NOTIFICATION received: cease: administrative shutdown: "rewiring"; the newest try: read ECONNRESET',
    );
    assert.match(found!.next, /ask who runs it/);
  });

  it('goes by what came last, also when somebody set the date back in between', () => {
    const back = 3_600_000;
    const lastLost = {
      ...{ atMs: 10_000_000, monotonicMs: 1000, establishedSeconds: 9 },
      cause: { kind: 'hold timer expired' } as const,
      reason: 'hold timer expired',
    };
    const cause = received(6, 2, 'cease: administrative shutdown');
    const lastError = { atMs: 10_000_000 - back, monotonicMs: 2000, cause, text: causeText(cause) };
    const history: PeerStatus['history'] = [
      {
        ...{ from: 'OpenSent', to: 'Active', cause: RESET, reason: 'read ECONNRESET' },
        ...{ atMs: 10_000_000 - 2 * back, monotonicMs: 9000 },
      },
    ];
    assert.equal(advice({ lastLost, lastError })?.kind, 'notification received');
    assert.match(advice({ lastLost, lastError, history })!.why, /shutdown; the newest try: read ECONNRESET$/);
    const silent = advice({ lastLost, state: 'OpenSent', sinceMs: 0, sinceMonotonicMs: 3000 });
    assert.match(silent!.why, /^the neighbour has taken the connection/);
  });

  it('names the rules that drop packets silently, when they are on', () => {
    const config = { md5Key: 'k', ttl: { kind: 'gtsm', hops: 1 } } as PeerConfig;
    const context = { config, from: 'BGPPeer tor', ownAs: 64512 };
    const noAnswer: DownCause = { kind: 'no answer', address: '10.0.1.0', port: 179 };
    const unanswered = whyDown({ ...DOWN, ...error(noAnswer) }, context);
    assert.match(unanswered!.next, /password \(MD5\).*TTL below 255.*look like this too/);
    const silent = whyDown({ ...DOWN, state: 'OpenSent', sinceMs: 2000, sinceMonotonicMs: 2000 }, context);
    assert.match(silent!.why, /taken the connection, and nothing of BGP/);
    assert.match(silent!.next, /TTL below 255/);
    const plain = { ...context, config: { ttl: { kind: 'direct' } } as PeerConfig };
    assert.match(whyDown({ ...DOWN, ...error(RESET) }, plain)!.next, /GTSM demanded there/);
    assert.doesNotMatch(whyDown({ ...DOWN, ...error(dial('refused', 'ECONNREFUSED')) }, plain)!.next, /GTSM/);
    const unheard = { ...DOWN, ...error(received(4, 0, 'hold timer expired')) };
    assert.match(whyDown(unheard, plain)!.next, /heard nothing from this node.*GTSM demanded there/);
  });

  it('names the session in the command that enables it again', () => {
    const cause: DownCause = { kind: 'shut down', because: 'operator', message: 'night' };
    const found = advice(heldDown(cause, 'shut down by an operator: night'));
    assert.equal(found!.next, `enable it again: podroute session ${DOWN.id} enable`);
  });

  it('goes by the newest try where a change of the configuration came before it', () => {
    const found = advice({
      ...lost({
        kind: 'configuration changed',
        ...{ fields: ['remoteAs'], text: 'remoteAs changed from 65000 to 65009' },
      }),
      history: [
        {
          ...{
            from: 'OpenSent',
            to: 'Active',
            reason: 'the neighbour closed the connection',
            atMs: 9000,
            monotonicMs: 9000,
          },
          cause: { kind: 'connection lost', problem: 'closed' },
        },
      ],
    });
    assert.deepEqual([found!.why, found!.kind], ['the neighbour closed the connection', 'connection lost']);
    assert.match(found!.next, /takes the connection and ends it/);
  });
});

/** One of each kind: the compiler asks for the missing one. */
const ONE_OF_EACH: { readonly [Kind in CauseKind]: Extract<DownCause, { kind: Kind }> } = {
  'dial failed': {
    kind: 'dial failed',
    problem: 'refused',
    text: 'connect to 10.0.1.0 port 179: ECONNREFUSED',
  },
  'no answer': { kind: 'no answer', address: '10.0.1.0', port: 179 },
  'connection refused': {
    kind: 'connection refused',
    refusal: { kind: 'wrong address', to: '10.0.1.1', expected: '10.0.1.3' },
  },
  'transport refused': { kind: 'transport refused', text: 'an MD5 key needs socket options' },
  'key refused': { kind: 'key refused', problem: 'no memory', text: 'set TCP MD5 key: ENOMEM' },
  'connection lost': { kind: 'connection lost', problem: 'closed' },
  'peer restarted': { kind: 'peer restarted' },
  'hold timer expired': { kind: 'hold timer expired' },
  'send hold timer expired': { kind: 'send hold timer expired' },
  'notification received': { kind: 'notification received', code: 6, subcode: 2, text: 'cease' },
  'notification unreadable': { kind: 'notification unreadable', why: 'bad message length' },
  'notification sent': { kind: 'notification sent', code: 2, subcode: 7, why: 'no family in common' },
  'prefix limit': { kind: 'prefix limit', family: 'ipv6', count: 11, limit: 10 },
  'memory limit': { kind: 'memory limit', what: 'next hops', count: 11, limit: 10 },
  'internal error': { kind: 'internal error', text: 'Error: x' },
  'fsm error': { kind: 'fsm error', event: 'keepaliveReceived' },
  'collision lost': { kind: 'collision lost' },
  'link down': { kind: 'link down', device: 'eth0' },
  'BFD down': { kind: 'BFD down', text: 'control detection time expired' },
  'BFD restart': { kind: 'BFD restart', text: 'control detection time expired' },
  'too many connections': { kind: 'too many connections' },
  'too many half-open': { kind: 'too many half-open', max: 4096 },
  'shut down': { kind: 'shut down', message: '' },
  reset: { kind: 'reset', text: 'reset by the operator' },
  'configuration changed': { kind: 'configuration changed', fields: ['families'], text: 'families changed' },
  'identity changed': { kind: 'identity changed', field: 'AS', from: 64512, to: 64513 },
  removed: { kind: 'removed', text: 'no longer configured' },
  forgotten: { kind: 'forgotten' },
  'speaker stopped': { kind: 'speaker stopped', text: 'the agent stops' },
};

describe('each kind of cause', () => {
  for (const kind of Object.keys(CAUSES) as CauseKind[]) {
    it(`${kind}: has a sentence and an advice, as the newest error and as what holds a neighbour down`, () => {
      const cause = ONE_OF_EACH[kind];
      assert.equal(cause.kind, kind);
      assert.match(causeText(cause), /./);
      assert.match(adviceOn(cause, CONTEXT) ?? '', /./);
      for (const found of [advice(error(cause)), advice(lost(cause)), advice(heldDown(cause, 'held'))]) {
        assert.equal(found!.kind, kind);
        assert.match(found!.next, /./);
        assert.doesNotMatch(found!.next, /look at the history/);
      }
    });
  }
});
