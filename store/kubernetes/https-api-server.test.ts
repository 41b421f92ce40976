// What an API server that is none of ours can make a store do, over real sockets: how often it is asked, and who else is.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandom, systemClock } from '#world';
import { FakeClock, MemoryDisk } from '#world/testing';
import type { Access } from './credentials.ts';
import { HttpsApiServer } from './https-api-server.ts';
import { openCluster } from './index.ts';

const TOKEN = 'a-secret-token';
const WATCHED_MS = 2_500;
/** Nothing is said of what a server does for a shorter time. */
const TOLD_MS = 10_000;
/** Nine lists and /apis: half a second, one, two between two questions, each drawn from half of it up. */
const MOST_QUESTIONS = 10 * 5;

describe('a store and an API server that does not do what it is asked', function () {
  this.timeout(20_000);
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'podroute-api-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  async function listening(listener: RequestListener) {
    const server = createServer(listener);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      [Symbol.dispose]: () => {
        server.closeAllConnections();
        server.close();
      },
    };
  }

  /** What the store says after a while. */
  async function follow(url: string): Promise<string> {
    const kubeconfig = join(folder, 'config');
    const cluster = { server: url, 'insecure-skip-tls-verify': true };
    const config = {
      'current-context': 'x',
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: { token: TOKEN } }],
    };
    writeFileSync(kubeconfig, JSON.stringify(config));
    let aheadMs = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
    const io = { clock, random: new SeededRandom(1), disk: new MemoryDisk(), userAgent: 'test' };
    await using store = openCluster({ kubeconfig }, io);
    void store.start();
    await new Promise((resume) => setTimeout(resume, WATCHED_MS));
    aheadMs = TOLD_MS;
    return store
      .problems()
      .map(({ object, message }) => `${object}: ${message}`)
      .join('\n');
  }

  for (const status of [302, 307]) {
    it(`goes nowhere else when it is sent there by ${status}, with its token or without`, async () => {
      let others = 0;
      using other = await listening((_, response) => {
        others++;
        response.end('{}');
      });
      let questions = 0;
      using server = await listening(({ headers, url }, response) => {
        assert.equal(headers.authorization, `Bearer ${TOKEN}`);
        questions++;
        response.writeHead(status, { location: `${other.url}${url}` }).end();
      });
      const said = await follow(server.url);
      assert.equal(others, 0);
      assert.ok(questions >= 10 && questions <= MOST_QUESTIONS, `${questions} questions`);
      assert.match(said, new RegExp(`the API server refuses to show these: ${status}`));
    });
  }

  it('waits half a minute for credentials, too, and asks nobody when they come later', async () => {
    let questions = 0;
    using server = await listening((_, response) => {
      questions++;
      response.end('{}');
    });
    const clock = new FakeClock();
    const { promise, resolve } = Promise.withResolvers<Access>();
    const hanging = { server: server.url, access: () => promise, expire: () => {} };
    const asked = new HttpsApiServer(hanging, clock, 'test').ask({ method: 'GET', path: '/apis' });
    const refused = assert.rejects(asked, /no answer within 30 s/);
    await clock.run(30_001);
    await refused;
    resolve({ url: new URL(server.url), options: {} });
    await new Promise((resume) => setTimeout(resume, 100));
    assert.equal(questions, 0);
  });

  it('asks no more often one that does not know it, however often that reads its token anew', async () => {
    let questions = 0;
    using server = await listening((_, response) => {
      questions++;
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end('{"kind":"Status","code":401}');
    });
    const said = await follow(server.url);
    assert.ok(questions >= 10 && questions <= MOST_QUESTIONS, `${questions} questions`);
    assert.match(said, /the API server http:\/\/127\.0\.0\.1:\d+ does not know who asks \(401/);
  });
});
