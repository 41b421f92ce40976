// The files of manifests/monitoring, by promtool and against what an agent writes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHost } from '#lab';
import { parse } from 'yaml';
import { wholeScrape } from '../../agent/http/testing/whole-figures.ts';
import { startPodroute } from '../testing/start-podroute.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'manifests/monitoring');
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<'summary' | 'description' | 'runbook', string>>;
}

const { groups } = parse(read('alerts.yaml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

/** As npm run setup got it, or the machine's own. */
function promtool(args: readonly string[], input = ''): string {
  const own = join(ROOT, 'build/promtool');
  const tool = existsSync(own) ? own : 'promtool';
  const { status, error, stdout, stderr } = spawnSync(tool, args, { cwd: FOLDER, input, encoding: 'utf8' });
  assert.equal(error, undefined, 'promtool is missing: npm run setup -- test');
  assert.equal(status, 0, `${stdout}${stderr}`);
  return stdout + stderr;
}

/** Names of a PromQL expression that can be metrics. */
function metricsIn(expr: string): string[] {
  const bare = expr.replaceAll(/"[^"]*"/g, '');
  return [...bare.matchAll(/\b(?:podroute|process|nodejs)_[a-z0-9_]+/g)].map(([name]) => name);
}

async function written(): Promise<Set<string>> {
  const text = await wholeScrape();
  return new Set([...text.matchAll(/^([a-z][a-z0-9_]*)[{ ]/gm)].map(([, name = '']) => name));
}

/** As GitHub makes them of headings. */
function anchorsOf(page: string): Set<string> {
  const headings = readFileSync(join(ROOT, page), 'utf8').matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...headings].map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^a-z0-9 _-]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe('the alerts', () => {
  it('are rules that promtool reads, fire for a node in trouble, and are silent for a healthy one', () => {
    assert.match(
      promtool(['check', 'rules', 'alerts.yaml']),
      new RegExp(`SUCCESS: ${rules.length} rules found`),
    );
    assert.match(promtool(['test', 'rules', 'alerts.test.yaml']), /SUCCESS/);
    // Each is among those that fire.
    const tested = new Set(read('alerts.test.yaml').match(/(?<=alertname=")\w+/g));
    assert.deepEqual(rules.map(({ alert }) => alert).toSorted(), [...tested].toSorted());
  });

  it('name metrics that an agent writes, and the section of a page that says what to do', async () => {
    const known = await written();
    for (const { alert, expr, annotations } of rules) {
      for (const name of metricsIn(expr)) assert.ok(known.has(name), `${alert}: ${name}`);
      const [page = '', anchor = ''] = annotations.runbook.split('#');
      assert.ok(anchorsOf(page).has(anchor), `${alert}: ${annotations.runbook}`);
    }
  });
});

describe('the dashboard', () => {
  it('asks for metrics that an agent writes, in expressions that promtool reads', async () => {
    const known = await written();
    const { panels } = JSON.parse(read('dashboard.json')) as {
      panels: { title: string; targets?: { expr: string }[] }[];
    };
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    assert.ok(expressions.length > 20);
    for (const expr of expressions)
      for (const name of metricsIn(expr)) assert.ok(known.has(name), `${name} in ${expr}`);
    const asRules = expressions.map((expr, i) => ({
      record: `panel:${i}`,
      expr: expr.replaceAll('$__rate_interval', '5m'),
    }));
    const folder = mkdtempSync(join(tmpdir(), 'podroute-dashboard-'));
    try {
      const file = join(folder, 'rules.yaml');
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules: asRules }] }));
      promtool(['check', 'rules', file]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('what a running agent writes', function () {
  this.timeout(60_000);

  it('is as promtool wants it, with numbers of the process', async () => {
    await using host = createHost('node', { group: 'metrics' });
    host.ip('link', 'set', 'lo', 'up');
    host.ip('link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'far');
    host.ip('link', 'set', 'far', 'up');
    host.ip('address', 'add', '10.20.0.1/24', 'dev', 'eth0');
    host.ip('link', 'set', 'eth0', 'up');
    const folder = mkdtempSync(join(tmpdir(), 'podroute-metrics-'));
    try {
      const agent = await startPodroute(host, {
        nodeName: 'metrics',
        documents: DOCUMENTS,
        folder,
        fib: 'kernel',
      });
      const text = await scrape(agent.socketPath);
      promtool(['check', 'metrics'], text);
      const known = await written();
      for (const [, name = ''] of text.matchAll(/^([a-z][a-z0-9_]*)[{ ]/gm)) assert.ok(known.has(name), name);
      const value = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
      assert.ok(value('process_cpu_seconds_total') > 0);
      assert.ok(value('process_open_fds') > 5 && value('process_open_fds') < value('process_max_fds'));
      assert.ok(Math.abs(value('process_start_time_seconds') - Date.now() / 1000) < 60);
      assert.match(text, /^podroute_bgp_session_info\{session="tor",.*,peer_address="10\.20\.0\.9",/m);
      assert.match(text, /^podroute_fib_changes_total\{family="ipv4"\} [1-9]/m);
      await agent.process.stop();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

const DOCUMENTS = [
  { kind: 'BGPConfiguration', metadata: { name: 'default' }, spec: { nodeToNodeMeshEnabled: false } },
  { kind: 'BGPPeer', metadata: { name: 'tor' }, spec: { peerIP: '10.20.0.9', asNumber: 65000 } },
  { kind: 'BGPPeer', metadata: { name: 'racks' }, spec: { peerRange: '10.21.0.0/24', asNumber: 65000 } },
  { kind: 'BGPPeer', metadata: { name: 'wrong' }, spec: { peerIP: 'here' } },
  {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'metrics' },
    spec: { podCIDRs: ['10.77.0.0/24'] },
    status: { addresses: [{ type: 'InternalIP', address: '10.20.0.1' }] },
  },
]
  .map((part) => JSON.stringify({ apiVersion: 'podroute.io/v1', ...part }))
  .join('\n---\n');

function scrape(socketPath: string): Promise<string> {
  return new Promise((done, fail) => {
    const call = request({ socketPath, path: '/metrics' }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => done(Buffer.concat(chunks).toString()));
    });
    call.on('error', fail).end();
  });
}
