// podroute doctor on a node where many things are wrong at once: each is found, and gone after the very commands that it
// printed. It leaves nothing behind, and does its work without an agent and without root, too.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createHost, type Host } from '#lab';
import { waitUntil } from '#world';
import { PODROUTE, startPodroute } from '../testing/start-podroute.ts';

interface Result {
  readonly check: string;
  readonly state: string;
  readonly what: string;
  readonly mend?: readonly string[];
}

const documents = [
  { kind: 'BGPConfiguration', metadata: { name: 'default' }, spec: { nodeToNodeMeshEnabled: false } },
  {
    ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } },
    spec: { podCIDRs: ['10.77.0.0/24', 'fd77::/64'] },
    status: {
      addresses: ['10.20.0.1', 'fd20::1'].map((address) => ({ type: 'InternalIP', address })),
    },
  },
  ...['10.20.0.254', 'fd20::fe', '10.21.0.254'].map((peerIP, n) => ({
    ...{ kind: 'BGPPeer', metadata: { name: `tor-${n}` } },
    spec: { peerIP, asNumber: 65_000, sourceAddress: 'None' },
  })),
]
  .map((part) => JSON.stringify({ apiVersion: 'podroute.io/v1', ...part }))
  .join('\n---\n');

const bird = `
router id 192.0.2.1;
log stderr all;
protocol device { }
protocol bgp leftover { local 10.20.0.1 as 65001; neighbor 10.20.0.99 as 65002; passive yes; ipv4 { import none; export none; }; }
`;

/** Not permanent ones, as they come with traffic. */
const STALE = 400;

describe('podroute doctor', function () {
  this.timeout(120_000);
  let folder: string;
  let node: Host;
  let tor: Host;

  let limits: string[];

  const cleanUp = new AsyncDisposableStack();
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'podroute-doctor-'));
    chmodSync(folder, 0o755);
    cleanUp.defer(() => rmSync(folder, { recursive: true, force: true }));
    limits = [1, 2, 3].map((n) => switchLine(`net.ipv4.neigh.default.gc_thresh${n}`));
    cleanUp.defer(() => void execFileSync('sysctl', ['-qw', ...limits]));
    node = cleanUp.use(createHost('node', { group: 'doctor' }));
    tor = cleanUp.use(createHost('tor', { group: 'doctor' }));
    connect(node, tor, {
      devices: ['up0', 'tor0'],
      addresses: [
        ['10.20.0.1/24', 'fd20::1/64'],
        ['10.20.0.254/24', 'fd20::fe/64'],
      ],
    });
    connect(node, tor, { devices: ['up1', 'tor1'], addresses: [['10.21.0.1/24'], ['10.21.0.254/24']] });
    mkdirSync(join(folder, 'cni'));
    writeFileSync(join(folder, 'bird.conf'), bird);
    node.spawn(['bird', '-f', '-c', join(folder, 'bird.conf'), '-s', join(folder, 'bird.ctl')]);
    await waitUntil('BIRD to listen', 5_000, () => /:179\b/.test(node.run(['ss', '-ltn'])));
    await startPodroute(node, {
      ...{ nodeName: 'n1', documents, folder, fib: 'kernel' },
      more: ['--cni-conf-dir', join(folder, 'cni')],
    });
    await waitUntil('the conflist', 10_000, () => readdirSync(join(folder, 'cni')).length > 0);
  });
  after(() => cleanUp.disposeAsync());

  const switchLine = (name: string) =>
    execFileSync('sysctl', [name], { encoding: 'utf8' }).trim().replaceAll(' ', '');

  /** @param runIn empty: this process's own namespace */
  function doctor({
    socket = 'agent.sock',
    before: wrapper = [] as readonly string[],
    runIn = `--net=${node.path}`,
  } = {}): Result[] {
    const places = {
      ...{ '--state-dir': 'state', '--cni-socket': 'cni.sock', '--cni-conf-dir': 'cni' },
      ...{ '--cni-bin-dir': 'bin', '--socket': socket },
    };
    const options = Object.entries(places).flatMap(([option, name]) => [option, join(folder, name)]);
    const enter = runIn === '' ? [] : ['nsenter', runIn];
    const [program = '', ...words] = [...enter, ...wrapper, PODROUTE, 'doctor', '-o', 'json', ...options];
    const { stdout, stderr } = spawnSync(program, words, { encoding: 'utf8' });
    assert.equal(stderr, '');
    return (JSON.parse(stdout) as { results: Result[] }).results;
  }
  const of = (results: readonly Result[], check: string) => results.filter((one) => one.check === check);
  const say = (results: readonly Result[]) =>
    results.map(({ check, state, what }) => `${check} ${state}: ${what}`).join('\n');

  it('finds what is wrong, and what it prints mends it', async () => {
    node.run(['sysctl', '-qw', 'net.ipv4.ip_forward=0', 'net.ipv6.conf.all.forwarding=0']);
    node.run(['sysctl', '-qw', 'net.ipv4.conf.up0.rp_filter=1', 'net.ipv4.conf.up1.rp_filter=1']);
    for (const device of ['tor0', 'tor1']) tor.ip('link', 'set', 'dev', device, 'mtu', '1380');
    writeFileSync(join(folder, 'cni', '05-flannel.conflist'), '{}');
    node.ip('route', 'add', '10.77.0.128/25', 'via', '10.20.0.254', 'proto', '12', 'metric', '32');
    node.run([
      'nft',
      'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }',
    ]);

    const before = doctor();
    const expected: readonly (readonly [string, RegExp])[] = [
      ['forwarding', /IPv4 forwarding is off/],
      ['forwarding', /IPv6 forwarding is off/],
      ['reverse path', /rp_filter is strict on up0, up1/],
      ['BGP port', /bird \(pid \d+\) listens on (0\.0\.0\.0|::|10\.20\.0\.1) port 179/],
      ['conflist', /05-flannel\.conflist sorts before 10-podroute/],
      [
        'path MTU',
        /packets of 1500 octets, the MTU of up0, do not reach (10\.20\.0\.254|fd20::fe) \(ping [^)]*\), those of 138\d do/,
      ],
      [
        'path MTU',
        /packets of 1500 octets, the MTU of up1, do not reach 10\.21\.0\.254 \(ping -M do -c 3 -s 1472 10\.21\.0\.254\), those of 138\d do/,
      ],
      ['other routes', /1 route\(s\) of BIRD \(Calico\) lie among the pods' prefixes/],
      ['packet filter', /chain FORWARD of nft table ip filter drops .* the pods' 10\.77\.0\.0\/24/],
      ['CNI executable', /bin\/podroute is not there/],
    ];
    for (const [check, what] of expected) {
      const found = of(before, check).filter((one) => what.test(one.what));
      assert.deepEqual(
        found.map(({ state }) => state),
        ['wrong'],
        `${check} ${what}:\n${say(before)}`,
      );
      assert.ok(found[0]!.mend!.length > 0, check);
    }

    const checks = [...new Set(expected.map(([check]) => check))];
    const commands = checks.flatMap((check) => of(before, check).flatMap(({ mend = [] }) => mend));
    for (const command of commands) node.run(['sh', '-c', command]);
    await waitUntil('the port to be the agent’s', 15_000, () =>
      /179 .*node|179/.test(node.run(['ss', '-ltn'])),
    );

    const after = doctor();
    for (const check of checks) {
      const bad = of(after, check).filter(({ state }) => state !== 'good');
      assert.deepEqual(bad, [], `${commands.join('\n')}\n${say(after)}`);
    }
    assert.match(say(of(after, 'CNI executable')), /of this version[^]*CNI STATUS: pods can be wired/);
    assert.match(say(of(after, 'BGP port')), /the agent listens on port 179/);
  });

  it('sees that the table of neighbours is full, which all namespaces of a machine share', () => {
    const stale = Array.from({ length: STALE }, (_, n) => `10.20.${1 + (n >> 7)}.${n & 127}`);
    node.run(['ip', '-batch', '-'], {
      input: stale.map((to) => `neigh add ${to} lladdr 02:00:00:00:00:01 dev up0 nud stale\n`).join(''),
    });
    execFileSync('sysctl', ['-qw', `net.ipv4.neigh.default.gc_thresh3=${STALE + 20}`]);
    // The limit itself is to be seen in the first namespace only.
    const arp = () =>
      of(doctor({ runIn: '' }), 'neighbour tables').find(({ what }) => what.startsWith('ARP'))!;
    const before = arp();
    assert.equal(before.state, 'wrong', before.what);
    assert.match(before.what, /ARP: 4\d\d neighbours, room for 420/);
    for (const command of before.mend!) execFileSync('sh', ['-c', command]);
    assert.equal(arp().state, 'good', arp().what);
  });

  it('leaves nothing behind', () => {
    const look = () =>
      [
        node.ip('link').replace(/state \S+/g, ''),
        node.ip('route', 'show', 'table', 'all'),
        node.run(['nft', 'list', 'ruleset']),
        node.run(['sysctl', 'net.ipv4.conf', 'net.ipv6.conf']),
        readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort().join('\n'),
      ].join('\n');
    const before = look();
    doctor();
    assert.equal(look(), before);
  });

  it('works without an agent: what the kernel knows is enough', () => {
    node.run(['sysctl', '-qw', 'net.ipv4.ip_forward=0']);
    node.ip('route', 'add', '10.77.0.128/25', 'via', '10.20.0.254', 'proto', '12');
    const results = doctor({ socket: 'none.sock' });
    assert.match(say(of(results, 'agent')), /wrong: no agent answers .*.*none\.sock/);
    assert.match(say(of(results, 'forwarding')), /wrong: IPv4 forwarding is off/);
    assert.match(say(of(results, 'other routes')), /wrong: 1 route\(s\) of BIRD/);
  });

  it('ends, also when something that it looked at hangs', () => {
    const fifo = join(folder, 'bin', 'podroute');
    rmSync(fifo);
    execFileSync('mkfifo', [fifo]);
    const begin = performance.now();
    const results = doctor();
    assert.ok(performance.now() - begin < 8_000);
    assert.match(say(of(results, 'CNI executable')), /wrong: hangs: no answer within 3 s/);
    assert.match(say(of(results, 'disk')), /good/);
  });

  it('run by an ordinary user says what needs root', () => {
    const results = doctor({ before: ['setpriv', '--reuid', '65534', '--clear-groups'] });
    for (const check of ['agent', 'packet filter', 'kernel', 'disk', 'CNI socket'])
      assert.deepEqual(
        [...new Set(of(results, check).map(({ state }) => state))],
        ['not tested'],
        say(results),
      );
    assert.match(say(of(results, 'forwarding')), /wrong: IPv4 forwarding is off/);
  });
});
