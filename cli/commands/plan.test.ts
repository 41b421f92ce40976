// podroute plan --dir, from outside: files in, plan on stdout, what is wrong on stderr.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PlanDiffReply } from '#agent-api';
import { parse } from 'yaml';
import { cannedAgent, podroute } from '../testing/run.ts';

const MAIN = join(import.meta.dirname, '..', 'main.ts');
const NODES = `apiVersion: v1
kind: Node
metadata: { name: n1 }
status: { addresses: [{ type: InternalIP, address: 10.0.0.1 }] }
---
apiVersion: v1
kind: Node
metadata: { name: n2 }
status: { addresses: [{ type: InternalIP, address: 10.0.0.2 }] }
`;
const POOL = `apiVersion: podroute.io/v1
kind: IPPool
metadata: { name: pods }
spec: { cidr: 10.244.0.0/16 }
`;
const BLOCK = `apiVersion: podroute.io/v1
kind: IPAMBlock
metadata: { name: 10-244-0-0-26 }
spec: { cidr: 10.244.0.0/26, node: n1, pool: pods }
`;
const peer = (spec: string) =>
  `apiVersion: podroute.io/v1\nkind: BGPPeer\nmetadata: { name: tor }\nspec:\n  ${spec}\n`;
const SECRET = `apiVersion: v1
kind: Secret
metadata: { name: keys }
stringData: { tor: hunter2 }
`;

describe('podroute plan', function () {
  this.timeout(30_000);

  it('--diff: shows what a file would do to each session, and the prefixes', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plan-'));
    try {
      const socket = join(folder, 'agent.sock');
      const file = join(folder, 'new.yaml');
      writeFileSync(file, peer('asNumber: 65000'));
      const none = { count: 0, first: [] };
      const some = (prefix: string) => ({ count: 1, first: [prefix] });
      const many = Array.from({ length: 30 }, (_x, n) => `10.1.${n}.0/24`);
      const sent = {
        appear: none,
        vanish: { count: 30, first: many },
        change: { count: 1, first: ['10.2.0.0/16'] },
      };
      const head = { from: 'BGPPeer tor', remote: '10.0.0.9' };
      const reply: PlanDiffReply = {
        objects: ['BGPPeer tor'],
        sessions: [
          {
            id: 'tor',
            ...head,
            what: 'changes',
            changes: [{ setting: 'holdTime', effect: 'later', from: '90s', to: '30s' }],
            accepted: { appear: some('10.3.0.0/16'), vanish: some('10.4.0.0/16'), change: none },
            sent,
          },
          { id: 'new', ...head, what: 'begins', changes: [] },
          { id: 'old', ...head, what: 'goes down', why: 'it has sent too much', changes: [] },
        ],
        settings: [{ setting: 'routerId', from: '10.0.0.1', to: '10.0.0.2' }],
        originated: [],
        withdrawn: ['10.244.0.0/26'],
        best: { appear: none, vanish: some('10.4.0.0/16'), change: some('10.5.0.0/16') },
        problems: [],
        notes: ['routes of sessions that begin'],
      };
      await using _agent = await cannedAgent(socket, { 'POST /v1/plan/diff': reply });
      const { stdout, code } = await podroute(['plan', '--socket', socket, '--diff', file]);
      assert.deepEqual(stdout.trimEnd().split('\n'), [
        'this node: routerId: 10.0.0.1 -> 10.0.0.2',
        'session tor (10.0.0.9, BGPPeer tor): changes',
        '  holdTime: 90s -> 30s: with the next session',
        '  + 1 of its routes used then: 10.3.0.0/16',
        '  - 1 of its routes used no more: 10.4.0.0/16',
        `  - 30 withdrawn: ${many.slice(0, 20).join(', ')} and 10 more`,
        '  ~ 1 sent with other attributes: 10.2.0.0/16',
        'session new (10.0.0.9, BGPPeer tor): begins',
        'session old (10.0.0.9, BGPPeer tor): goes down: it has sent too much',
        'withdraw 10.244.0.0/26',
        '- 1 reached from here no more: 10.4.0.0/16',
        '~ 1 reached from here by another path: 10.5.0.0/16',
        'not foreseen: routes of sessions that begin',
      ]);
      assert.equal(code, 0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('--diff: a problem that applying the file would make is said on stderr, and is bad news', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plan-'));
    try {
      const socket = join(folder, 'agent.sock');
      const file = join(folder, 'new.yaml');
      writeFileSync(file, peer('filters: [nobody]'));
      const text = 'BGPPeer tor: spec.filters[0]: "nobody" is no BGPFilter';
      const changes = { settings: [], sessions: [], originated: [], withdrawn: [], notes: [] };
      const reply = { objects: ['BGPPeer tor'], ...changes, problems: [{ object: 'BGPPeer tor', text }] };
      await using _agent = await cannedAgent(socket, { 'POST /v1/plan/diff': reply });
      for (const format of ['table', 'json']) {
        const { stderr, code } = await podroute(['plan', '--socket', socket, '--diff', file, '-o', format]);
        assert.deepEqual([stderr, code], [format === 'table' ? `${text}\n` : '', 1]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('--diff --delete: asks what goes with the objects of the file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plan-'));
    try {
      const socket = join(folder, 'agent.sock');
      const file = join(folder, 'old.yaml');
      writeFileSync(file, peer('asNumber: 65000'));
      const nothing = { settings: [], sessions: [], originated: [], withdrawn: [], problems: [], notes: [] };
      const reply: PlanDiffReply = { objects: ['BGPPeer tor'], ...nothing };
      const asked = `POST /v1/plan/diff?file=${encodeURIComponent(file)}&delete`;
      await using _agent = await cannedAgent(socket, { [asked]: reply });
      const { stdout, code } = await podroute(['plan', '--socket', socket, '--diff', file, '--delete']);
      assert.deepEqual(
        [stdout, code],
        ['BGPPeer tor: no session, route or setting would change on this node\n', 0],
      );
      const alone = await podroute(['plan', '--socket', socket, '--delete']);
      assert.deepEqual(
        [alone.code, alone.stderr],
        [2, 'podroute: plan: --delete goes together with --diff FILE, whose objects would be deleted\n'],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('--diff: takes one file, and no folder, of which it would leave out all but one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plan-'));
    try {
      for (const name of ['a.yaml', 'b.yaml']) writeFileSync(join(folder, name), peer('asNumber: 65000'));
      const { stderr, code } = await podroute(['plan', '--diff', folder]);
      assert.deepEqual(
        [stderr, code],
        [`podroute: plan: --diff ${folder}: expected a file, and it is a folder\n`, 2],
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('shows the plan for people as the plan of files is shown; with -o all that the agent says, problems too', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plan-'));
    try {
      const socket = join(folder, 'agent.sock');
      const text = 'BGPPeer tor: spec.filters[0]: "nobody" is no BGPFilter';
      const plan = { node: { name: 'n1' }, peers: [] };
      const reply = { generation: 3, isStale: true, plan, problems: [{ object: 'BGPPeer tor', text }] };
      await using _agent = await cannedAgent(socket, { 'GET /v1/plan': reply });
      const ask = (...more: string[]) => podroute(['plan', '--socket', socket, ...more]);
      const shown = await ask();
      assert.equal(shown.stdout, 'node:\n  name: n1\npeers: []\n');
      assert.match(
        shown.stderr,
        /^podroute: an older plan is in force: .*\nBGPPeer tor: spec.filters\[0\]: .*\n$/,
      );
      const asYaml = await ask('-o', 'yaml');
      assert.deepEqual([parse(asYaml.stdout), asYaml.stderr], [reply, '']);
      assert.deepEqual(JSON.parse((await ask('-o', 'json')).stdout), reply);
      assert.deepEqual([shown.code, asYaml.code], [1, 1]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('podroute plan --dir', function () {
  this.timeout(30_000);
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'plan-'));
    writeFileSync(join(folder, 'nodes.yaml'), NODES);
    writeFileSync(join(folder, 'pool.yaml'), POOL);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]) =>
    spawnSync(process.execPath, [MAIN, 'plan', ...args], { encoding: 'utf8', timeout: 29_000 });
  const planOf = (...more: string[]) => run('--dir', folder, '--node', 'n1', ...more);

  it('shows what the agent of that node would do, without one', () => {
    mkdirSync(join(folder, '.podroute'));
    writeFileSync(join(folder, '.podroute', 'block.yaml'), BLOCK);
    const password = 'password: { secretKeyRef: { name: keys, key: tor } }';
    writeFileSync(
      join(folder, 'tor.yaml'),
      `${peer(`{ peerIP: 10.0.0.9, asNumber: 65000, ${password} }`)}---\n${SECRET}`,
    );
    const { stdout, stderr, status } = planOf('-o', 'json');
    assert.equal(stderr, '');
    const { plan, problems, notes } = JSON.parse(stdout);
    assert.deepEqual(
      plan.peers.map(({ config, from }: { config: { id: string }; from: string }) => [config.id, from]),
      [
        ['mesh/n2/ipv4', 'node-to-node mesh, Node n2'],
        ['tor', 'BGPPeer tor'],
      ],
    );
    assert.deepEqual(
      plan.originations.map(({ prefix }: { prefix: string }) => prefix),
      ['10.244.0.0/26'],
    );
    assert.deepEqual([problems, notes, status], [[], [], 0]);
    assert.doesNotMatch(stdout, /hunter2/);
  });

  it('says what is wrong with file, line, object and field, beside the plan of the rest', () => {
    writeFileSync(join(folder, 'tor.yaml'), peer('peerIP: 10.0.0.9\n  asNumber: 65000\n  filters: [nobody]'));
    writeFileSync(join(folder, 'typo.yaml'), peer('asNumbr: 1').replace('tor', 'typo'));
    const { stdout, stderr, status } = planOf();
    assert.match(stdout, /id: tor/);
    assert.match(stderr, /tor\.yaml:7: BGPPeer tor: spec\.filters\[0\]: "nobody" is no BGPFilter/);
    assert.match(
      stderr,
      /typo\.yaml:5: BGPPeer typo: spec\.asNumbr: unknown field \(did you mean "asNumber"\?\)/,
    );
    assert.match(stderr, /note: n1 has no IPAMBlock in these files/);
    assert.equal(status, 1);
    assert.equal(stderr.match(/is no BGPFilter/g)?.length, 1, 'told once');
  });

  it('--diff: what a file would change of sessions and settings, without an agent; and what deleting its objects', () => {
    const tor = peer('{ peerIP: 10.0.0.9, asNumber: 65000 }');
    writeFileSync(join(folder, 'tor.yaml'), tor);
    const change = mkdtempSync(join(tmpdir(), 'plan-'));
    const file = join(change, 'new.yaml');
    const store = ['--store', `dir:${folder}`, '--node', 'n1', '--diff', file];
    const unknown =
      'not foreseen: no agent was asked, so nothing is known of routes; on n1 itself podroute plan --diff tells them';
    try {
      writeFileSync(file, tor.replace('65000 }', '65000, holdTime: 30s, filters: [nobody] }'));
      const applied = planOf('--diff', file);
      assert.deepEqual(applied.stdout.trimEnd().split('\n'), [
        'session tor (10.0.0.9, BGPPeer tor): changes',
        '  holdTime: 90s -> 30s: with the next session',
        '  import: routes are looked at again',
        '  export: routes are looked at again',
        unknown,
      ]);
      assert.match(applied.stderr, /^BGPPeer tor: spec\.filters\[0\]: "nobody" is no BGPFilter/);
      assert.equal(applied.status, 1);
      const deleted = run(...store, '--delete');
      assert.deepEqual(deleted.stdout.trimEnd().split('\n'), [
        'session tor (10.0.0.9, BGPPeer tor): ends',
        unknown,
      ]);
      assert.deepEqual([deleted.stderr, deleted.status], ['', 0]);
      writeFileSync(file, POOL.replace('pods', 'more').replace('10.244', '10.99'));
      const { settings, problems } = JSON.parse(run(...store, '-o', 'json').stdout);
      assert.deepEqual(settings, [
        { setting: 'clusterPrefixes', from: '10.244.0.0/16', to: '10.99.0.0/16, 10.244.0.0/16' },
      ]);
      assert.deepEqual(problems, []);
      writeFileSync(file, peer('asNumber: no'));
      const wrong = run(...store);
      assert.deepEqual([wrong.stdout, wrong.status], ['', 2]);
      assert.match(wrong.stderr, /new\.yaml:\d+: BGPPeer tor: spec\.asNumber/);
    } finally {
      rmSync(change, { recursive: true });
    }
  });

  it('without a Node of that name there is no plan; wrong use is exit code 2', () => {
    const { stdout, stderr, status } = run('--dir', folder, '--node', 'n7');
    assert.match(stdout, /^no plan for n7/);
    assert.match(stderr, /Node n7: metadata\.name: does not exist: .*there are n1, n2/);
    assert.equal(status, 1);
    const alone = run('--dir', folder);
    assert.deepEqual([alone.status, alone.stdout], [2, '']);
    assert.match(alone.stderr, /--node goes together with --dir or --store: --node NAME is missing/);
    const nowhere = run('--dir', join(folder, 'no'), '--node', 'n1');
    assert.equal(nowhere.status, 2);
    assert.match(nowhere.stderr, /plan: .*no: ENOENT/);
  });
});
