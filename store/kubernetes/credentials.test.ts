// What a kubeconfig that cannot be used is answered with: whoever wrote it reads which file, what in it, and what to write.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '#world/testing';
import { Credentials } from './credentials.ts';

const config = (more: object) => JSON.stringify({ apiVersion: 'v1', kind: 'Config', ...more });
const context = (name: string, cluster: string) => ({ name, context: { cluster, user: 'u' } });
const cluster = (server: string, more = {}) => ({ name: 'c', cluster: { server, ...more } });
const at = (server: string, more = {}) =>
  config({
    'current-context': 'x',
    contexts: [context('x', 'c')],
    clusters: [cluster(server, more)],
    users: [{ name: 'u', user: { token: 't' } }],
  });

const wrong: readonly (readonly [what: string, text: string, says: RegExp])[] = [
  ['is empty', '', /^kubeconfig FILE is no YAML that can be read: /],
  [
    'is no YAML, and shows nothing of it',
    'users:\n- token: s3cret\n  x: [1\n  y: }',
    /^kubeconfig FILE is no YAML that can be read: [^\n]*\([0-9]+:[0-9]+\)$/,
  ],
  ['is something else', 'hello', /^kubeconfig FILE: current-context is not set .*there is none\)$/],
  [
    'has no current context',
    config({ contexts: [context('x', 'c'), context('y', 'c')] }),
    /^kubeconfig FILE: current-context is not set \(expected the name of a context; there are "x", "y"\)$/,
  ],
  [
    'names a context that there is not',
    config({ 'current-context': 'z', contexts: [context('x', 'c')] }),
    /^kubeconfig FILE: current-context "z" is not among its contexts \(there are "x"\)$/,
  ],
  [
    'names a cluster that there is not',
    config({ 'current-context': 'x', contexts: [context('x', 'gone')], clusters: [cluster('https://a')] }),
    /^kubeconfig FILE: context "x" names the cluster "gone", which is not among its clusters$/,
  ],
  [
    'has an address for a URL',
    at('127.0.0.1:6443'),
    /^kubeconfig FILE: server "127.0.0.1:6443" of cluster "c" is no URL \(expected one such as https:/,
  ],
  ['has a name and port for a URL', at('api.test:6443'), /server "api.test:6443" of cluster "c" is no URL/],
  ['would send its token in the clear', at('http://api.test'), /"http:\/\/api.test" .* is not encrypted/],
];

describe('the place of the API server', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'podroute-kubeconfig-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const sayingOf = (kubeconfig?: string): string => {
    try {
      return new Credentials(kubeconfig === undefined ? {} : { kubeconfig }, new FakeClock()).server;
    } catch (error) {
      return (error as Error).message.replace(kubeconfig ?? '-', 'FILE');
    }
  };

  for (const [what, text, says] of wrong) {
    it(`is not taken from a kubeconfig that ${what}`, () => {
      const file = join(folder, 'config');
      writeFileSync(file, text);
      assert.match(sayingOf(file), says);
    });
  }

  it('is named as a kubeconfig when there is no such file, or it is a folder', () => {
    assert.match(sayingOf(join(folder, 'none')), /^kubeconfig FILE cannot be read: ENOENT/);
    assert.match(sayingOf(folder), /^kubeconfig FILE cannot be read: EISDIR/);
  });

  it('is taken where the kubeconfig says that nobody needs to check it', () => {
    const file = join(folder, 'config');
    writeFileSync(file, at('http://127.0.0.1:8001', { 'insecure-skip-tls-verify': true }));
    assert.equal(sayingOf(file), 'http://127.0.0.1:8001');
  });

  it('is not asked with credentials that cannot be read, and says whose', async () => {
    const file = join(folder, 'config');
    writeFileSync(file, at('https://127.0.0.1:6443', { 'certificate-authority': '/none/ca.crt' }));
    const credentials = new Credentials({ kubeconfig: file }, new FakeClock());
    await assert.rejects(
      credentials.access(),
      /^Error: kubeconfig .*config: its credentials cannot be had: ENOENT.*'\/none\/ca.crt'$/,
    );
  });

  it('is not made up outside of a pod', () => {
    const before = process.env['KUBERNETES_SERVICE_HOST'];
    delete process.env['KUBERNETES_SERVICE_HOST'];
    try {
      assert.match(sayingOf(), /^nothing says where the API server is: .*KUBERNETES_SERVICE_HOST is not set/);
    } finally {
      if (before !== undefined) process.env['KUBERNETES_SERVICE_HOST'] = before;
    }
  });
});
