// Taking podroute away, by the commands of docs/kubernetes.md: nothing waits for ever, and nothing of it is left.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startServer } from './testing/real-server.ts';
import { waitUntil } from '#world';

const PROJECT = join(import.meta.dirname, '../..');

/** The commands below a heading of a page. */
function commandsOf(page: string, heading: string): string {
  const text = readFileSync(join(PROJECT, page), 'utf8').split(`\n## ${heading}\n`)[1] ?? '';
  const block = text.split('```')[1];
  assert.ok(block !== undefined, `${page} has no commands below ${heading}`);
  return block;
}

const ours = '-n podroute-system';
const READY = {
  observedGeneration: 1,
  currentNumberScheduled: 1,
  desiredNumberScheduled: 1,
  updatedNumberScheduled: 1,
  numberMisscheduled: 0,
  numberReady: 1,
  numberAvailable: 1,
};

describe('taking podroute away from a cluster', function () {
  this.timeout(120_000);

  it('works as the page says, with a pool that is held because its addresses are in use', async function () {
    // The first run on a machine builds the API server.
    this.timeout(1_800_000);
    await using server = await startServer();
    const { api } = server;
    api.kubectl(['apply', '-k', join(PROJECT, 'manifests/kubernetes/mesh')]);
    const held = JSON.stringify({ metadata: { finalizers: ['podroute.io/addresses-in-use'] } });
    api.kubectl(['patch', 'ippool', 'pods-ipv4', '--type=merge', '-p', held]);
    const folder = mkdtempSync(join(tmpdir(), 'podroute-take-away-'));
    try {
      // Nobody but a controller manager, which is not here, ends a namespace: that one is not waited for. Nor does anybody
      // else say on how many nodes a DaemonSet is ready (what it does there: image.test.ts).
      writeFileSync(
        join(folder, 'kubectl'),
        `#!/bin/sh
more=
kubectl() { ${api.kubectlCommand.map((word) => `'${word}'`).join(' ')} "$@"; }
case "$*" in
  "delete "*" -k "*) more=--wait=false ;;
  *" rollout status daemonset/podroute-uninstall "*)
    [ -z "$(kubectl get daemonset podroute-agent ${ours} --ignore-not-found -o name)" ] || exit 1
    kubectl patch daemonset podroute-uninstall ${ours} --subresource=status --type=merge -p '${JSON.stringify({ status: READY })}' ;;
esac
kubectl "$@" $more
`,
        { mode: 0o755 },
      );
      const done = spawnSync('sh', ['-euc', commandsOf('docs/kubernetes.md', 'Take away')], {
        ...{ cwd: PROJECT, encoding: 'utf8', timeout: 60_000 },
        env: { ...process.env, PATH: `${folder}:${process.env['PATH']}` },
      });
      assert.equal(done.status, 0, `${done.stdout}\n${done.stderr}`);
      await waitUntil(
        'the kinds to be gone',
        30_000,
        () => !api.kubectl(['get', 'crd', '-o', 'name']).includes('podroute'),
      );
      assert.match(done.stdout, /daemon set "podroute-uninstall" successfully rolled out/);
      const left = api.kubectl([
        'get',
        'clusterroles,clusterrolebindings,validatingadmissionpolicies,daemonsets',
        '-A',
        '-o',
        'name',
      ]);
      assert.ok(!left.includes('podroute'), left);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
