import assert from 'node:assert/strict';
import {
  answer,
  answerPublic,
  answerStatus,
  RequestError,
  type RoutesRequest,
  type StatusSource,
} from './endpoints.ts';

const summary = {
  blocks: { ipv4: 1, ipv6: 0 },
  addressesInUse: { ipv4: 2, ipv6: 0 },
  addressesFree: { ipv4: 62, ipv6: 0 },
};

class FakeSource implements StatusSource {
  asked: RoutesRequest | undefined;
  reason: string | undefined;
  version() {
    return { version: '0.1.0', node: 'n1', pid: 1, runtime: 'v24' };
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
    return { summary, usage: undefined };
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
  for (const path of ['/v1/plan', '/v1/ipam', '/v1/version', '/v1/routes']) {
    it(`answers ${path} in JSON`, () => {
      const reply = get(path);
      assert.deepEqual([reply.status, reply.contentType], [200, 'application/json']);
      reply.json();
    });
  }

  it('answers /v1/status with what is made in turns, and to GET alone', async () => {
    const source = { statusText: async () => '{"node":"n1"}' };
    const reply = await answerStatus({ method: 'GET', url: '/v1/status?x=1' }, source);
    const contentType = 'application/json';
    assert.deepEqual(reply, { status: 200, contentType, body: '{"node":"n1"}' });
    assert.equal(answerStatus({ method: 'POST', url: '/v1/status' }, source), undefined);
    assert.equal(answerStatus({ method: 'GET', url: '/v1/plan' }, source), undefined);
  });

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
});
