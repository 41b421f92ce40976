// BGP unnumbered with a real router: FRR's `neighbor IF interface remote-as external` and our peerInterface find each
// other by router advertisements, with no address written anywhere.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StatusReply } from '#agent-api';
import { connect, createHost, type Host, type HostProcess, frrCommand } from '#lab';
import { waitUntil } from '#world';
import { frr } from '../interop/daemons/frr.ts';
import { obstacle } from '../interop/testing/installed.ts';
import { type RunningPodroute, startPodroute } from '../testing/start-podroute.ts';

const DOCUMENTS = [
  { kind: 'BGPConfiguration', metadata: { name: 'default' }, spec: { nodeToNodeMeshEnabled: false } },
  {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1', annotations: { 'podroute.io/ASNumber': '65001' } },
    spec: { podCIDRs: ['10.77.0.0/24', 'fd77::/64'] },
    status: { addresses: ['10.0.0.1', 'fd00::1'].map((address) => ({ type: 'InternalIP', address })) },
  },
  {
    kind: 'BGPPeer',
    metadata: { name: 'tor' },
    spec: { peerInterface: 'eth1', asNumber: 'external', import: 'All', holdTime: 9 },
  },
]
  .map((part) => JSON.stringify({ apiVersion: 'podroute.io/v1', ...part }))
  .join('\n---\n');

const FRR_CONFIG = `router bgp 65000
 bgp router-id 10.0.0.254
 no bgp ebgp-requires-policy
 neighbor swp1 interface remote-as external
 neighbor swp1 timers connect 1
 address-family ipv4 unicast
  network 10.0.0.254/32
 exit-address-family
 address-family ipv6 unicast
  network fd00::fe/128
  neighbor swp1 activate
 exit-address-family
`;

/** zebra and bgpd; both are asked to stop in order, or die at once. */
class Frr {
  readonly #host: Host;
  readonly #folder: string;
  #processes: HostProcess[] = [];

  constructor(host: Host, folder: string) {
    this.#host = host;
    this.#folder = folder;
    const at = (name: string) => join(folder, name);
    mkdirSync(at('vtysh'), { recursive: true });
    writeFileSync(at('vtysh/vtysh.conf'), 'no service integrated-vtysh-config\n');
    writeFileSync(at('zebra.conf'), '');
    writeFileSync(at('bgpd.conf'), FRR_CONFIG);
    host.run(['chown', '-R', 'frr:frr', folder]);
  }

  async start(): Promise<void> {
    const at = (name: string) => join(this.#folder, name);
    this.#processes = [this.#host.spawn(frrCommand(this.#folder, 'zebra'))];
    await waitUntil('zebra', 5000, () => existsSync(at('zserv.api')));
    this.#processes.push(this.#host.spawn(frrCommand(this.#folder, 'bgpd')));
    await waitUntil('bgpd', 5000, () => existsSync(at('bgpd.vty')));
  }

  async kill(): Promise<void> {
    for (const process of this.#processes) process.kill('SIGKILL');
    await Promise.all(this.#processes.map((process) => process.exited));
    for (const name of ['zserv.api', 'bgpd.vty', 'zebra.vty', 'bgpd.pid', 'zebra.pid'])
      rmSync(join(this.#folder, name), { force: true });
  }
}

describe('an unnumbered session with FRR', function () {
  this.timeout(120_000);
  const hindrance = obstacle(frr);
  let node: Host;
  let tor: Host;
  let folder: string;
  let agent: RunningPodroute;
  let router: Frr;

  before(async function () {
    if (hindrance !== undefined) {
      if (hindrance.isFailure) throw new Error(hindrance.text);
      console.log(`      skipped: ${hindrance.text}`);
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'podroute-unnumbered-'));
    // FRR's user must reach its files.
    node = createHost('node', { group: 'unnum' });
    tor = createHost('tor', { group: 'unnum', forwarding: true });
    for (const host of [node, tor]) host.ip('link', 'set', 'lo', 'up');
    for (const address of ['10.0.0.1/32', 'fd00::1/128']) node.ip('address', 'add', address, 'dev', 'lo');
    for (const address of ['10.0.0.254/32', 'fd00::fe/128']) tor.ip('address', 'add', address, 'dev', 'lo');
    node.run(['chmod', '755', folder]);
    router = new Frr(tor, join(folder, 'frr'));
    agent = await startPodroute(node, {
      ...{ nodeName: 'n1', documents: DOCUMENTS, folder: join(folder, 'agent'), fib: 'kernel' },
      more: ['--cni-conf-dir', join(folder, 'net.d')],
    });
  });
  after(async () => {
    await Promise.all([node, tor].map((host) => host?.[Symbol.asyncDispose]()));
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const status = () => agent.get<StatusReply>('/v1/status');
  const session = async () => (await status()).sessions.find(({ id }) => id === 'tor');
  const texts = async () => (await status()).problems.map(({ text }) => text).join('\n');
  const isUp = async () => (await session())?.state === 'Established';
  const linkLocal = (host: Host, device: string): string =>
    /inet6 (fe80::\S+)\//.exec(host.ip('-6', 'address', 'show', 'dev', device, 'scope', 'link'))![1]!;

  /** Routes of both families are in both kernels, IPv4 by the other's link-local address. */
  async function areExchanged(): Promise<void> {
    const [ours, theirs] = [linkLocal(node, 'eth1'), linkLocal(tor, 'swp1')];
    const wanted = [
      [node, '-4', `10\\.0\\.0\\.254 via inet6 ${theirs} dev eth1 proto 179`],
      [node, '-6', `fd00::fe via ${theirs} dev eth1 proto 179`],
      [tor, '-4', `10\\.77\\.0\\.0/24 .*via inet6 ${ours} dev swp1`],
      [tor, '-6', `fd77::/64 .*via ${ours} dev swp1`],
    ] as const;
    for (const [host, family, text] of wanted) {
      const isThere = () => new RegExp(`^${text}`, 'm').test(host.ip(family, 'route', 'show'));
      await waitUntil(`${text} on ${host.name}`, 15_000, isThere);
    }
  }

  it('waits for the link and for an advertisement, and says so', async () => {
    const [waiting] = (await status()).waiting!;
    assert.deepEqual(waiting, {
      ...{ id: 'tor', from: 'BGPPeer tor', device: 'eth1', why: 'this node has no link eth1' },
    });
    assert.match(
      await texts(),
      /spec\.peerInterface.*has no neighbour: this node has no link eth1; it is taken/,
    );
    connect(node, tor, { devices: ['eth1', 'swp1'] });
    await waitUntil('it listens', 10_000, async () =>
      (await texts()).includes('no router advertisement heard on eth1 since 2'),
    );
    assert.match(await texts(), /On FRR: `neighbor IF interface remote-as external`/);
  });

  it('is established with the address that is heard, and exchanges routes of both families', async () => {
    await router.start();
    await waitUntil('the session', 30_000, isUp);
    const found = await session();
    assert.equal(found!.remote, `${linkLocal(tor, 'swp1')}%eth1`);
    assert.deepEqual(found!.families, ['ipv4', 'ipv6']);
    assert.equal((await status()).waiting, undefined);
    await areExchanged();
    await waitUntil('nothing to report', 5000, async () => (await texts()) === '');
  });

  it('does not make the router a default gateway here, nor this node one there, and leaves accept_ra as it was', () => {
    for (const host of [node, tor]) assert.equal(host.ip('-6', 'route', 'show', 'default'), '');
    const acceptRa = (device: string) =>
      node.run(['sysctl', '-n', `net.ipv6.conf.${device}.accept_ra`]).trim();
    assert.equal(acceptRa('eth1'), acceptRa('default'));
  });

  it('comes back when the router was killed and starts again', async () => {
    await router.kill();
    await waitUntil('the session is lost', 15_000, async () => !(await isUp()));
    await router.start();
    await waitUntil('the session', 30_000, isUp);
    await areExchanged();
    assert.equal((await session())!.flaps, 1);
  });

  it('moves when the router has another address', async () => {
    const before = (await session())!.remote;
    tor.ip('address', 'add', 'fe80::77/64', 'dev', 'swp1', 'nodad');
    tor.ip('address', 'delete', `${before.slice(0, before.indexOf('%'))}/64`, 'dev', 'swp1');
    await waitUntil('the session with the new address', 60_000, async () => {
      const found = await session();
      return found?.remote === 'fe80::77%eth1' && found.state === 'Established';
    });
    await areExchanged();
  });

  it('ends with the link and is back with it', async () => {
    tor.ip('link', 'set', 'swp1', 'down');
    await waitUntil('the session is lost', 2000, async () => !(await isUp()));
    tor.ip('link', 'set', 'swp1', 'up');
    await waitUntil('the session', 45_000, isUp);
    await areExchanged();
  });
});
