// What podroute expects of PodSources, asked of Linux itself (with packets, in fresh namespaces) and of those in memory.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { waitUntil } from '#world';
import { KernelError } from './kernel-error.ts';
import { MemoryKernel } from './memory/memory-kernel.ts';
import { MemoryPodSources } from './memory/memory-pod-sources.ts';
import { openPodSources } from './nftables/kernel-pod-sources.ts';
import type { DroppedPackets, PodSources } from './pod-sources.ts';
import { openPodWirer } from './real/pod-wirer.ts';
import { needNamespaces, TestNetns } from './testing/temporary-netns.ts';
import { ROUTER_ADVERTISEMENT } from './router-messages.ts';
import { sendRaw } from './testing/raw-frames.ts';

/** In both families what a pod has, what another pod has, and a stranger's. */
const OWN = ['10.77.0.1', 'fd77::1'];
const OTHERS = ['10.77.0.2', 'fd77::2', '8.8.8.8', '2001:db8::1', '127.0.0.1', '0.0.0.0', 'fc00::'];
const LINK = 'pr0123456789abc';
const OTHER_LINK = 'pr0123456789abd';
const HOST_MAC = '06:00:00:00:00:01';

interface Packet {
  readonly source: string;
  readonly destination?: string;
  readonly sourceMac?: string;
  /** Default: no ICMPv6. */
  readonly icmpv6?: number;
}

interface Machine extends AsyncDisposable {
  readonly sources: PodSources;
  /** By which counter it was dropped; undefined: it came in. */
  send(link: string, packet: Packet): Promise<keyof DroppedPackets | undefined>;
  flush(): void;
  /** Somebody else does something with a table of his own. */
  changeOthers(): void;
}

/** With nothing that is true in it but its type. */
const icmpv6Message = (type: number): Uint8Array =>
  Uint8Array.of(type, ...Array.from({ length: 23 }, () => 0));

const destinationOf = ({ source, destination }: Packet) =>
  destination ?? (source.includes(':') ? 'fd77::ffff' : '10.77.255.255');

async function realMachine(): Promise<Machine> {
  const cleanUp = new AsyncDisposableStack();
  const host = cleanUp.use(new TestNetns());
  const wirer = cleanUp.use(openPodWirer({ netns: host.path }));
  const pods = new Map<string, string>();
  for (const hostName of [LINK, OTHER_LINK]) {
    const pod = cleanUp.use(new TestNetns());
    const error = wirer.wire({
      netns: pod.path,
      hostName,
      podName: 'eth0',
      hostMac: HOST_MAC,
      podMac: '02:00:00:00:00:01',
      mtu: 1500,
      addresses: [],
      gateways: { ipv4: '169.254.1.1', ipv6: 'fe80::1' },
    });
    if (error instanceof KernelError) throw error;
    pods.set(hostName, pod.path);
    // Linux takes up to a second to see a new link's carrier, and drops what is sent before.
    const show = ['nsenter', [`--net=${pod.path}`, 'ip', 'link', 'show', 'eth0']] as const;
    const isUp = () => execFileSync(...show, { encoding: 'utf8' }).includes('state UP');
    await waitUntil('carrier', 3000, isUp);
  }
  const nft = (...words: string[]) =>
    execFileSync('nsenter', [`--net=${host.path}`, 'nft', ...words], { encoding: 'utf8' });
  const sources = cleanUp.use(openPodSources(host.path));
  return {
    sources,
    async send(link, packet) {
      const before = await sources.dropped();
      sendRaw(pods.get(link)!, 'eth0', {
        source: packet.source,
        destination: destinationOf(packet),
        sourceMac: packet.sourceMac ?? '02:00:00:00:00:01',
        destinationMac: HOST_MAC,
        ...(packet.icmpv6 !== undefined && { icmpv6: icmpv6Message(packet.icmpv6) }),
      });
      const after = await sources.dropped();
      if (after instanceof KernelError || before instanceof KernelError) return undefined;
      const names = ['source', 'advertisement', 'linkLocal'] as const;
      return names.find((name) => after[name] > before[name]);
    },
    flush: () => void nft('flush', 'ruleset'),
    changeOthers: () => void nft('add', 'table', 'inet', 'others'),
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  };
}

async function memoryMachine(): Promise<Machine> {
  const { podTable } = new MemoryKernel();
  return {
    sources: new MemoryPodSources(podTable),
    send: async (link, packet) => podTable.take(link, packet.source, destinationOf(packet), packet.icmpv6),
    flush: () => podTable.flush(),
    changeOthers: () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

const bindings = [
  { name: 'in memory', isReal: false, makeMachine: memoryMachine },
  { name: 'of Linux', isReal: true, makeMachine: realMachine },
];

for (const { name, isReal, makeMachine } of bindings) {
  describe(`sources of pods ${name}`, function () {
    if (isReal) needNamespaces(this);
    let machine: Machine;
    let sources: PodSources;
    beforeEach(async () => {
      machine = await makeMachine();
      ({ sources } = machine);
    });
    afterEach(() => machine[Symbol.asyncDispose]());

    const only = async () => assert.equal(await sources.replace([{ link: LINK, addresses: OWN }]), undefined);
    const comesIn = async (link: string, ...addresses: readonly string[]) => {
      for (const source of addresses)
        assert.equal(await machine.send(link, { source }), undefined, `${source} by ${link}`);
    };
    const isDropped = async (link: string, ...addresses: readonly string[]) => {
      for (const source of addresses)
        assert.equal(await machine.send(link, { source }), 'source', `${source} by ${link}`);
    };
    const droppedNow = async () => {
      const dropped = await sources.dropped();
      if (dropped instanceof KernelError) throw dropped;
      return dropped;
    };

    it('lets in what a pod sends from its addresses, whatever its MAC address, and nothing else', async () => {
      await only();
      await comesIn(LINK, ...OWN);
      await isDropped(LINK, ...OTHERS);
      for (const [i, source] of [...OWN, ...OTHERS].entries()) {
        const counter = await machine.send(LINK, { source, sourceMac: '02:66:66:66:66:66' });
        assert.equal(counter, i < OWN.length ? undefined : 'source', source);
      }
      assert.deepEqual(await droppedNow(), { source: 2 * OTHERS.length, advertisement: 0, linkLocal: 0 });
    });

    it('lets in what a new address of a pod is found out by, and nothing that the host would have to remember', async () => {
      await only();
      const [solicitation, echo, report] = [135, 128, 143];
      const onLink: readonly (readonly [string, string, keyof DroppedPackets | undefined, number?])[] = [
        ['::', 'ff02::1:ff00:5', undefined, solicitation],
        ['::', 'fe80::1', 'source'],
        ['::', 'fd77::2', 'source'],
        ['fe80::5', 'ff02::16', undefined, report],
        ['fe80::5', 'ff05::16', 'linkLocal', report],
        ['febf::5', 'ff02::1:ff00:1', 'linkLocal', solicitation],
        ['fe80::5', 'fe80::1', 'linkLocal', solicitation],
        ['fe80::5', 'ff02::1', 'linkLocal', echo],
        ['fe80::5', 'fe80::1', 'linkLocal'],
        ['fe80::5', 'ff02::2', 'linkLocal'],
        ['fe80::5', 'fd77::2', 'linkLocal'],
        ['fec0::5', 'ff02::16', 'source', report],
        ['169.254.1.5', '169.254.1.1', 'source'],
        ['0.0.0.0', '255.255.255.255', 'source'],
      ];
      for (const [source, destination, expected, icmpv6] of onLink) {
        const packet = { source, destination, ...(icmpv6 !== undefined && { icmpv6 }) };
        assert.equal(await machine.send(LINK, packet), expected, `${source} to ${destination}`);
      }
      const advertisement = { destination: 'ff02::1', icmpv6: ROUTER_ADVERTISEMENT };
      assert.equal(await machine.send(LINK, { source: 'fe80::5', ...advertisement }), 'advertisement');
      assert.equal(await machine.send(LINK, { source: '2001:db8::1', ...advertisement }), 'advertisement');
    });

    it('does not look at links that it was not told of', async () => {
      await only();
      await comesIn(OTHER_LINK, ...OWN, ...OTHERS);
      assert.equal(
        await machine.send(OTHER_LINK, {
          source: 'fe80::5',
          destination: 'ff02::1',
          icmpv6: ROUTER_ADVERTISEMENT,
        }),
        undefined,
      );
    });

    it('takes links up, gives them other addresses, and lets go of them', async () => {
      await only();
      const after = ['10.77.0.2', 'fd77::2'];
      assert.equal(await sources.change([{ link: OTHER_LINK, after }]), undefined);
      await comesIn(OTHER_LINK, ...after);
      await isDropped(OTHER_LINK, ...OWN);
      await comesIn(LINK, ...OWN);
      const swapped = [
        { link: OTHER_LINK, before: after, after: ['fd77::2', 'fd77::3'] },
        { link: LINK, before: OWN },
      ];
      assert.equal(await sources.change(swapped), undefined);
      await comesIn(OTHER_LINK, 'fd77::2', 'fd77::3');
      await isDropped(OTHER_LINK, '10.77.0.2', 'fd77::4');
      await comesIn(LINK, ...OTHERS);
      // The same again does no harm; and a link may have no address of a family, or none at all.
      assert.equal(await sources.change([{ link: OTHER_LINK, after: ['fd77::2', 'fd77::3'] }]), undefined);
      assert.equal(await sources.change([{ link: LINK, after: [] }]), undefined);
      await isDropped(LINK, ...OWN, ...OTHERS);
    });

    it('lists what is in force, and says when something of it was taken away', async () => {
      const listed = async () => {
        const found = await sources.list();
        return found instanceof KernelError
          ? found.code
          : found.map(({ link, addresses }) => `${link} ${addresses.toSorted().join(' ')}`.trim()).toSorted();
      };
      assert.equal(await listed(), 'ENOENT');
      await only();
      assert.deepEqual(await listed(), [`${LINK} ${OWN.join(' ')}`]);
      assert.equal(await sources.change([{ link: OTHER_LINK, after: [] }]), undefined);
      assert.deepEqual(await listed(), [`${LINK} ${OWN.join(' ')}`, OTHER_LINK]);
      assert.equal(await sources.replace([]), undefined);
      assert.deepEqual(await listed(), []);
      machine.flush();
      assert.equal(await listed(), 'ENOENT');
    });

    it('changes all or nothing', async () => {
      await only();
      const changes = [
        { link: OTHER_LINK, after: ['fd77::2'] },
        { link: 'pr00000000000ff', before: ['fd77::9'] },
      ];
      assert.equal((await sources.change(changes))?.code, 'ENOENT');
      await comesIn(OTHER_LINK, 'fd77::66');
    });

    it('are anew what they are told to be, in place of what there was', async () => {
      await only();
      await isDropped(LINK, 'fd77::2');
      assert.equal(await sources.replace([{ link: OTHER_LINK, addresses: ['fd77::2'] }]), undefined);
      assert.deepEqual(await droppedNow(), { source: 0, advertisement: 0, linkLocal: 0 });
      await comesIn(LINK, ...OTHERS);
      await isDropped(OTHER_LINK, 'fd77::3');
      assert.equal(await sources.replace([]), undefined);
      await comesIn(OTHER_LINK, ...OTHERS);
    });

    it('are gone when they are removed, also twice', async () => {
      await only();
      assert.equal(await sources.remove(), undefined);
      const counters = await sources.dropped();
      assert.equal(counters instanceof KernelError && counters.code, 'ENOENT');
      await comesIn(LINK, ...OTHERS);
      assert.equal(await sources.remove(), undefined);
    });

    it('hold some thousand pods', async () => {
      const many = Array.from({ length: 3000 }, (_, i) => ({
        link: `pr${i.toString(16).padStart(13, '0')}`,
        addresses: [`10.${100 + (i >> 8)}.${i & 255}.1`, `fd88::${i.toString(16)}`],
      }));
      assert.equal(await sources.replace([...many, { link: LINK, addresses: OWN }]), undefined);
      await comesIn(LINK, ...OWN);
      await isDropped(LINK, 'fd88::7');
      const listed = await sources.list();
      assert.ok(!(listed instanceof KernelError));
      assert.equal(listed.length, 3001);
      assert.ok(listed.every(({ addresses }) => addresses.length === 2));
    });

    it('tell when others take the table away, and say what they lack then', async () => {
      const heard: string[] = [];
      using _watch = sources.watch((news) => heard.push(news));
      assert.equal((await sources.change([{ link: LINK, after: OWN }]))?.code, 'ENOENT');
      const nothing = await sources.dropped();
      assert.ok(nothing instanceof KernelError && nothing.code === 'ENOENT');
      await only();
      assert.equal(await sources.change([{ link: OTHER_LINK, after: OWN }]), undefined);
      machine.changeOthers();
      await new Promise((resume) => setTimeout(resume, 50));
      assert.deepEqual(heard, [], 'its own changes and those of other tables');
      machine.flush();
      await waitUntil('the news', 1000, () => heard.length > 0);
      assert.equal(heard[0], 'changed');
      await comesIn(LINK, ...OTHERS);
      assert.equal((await sources.change([{ link: LINK, before: OWN }]))?.code, 'ENOENT');
      await only();
      await isDropped(LINK, ...OTHERS);
    });
  });
}
