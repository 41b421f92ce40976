import assert from 'node:assert/strict';
import { answer, answerPublic, RequestError, type RoutesRequest, type StatusSource } from './endpoints.ts';
import { HEALTHY } from '../status/testing/healthy-session.ts';
import type { FibStatus, StatusReply } from '#agent-api';

const status: StatusReply = {
  node: 'n1',
  version: '0.1.0',
  pid: 1,
  startedAt: '2026-11-21T00:00:00.000Z',
  uptimeSeconds: 9,
  addresses: { ipv4: '10.0.0.1' },
  plan: { generation: 2, isStale: false, originations: [] },
  sessions: [
    {
      ...HEALTHY,
      notifications: { countsIn: { 6: 2, 77: 1, 78: 1 }, countsOut: { 4: 1 } },
      malformed: { ...HEALTHY.malformed, treatAsWithdraw: 3 },
    },
  ],
  ranges: [],
  speaker: { strangersRefused: 5, logLinesLeftOut: 7 },
  rib: { prefixes: { ipv4: 3, ipv6: 1 }, paths: 4, attributeSets: 2, bytes: 100 },
  ipam: {
    blocks: { ipv4: 1, ipv6: 0 },
    addressesInUse: { ipv4: 2, ipv6: 0 },
    addressesFree: { ipv4: 62, ipv6: 0 },
  },
  problems: [],
  process: { rssBytes: 1, heapUsedBytes: 1, eventLoopDelayP99Ms: 1.5, eventLoopDelayMaxMs: 20 },
};

class FakeSource implements StatusSource {
  asked: RoutesRequest | undefined;
  reason: string | undefined;
  version() {
    return { version: '0.1.0', node: 'n1', pid: 1, runtime: 'v24' };
  }
  status() {
    return status;
  }
  routes(request: RoutesRequest) {
    this.asked = request;
    if (request.peer === 'nobody') throw new RequestError(400, "no peer 'nobody'");
    if (request.prefix === 'x') throw new RangeError('not a prefix: x');
    return { view: request.view, routes: [], nextCursor: '0:7' };
  }
  plan() {
    return { generation: 0, isStale: false, problems: [] };
  }
  ipam() {
    return { summary: status.ipam, usage: undefined };
  }
  notReady() {
    return this.reason;
  }
}

function get(url: string, source = new FakeSource(), method = 'GET') {
  const reply = answer({ method, url }, source);
  return { ...reply, json: () => JSON.parse(reply.body) as Record<string, unknown>, asked: source.asked };
}

describe('the agent’s socket', () => {
  for (const path of ['/v1/status', '/v1/plan', '/v1/ipam', '/v1/version', '/v1/routes']) {
    it(`answers ${path} in JSON`, () => {
      const reply = get(path);
      assert.deepEqual([reply.status, reply.contentType], [200, 'application/json']);
      reply.json();
    });
  }

  it('hands on every parameter of a routes query, with defaults', () => {
    assert.deepEqual(get('/v1/routes').asked, { view: 'best', longer: false, limit: 100 });
    const { asked } = get(
      '/v1/routes?view=received&peer=tor%2Fa&prefix=10.0.0.0/8&longer=true&family=ipv4&cursor=0:7&limit=5000',
    );
    assert.deepEqual(asked, {
      view: 'received',
      peer: 'tor/a',
      family: 'ipv4',
      prefix: '10.0.0.0/8',
      longer: true,
      cursor: '0:7',
      limit: 1000,
    });
  });

  const mistakes: [string, number, RegExp][] = [
    ['/v1/routes?view=worst', 400, /view=worst: expected one of best, all/],
    ['/v1/routes?family=ipv5', 400, /expected one of ipv4, ipv6/],
    ['/v1/routes?limit=0', 400, /whole number from 1/],
    ['/v1/routes?view=received', 400, /needs peer=/],
    ['/v1/routes?peer=nobody', 400, /no peer 'nobody'/],
    ['/v1/routes?prefix=x', 400, /not a prefix: x/],
    ['/v2/anything', 404, /no such path/],
  ];
  for (const [url, code, words] of mistakes) {
    it(`answers ${url} with ${code} and what is wrong`, () => {
      const reply = get(url);
      assert.equal(reply.status, code);
      assert.match(String(reply.json()['error']), words);
    });
  }

  it('serves GET only', () => assert.equal(get('/v1/status', new FakeSource(), 'POST').status, 405));
});

describe('health and metrics over TCP', () => {
  it('say nothing of the configuration', () => {
    assert.equal(answerPublic({ method: 'GET', url: '/v1/plan' }, new FakeSource()).status, 404);
    assert.equal(answerPublic({ method: 'GET', url: '/healthz' }, new FakeSource()).status, 200);
  });

  it('tell why the node is not ready', () => {
    const source = new FakeSource();
    assert.equal(answerPublic({ method: 'GET', url: '/readyz' }, source).status, 200);
    source.reason = 'no plan yet';
    const reply = answerPublic({ method: 'GET', url: '/readyz' }, source);
    assert.deepEqual([reply.status, reply.body], [503, 'not ready: no plan yet\n']);
  });

  it('are Prometheus text with a help and a type line for each metric, and escaped labels', () => {
    const { body } = answerPublic({ method: 'GET', url: '/metrics' }, new FakeSource());
    const lines = body.trimEnd().split('\n');
    const session = 'session="tor \\"a\\""';
    for (const line of [
      `podroute_bgp_session_up{${session}} 1`,
      `podroute_bgp_session_losses_total{${session},kind="hold_timer_expired"} 6`,
      `podroute_bgp_session_messages_total{${session},direction="out",type="update"} 2`,
      `podroute_bgp_session_notifications_total{${session},direction="in",code="cease"} 2`,
      `podroute_bgp_session_notifications_total{${session},direction="in",code="other"} 2`,
      `podroute_bgp_session_notifications_total{${session},direction="out",code="hold_timer"} 1`,
      `podroute_bgp_session_malformed_updates_total{${session},action="treat_as_withdraw"} 3`,
      `podroute_bgp_session_prefixes_filtered{${session},family="ipv4"} 1`,
    ]) {
      assert.ok(lines.includes(line), line);
    }
    assert.ok(
      !body.includes('prefixes_received{session="tor \\"a\\"",family="ipv6"'),
      'only families in use',
    );
    assert.ok(lines.includes('podroute_rib_prefixes{family="ipv6"} 1'));
    assert.ok(lines.includes('podroute_bgp_strangers_refused_total 5'));
    assert.ok(lines.includes('podroute_bgp_log_lines_left_out_total 7'));
    assert.ok(!body.includes('pods_ready'), 'no pods, no metric of them');
    assert.ok(lines.includes('podroute_event_loop_delay_p99_seconds 0.0015'));
    assert.ok(!body.includes('fib_routes'), 'no FIB, no metric of it');
    for (const line of lines.filter((l) => !l.startsWith('#'))) {
      const name = /^(podroute_[a-z0-9_]+)(\{.*\})? -?[0-9.e+-]+$/.exec(line)?.[1];
      assert.ok(name !== undefined, line);
      assert.ok(
        lines.some((l) => l.startsWith(`# TYPE ${name} `)) &&
          lines.some((l) => l.startsWith(`# HELP ${name} `)),
      );
    }
  });

  it('tell whether pods are kept to their addresses, and what was dropped', () => {
    const source = new FakeSource();
    const linesOf = (more: Partial<StatusReply>) => {
      source.status = () => ({ ...status, fib: { wanted: {}, installed: {} } as FibStatus, ...more });
      return answerPublic({ method: 'GET', url: '/metrics' }, source).body.split('\n');
    };
    const without = linesOf({});
    assert.ok(without.includes('podroute_pod_sources_checked 0'));
    assert.ok(!without.join().includes('pod_packets_dropped'), 'nobody counts');
    const checked = linesOf({ podPacketsDropped: { source: 8, advertisement: 9 } });
    for (const line of [
      'podroute_pod_sources_checked 1',
      'podroute_pod_packets_dropped_total{reason="source"} 8',
      'podroute_pod_packets_dropped_total{reason="advertisement"} 9',
    ])
      assert.ok(checked.includes(line), line);
  });

  it('of a thousand sessions take a moment only', () => {
    const sessions = Array.from({ length: 1000 }, (_, i) => ({ ...HEALTHY, id: `mesh/node-${i}/ipv4` }));
    const source = new FakeSource();
    source.status = () => ({ ...status, sessions });
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3; round++) {
      const start = process.threadCpuUsage().user;
      const { body } = answerPublic({ method: 'GET', url: '/metrics' }, source);
      least = Math.min(least, process.threadCpuUsage().user - start);
      assert.ok(body.split('\n').length > 20_000);
    }
    assert.ok(least < 40_000, `${least} µs`);
  });
});
