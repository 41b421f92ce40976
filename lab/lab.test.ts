// The main job, from outside: real agents, a real router, pods wired by the CNI executable, in each topology.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';
import { waitUntil } from '#world';
import { captureDuring } from './capture.ts';
import { Flood } from './flood.ts';
import { knowsAll, knowsNone } from './kernel-prefixes.ts';
import { Lab, type Pod } from './lab.ts';
import { ping, pingUntilReached } from './ping.ts';
import { hasOneUser } from './routers.ts';
import { TOPOLOGIES, topology, type TopologyName } from './topology.ts';

const PODROUTE = join(import.meta.dirname, '../bin/podroute');

async function labWithPods(name: TopologyName): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), 'podroute-test-'));
  rmSync(folder, { recursive: true });
  const lab = await Lab.up({
    topology: name,
    folder,
    name: `pr-lab-${process.pid}`,
    keep: false,
    logLevel: 'debug',
  });
  for (const node of lab.nodes) await lab.addPod(node.name, `pod-${node.name}`);
  await lab.settled();
  return lab;
}

function podOf(lab: Lab, node: string): Pod {
  const pod = lab.pods.get(`pod-${node}`);
  assert.ok(pod !== undefined);
  return pod;
}

function unreached(lab: Lab): string[] {
  const pods = [...lab.pods.values()];
  return pods.flatMap((from) =>
    pods
      .filter((to) => to.node !== from.node)
      .flatMap((to) => to.addresses)
      .filter((address) => ping(from.host, address) === undefined)
      .map((address) => `${from.name} -> ${address}`),
  );
}

function problemsOf(lab: Lab, node: string): string[] {
  return lab.status(node).problems.map((problem) => problem.text);
}

/** RFC 8326, by the annotation of the node. */
function setLeaving(lab: Lab, name: string, isLeaving: boolean): void {
  for (const file of readdirSync(lab.store).filter((one) => one.endsWith('.yaml'))) {
    const path = join(lab.store, file);
    const documents = parseAllDocuments(readFileSync(path, 'utf8'));
    const node = documents.find(
      (one) => one.get('kind') === 'Node' && one.getIn(['metadata', 'name']) === name,
    );
    if (node === undefined) continue;
    const at = ['metadata', 'annotations', 'podroute.io/GracefulShutdown'];
    if (isLeaving) node.setIn(at, 'true');
    else node.deleteIn(at);
    writeFileSync(`${path}.new`, documents.map(String).join('---\n'));
    renameSync(`${path}.new`, path);
  }
}

/** What this user can run: FRR becomes a user of its own. */
const RUNNABLE = TOPOLOGIES.filter(
  (name) => !hasOneUser() || topology(name).routers.every(({ software }) => software !== 'FRR'),
);

for (const name of RUNNABLE) {
  describe(`a lab of topology ${name}`, function () {
    this.timeout(60_000);
    let lab: Lab;
    before(async () => {
      lab = await labWithPods(name);
    });
    after(() => lab?.down());

    it('brings every wanted session up', async () => {
      for (const node of lab.nodes) {
        await waitUntil(`sessions of ${node.name}`, 10_000, () =>
          lab.status(node.name).sessions.every((s) => s.state === 'Established'),
        );
        assert.ok(lab.status(node.name).sessions.length >= 2);
        assert.deepEqual(problemsOf(lab, node.name), []);
      }
    });

    it('lets pods of different nodes reach one another in both families', () => {
      assert.deepEqual(unreached(lab), []);
    });

    it('puts packets on the wire as they left the pod', async () => {
      const node = lab.nodes[0];
      assert.ok(node !== undefined);
      const from = podOf(lab, 'n1');
      const to = podOf(lab, 'n2');
      for (const index of [0, 1]) {
        const pair = [from.addresses[index] as string, to.addresses[index] as string];
        const frames = await captureDuring(lab.host('n1'), node.uplinks, pair, () => {
          assert.notEqual(ping(from.host, pair[1] as string), undefined);
        });
        assert.deepEqual(
          frames.map((frame) => `${frame.source} ${frame.destination}`).sort(),
          [pair.join(' '), pair.toReversed().join(' ')].sort(),
          frames.map((frame) => frame.text).join('\n'),
        );
      }
    });

    it('reaches a new pod from another node within a second of the answer to ADD', async () => {
      const { pod } = await lab.addPod('n2', 'late');
      for (const address of pod.addresses) await pingUntilReached(podOf(lab, 'n1').host, address, 1000);
      await lab.deletePod('late');
    });

    it('loses no packet while an agent is stopped or killed, and started again', async () => {
      const to = podOf(lab, 'n3').addresses;
      const router = lab.routers[0];
      const from = [podOf(lab, 'n1').host, ...(router === undefined ? [] : [lab.host(router.name)])];
      const floods = from.flatMap((host) => to.map((address) => new Flood(host, address)));
      for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
        await lab.stopAgent('n3', signal);
        await sleep(1500);
        lab.startAgent('n3');
        await lab.agentReady('n3');
        await waitUntil('its sessions', 20_000, () =>
          lab.status('n3').sessions.every(({ state }) => state === 'Established'),
        );
        await waitUntil('its kernel routes', 20_000, () => lab.status('n3').fib?.isConverged === true);
      }
      for (const flood of floods) {
        const { sent, lost } = await flood.stop();
        assert.ok(sent > 2000, `${flood.what}: ${sent} sent`);
        assert.equal(lost, 0, `${flood.what}: ${lost} of ${sent} lost`);
      }
      await lab.settled();
      assert.deepEqual(unreached(lab), []);
    });

    it('takes the routes of a node that is leaving back when its agent stops', async () => {
      const viewer = lab.host(lab.routers[0]?.name ?? 'n1');
      const blocks = lab.ownBlocks('n3');
      assert.ok(knowsAll(viewer, blocks));
      setLeaving(lab, 'n3', true);
      await waitUntil('its agent to know', 5_000, () =>
        lab.status('n3').sessions.every(({ exportPolicy }) => exportPolicy.includes('leaving')),
      );
      await lab.stopAgent('n3', 'SIGTERM');
      await waitUntil('routes to go', 10_000, () => knowsNone(viewer, blocks));
      setLeaving(lab, 'n3', false);
      lab.startAgent('n3');
      await lab.agentReady('n3');
      await waitUntil('routes to return', 20_000, () => knowsAll(viewer, blocks));
      await lab.settled();
      assert.deepEqual(unreached(lab), []);
    });

    if (name === 'unnumbered') warnsOfUselessRoutes(() => lab);
    if (topology(name).routers.length > 1) survivesARouter(() => lab);
  });
}

/** A session is up, and the neighbour can use nothing of what it gets. */
function warnsOfUselessRoutes(labNow: () => Lab): void {
  it('says so while a router does not take IPv6 next hops for IPv4 routes', async () => {
    const lab = labNow();
    const router = lab.router('tor-a');
    const session = () => lab.status('n1').sessions.find(({ id }) => id === 'tor-a');
    // FRR always offers IPv6 next hops to an interface, and to an address only when told.
    const address = session()?.localAddress ?? '';
    const activate = (name: string) =>
      ['ipv4', 'ipv6'].flatMap((family) => [
        `address-family ${family} unicast`,
        `neighbor ${name} activate`,
        'exit-address-family',
      ]);
    const byInterface = [
      `no neighbor ${address}`,
      ...['interface remote-as external', 'timers connect 1'].map((option) => `neighbor n1 ${option}`),
      ...activate('n1'),
    ];
    const byAddress = [
      'no neighbor n1 interface remote-as external',
      ...['remote-as 65001', 'interface n1', 'timers connect 1'].map(
        (option) => `neighbor ${address} ${option}`,
      ),
      ...activate(address),
    ];
    const change = async (lines: readonly string[]) => {
      const before = session()?.since;
      router.ask('configure terminal', 'router bgp 65000', ...lines);
      await waitUntil('a new session', 20_000, () => {
        const now = session();
        return now?.state === 'Established' && now.since !== before;
      });
    };
    await change(byAddress);
    try {
      await waitUntil('the problem to be told', 5000, () => problemsOf(lab, 'n1').length > 0);
      const [problem = '', ...others] = problemsOf(lab, 'n1');
      assert.deepEqual(others, []);
      assert.match(
        problem,
        /^warning: BGPPeer tor-a: .*cannot reach .*IPv4 routes: 10\.0\.0\.1 is not on link tor-a.*RFC 8950/,
      );
      const status = spawnSync(PODROUTE, ['status', '--socket', lab.socketOf('n1')], { encoding: 'utf8' });
      assert.deepEqual([status.status, status.stdout.includes(problem)], [1, true], status.stdout);
    } finally {
      await change(byInterface);
    }
    await waitUntil('the problem to go', 5000, () => problemsOf(lab, 'n1').length === 0);
  });
}

function survivesARouter(labNow: () => Lab): void {
  it('shares traffic between both routers in the kernel of every node, in both families', async () => {
    const lab = labNow();
    await lab.allEstablished();
    for (const node of lab.nodes) {
      for (const block of lab.nodes.filter((n) => n !== node).flatMap(({ name }) => lab.ownBlocks(name))) {
        await waitUntil(`two next hops of ${node.name} to ${block}`, 5000, () => {
          const route = lab.host(node.name).ip(block.includes(':') ? '-6' : '-4', 'route', 'show', block);
          return node.uplinks.every((device) => new RegExp(`via (inet6 )?\\S+ dev ${device}\\b`).test(route));
        });
      }
    }
  });

  it('tells each router a next hop that it reaches: every pod answers both', () => {
    const lab = labNow();
    const pods = [...lab.pods.values()];
    for (const router of lab.routers) {
      const silent = pods.flatMap((pod) => pod.addresses.filter((a) => ping(router.host, a) === undefined));
      assert.deepEqual(silent, [], `from ${router.name}`);
    }
  });

  it('loses one router, and all traffic goes through the other within a second', async () => {
    const lab = labNow();
    const [first] = lab.routers;
    assert.ok(first !== undefined);
    const begin = performance.now();
    await lab.killRouter(first.name);
    for (const from of lab.pods.values()) {
      const others = [...lab.pods.values()].filter((to) => to.node !== from.node);
      for (const address of others.flatMap((to) => to.addresses)) {
        const left = 1000 - (performance.now() - begin);
        await pingUntilReached(from.host, address, Math.max(1, left));
      }
    }
  });
}

describe('a running cluster that is changed, rightly and wrongly', function () {
  this.timeout(60_000);
  let lab: Lab;
  before(async () => {
    lab = await labWithPods('tor');
  });
  after(() => lab?.down());

  const mistakes: { name: string; yaml: string; expected: RegExp[] }[] = [
    {
      name: 'an unknown field',
      yaml: 'apiVersion: podroute.io/v1\nkind: BGPPeer\nmetadata: { name: typo }\nspec: { node: n1, peerIP: 192.0.2.1, asNumbr: 65000 }\n',
      expected: [/wrong\.yaml:4/, /BGPPeer typo/, /spec\.asNumbr/, /asNumber/],
    },
    {
      name: 'a bad CIDR',
      yaml: 'apiVersion: podroute.io/v1\nkind: IPPool\nmetadata: { name: bad }\nspec: { cidr: 10.300.0.0/16 }\n',
      expected: [/wrong\.yaml:4/, /IPPool bad/, /spec\.cidr/, /10\.300\.0\.0\/16/],
    },
    {
      name: 'overlapping pools',
      yaml: 'apiVersion: podroute.io/v1\nkind: IPPool\nmetadata: { name: zz-inside }\nspec: { cidr: 10.244.128.0/20 }\n',
      expected: [/IPPool zz-inside/, /spec\.cidr/, /10\.244\.128\.0\/20/, /pods-ipv4/],
    },
    {
      name: 'a peer without AS',
      yaml: 'apiVersion: podroute.io/v1\nkind: BGPPeer\nmetadata: { name: no-as }\nspec: { node: n1, peerIP: 192.0.2.1 }\n',
      expected: [/BGPPeer no-as/, /spec\.asNumber/],
    },
    {
      name: 'two peers for one address',
      yaml: 'apiVersion: podroute.io/v1\nkind: BGPPeer\nmetadata: { name: zz-second }\nspec: { node: n1, peerIP: 10.0.1.0, asNumber: 65009 }\n',
      expected: [/BGPPeer zz-second/, /spec\.peerIP/, /10\.0\.1\.0/, /tor-n1-ipv4/],
    },
    {
      name: 'a password whose Secret is missing',
      yaml: 'apiVersion: podroute.io/v1\nkind: BGPPeer\nmetadata: { name: locked }\nspec: { node: n1, peerIP: 192.0.2.9, asNumber: 65009, password: { secretKeyRef: { name: bgp, key: md5 } } }\n',
      expected: [/BGPPeer locked/, /secretKeyRef/, /bgp/],
    },
    {
      name: 'text that is no YAML',
      yaml: 'apiVersion: podroute.io/v1\nkind: [\n',
      expected: [/wrong\.yaml/],
    },
  ];

  for (const mistake of mistakes) {
    it(`names file, object and field of ${mistake.name}, and the rest keeps working`, async () => {
      const path = join(lab.store, 'wrong.yaml');
      writeFileSync(path, mistake.yaml);
      try {
        let texts: string[] = [];
        const all = () => {
          texts = problemsOf(lab, 'n1');
          return texts.some((text) => mistake.expected.every((pattern) => pattern.test(text)));
        };
        await waitUntil('the problem to be told', 3000, all).catch(() =>
          assert.fail(`told only: ${texts.join('\n')}`),
        );
        const log = lab.host('n1').run(['cat', lab.logOf('n1')]);
        assert.ok(
          log.split('\n').some((line) => mistake.expected.every((pattern) => pattern.test(line))),
          'the log has no line that names it all',
        );
        const wanted = lab.status('n1').sessions.filter((s) => s.id.startsWith('tor-n1'));
        assert.deepEqual(
          wanted.map((s) => s.state),
          ['Established', 'Established'],
        );
      } finally {
        rmSync(path);
      }
      await waitUntil('the problem to go', 3000, () => problemsOf(lab, 'n1').length === 0);
      assert.deepEqual(unreached(lab), []);
    });
  }

  it("puts back a route of its own that somebody else deleted, and leaves an operator's own route alone", async () => {
    const host = lab.host('n1');
    const [block = ''] = lab.ownBlocks('n2').filter((prefix) => !prefix.includes(':'));
    host.ip('route', 'add', block, 'via', '10.0.1.0', 'metric', '50');
    host.ip('route', 'del', block, 'proto', '179');
    await waitUntil('the route to come back', 3000, () => {
      return host.ip('route', 'show', block, 'proto', '179').includes('metric 1024');
    });
    assert.match(host.ip('route', 'show', block), /metric 50/);
    host.ip('route', 'del', block, 'metric', '50');
    assert.deepEqual(unreached(lab), []);
  });

  it('applies a new peer within a second and touches no other session', async () => {
    const sessions = () => lab.status('n1').sessions;
    const before = sessions().map((s) => `${s.id} ${s.state} ${s.since}`);
    const path = join(lab.store, 'one-more.yaml');
    writeFileSync(
      path,
      'apiVersion: podroute.io/v1\nkind: BGPPeer\nmetadata: { name: one-more }\nspec: { node: n1, peerIP: 192.0.2.77, asNumber: 65077 }\n',
    );
    await waitUntil('the session to be there', 1000, () => sessions().some((s) => s.id === 'one-more'));
    rmSync(path);
    await waitUntil('the session to be gone', 1000, () => sessions().every((s) => s.id !== 'one-more'));
    assert.deepEqual(
      sessions().map((s) => `${s.id} ${s.state} ${s.since}`),
      before,
    );
  });

  it('refuses a second agent for the same node, which says who runs', () => {
    const folder = join(lab.folder, 'second');
    const result = spawnSync(
      'nsenter',
      [
        `--net=${lab.host('n1').path}`,
        '--',
        PODROUTE,
        'agent',
        ...['--node-name', 'n1', '--store', `dir:${lab.store}`, '--socket', lab.socketOf('n1')],
        ...['--state-dir', join(lab.folder, 'n1', 'state'), '--cni-socket', join(folder, 'cni.sock')],
        ...['--cni-conf-dir', join(folder, 'net.d')],
      ],
      { encoding: 'utf8', timeout: 10_000 },
    );
    assert.notEqual(result.status, 0);
    assert.match(result.stdout + result.stderr, /n1/);
    assert.match(result.stdout + result.stderr, /pid \d+/);
    assert.deepEqual(unreached(lab), []);
  });
});
