// The whole CNI server over a kernel, a disk and a socket in memory: what one call does that a look at one verb does not
// show.
import assert from 'node:assert/strict';
import { type BlockStore, Ipam } from '#ipam';
import { MemoryKernel, MemoryNamespaces, MemoryPodSources, MemoryPodWirer, type PodWirer } from '#linux';
import { FakeClock, MemoryDisk } from '#world/testing';
import { MemoryCni } from '../testing/memory-cni.ts';
import { encodeRequest, withoutLength } from './call.ts';
import { type CniServer, type CniServerIo, serveCni } from './serve.ts';

const PATHS = { socketPath: '/run/cni.sock', stateDir: '/state' };
const POD = '/run/netns/pod';

/** Addresses come from podCIDRs: no store is asked. */
const noStore: BlockStore = {
  create: () => Promise.reject(new Error('there is no store')),
  get: () => Promise.resolve(undefined),
  list: () => Promise.resolve([]),
  update: () => Promise.resolve({ kind: 'notFound' }),
  delete: () => Promise.resolve({ kind: 'notFound' }),
};

class Bench implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly disk = new MemoryDisk();
  readonly kernel = new MemoryKernel();
  readonly namespaces = new MemoryNamespaces();
  readonly cni = new MemoryCni(this.disk);
  readonly log: string[] = [];
  ipam!: Ipam;
  server!: CniServer;

  static async up(more: Partial<CniServerIo> = {}): Promise<Bench> {
    const bench = new Bench();
    await bench.start(more);
    return bench;
  }

  async start(more: Partial<CniServerIo>): Promise<void> {
    const { clock, disk, kernel, namespaces } = this;
    const write = (subject: string, message: string): void => void this.log.push(`${subject}: ${message}`);
    const log = { debug: write, info: write, warn: write, error: write };
    this.ipam = new Ipam({ node: 'n1', stateDir: PATHS.stateDir }, { clock, disk, store: noStore, log });
    await this.ipam.start();
    this.ipam.setInputs({ pools: [], podCidrs: ['10.77.0.0/29'], reservations: [] });
    namespaces.create(POD);
    this.server = await serveCni(PATHS, {
      clock,
      disk,
      listener: this.cni,
      ipam: this.ipam,
      kernel,
      wirer: new MemoryPodWirer(kernel, namespaces),
      sources: new MemoryPodSources(kernel.podTable),
      openPodKernel: async () => namespaces.open(POD) as MemoryKernel,
      log,
      ...more,
    });
  }

  request(command: string, args = '', config: object = {}) {
    return {
      environment: new Map([
        ['CNI_COMMAND', command],
        ['CNI_CONTAINERID', 'c1'],
        ['CNI_NETNS', POD],
        ['CNI_IFNAME', 'eth0'],
        ['CNI_PATH', '/opt/cni/bin'],
        ['CNI_ARGS', args],
      ]),
      input: JSON.stringify({ cniVersion: '1.1.0', name: 'podroute', type: 'podroute', ...PATHS, ...config }),
    };
  }

  async call(
    command: string,
    args?: string,
    config?: object,
  ): Promise<{ exitCode: number; json: Record<string, unknown> }> {
    const { exitCode, output } = await this.cni.call(this.request(command, args, config));
    return { exitCode, json: JSON.parse(output === '' ? '{}' : output) as Record<string, unknown> };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.ipam[Symbol.asyncDispose]();
  }
}

describe('the CNI server', () => {
  it('finishes the queued DEL of an attachment before its ADD, which is of the next life', async () => {
    await using bench = await Bench.up();
    assert.equal((await bench.call('ADD')).exitCode, 0);
    const file = '/state/del-queue/c1@eth0';
    // As the executable leaves it when the agent was silent for a second.
    bench.disk.put(file, withoutLength(encodeRequest(bench.request('DEL'))));
    const again = await bench.call('ADD');
    assert.equal(again.exitCode, 0, JSON.stringify(again.json));
    assert.equal(bench.disk.contents(file), undefined);
    // Nobody takes the new pod for the old one later.
    await bench.clock.run(30_000);
    assert.equal(bench.ipam.usage().allocations.length, 1);
    assert.equal((await bench.kernel.links()).length, 2, 'lo and the pod’s');
  });

  it('looks at the host side, too, when it CHECKs', async () => {
    await using bench = await Bench.up();
    const { json: prevResult } = await bench.call('ADD');
    const good = await bench.call('CHECK', '', { prevResult });
    assert.equal(good.exitCode, 0, JSON.stringify(good.json));
    const [route] = await bench.kernel.routes({ protocol: 179 });
    assert.equal(bench.kernel.change({ type: 'deleteRoute', route: route! }), undefined);
    const { json } = await bench.call('CHECK', '', { prevResult });
    assert.equal(json['code'], 112);
    assert.match(String(json['details']), /the host's route to 10\.77\.0\.0 does not lead to pr/);
  });

  it('has the kernel look at a pod’s link from before it is there until it is gone', async () => {
    const kernel = new MemoryKernel();
    const namespaces = new MemoryNamespaces();
    namespaces.create(POD);
    const wirer = new MemoryPodWirer(kernel, namespaces);
    const seen: string[] = [];
    const wire: PodWirer['wire'] = (spec) => {
      seen.push(`wire ${kernel.podTable.looksAt(spec.hostName)}`);
      return wirer.wire(spec);
    };
    const unwire: PodWirer['unwire'] = async (link) => {
      const error = await wirer.unwire(link);
      seen.push(`unwire ${kernel.podTable.looksAt(link)}`);
      return error;
    };
    const sources = new MemoryPodSources(kernel.podTable);
    await using bench = await Bench.up({
      ...{ kernel, sources },
      wirer: {
        wire,
        unwire,
        unwireGroup: (group) => wirer.unwireGroup(group),
        [Symbol.asyncDispose]: async () => {},
      },
    });
    assert.equal((await bench.call('ADD')).exitCode, 0);
    const [link] = (await kernel.links()).filter(({ name }) => name.startsWith('pr'));
    assert.equal((await bench.call('DEL')).exitCode, 0);
    assert.deepEqual(seen, ['wire true', 'unwire true']);
    assert.equal(kernel.podTable.looksAt(link!.name), false);
    // Nothing stays of an ADD that fails.
    kernel.refuse = (request) => (request.type === 'addLink' ? 28 : undefined);
    assert.equal((await bench.call('ADD')).exitCode, 1);
    assert.equal(kernel.podTable.looksAt(link!.name), false);
  });

  it('leaves no link of an ADD whose record could not be written', async () => {
    await using bench = await Bench.up();
    bench.disk.failure = 'ENOSPC: no space left on device';
    const { exitCode, json } = await bench.call('ADD');
    assert.deepEqual([exitCode, json['code']], [1, 104]);
    assert.match(String(json['msg']), /cannot be written: ENOSPC/);
    assert.deepEqual(
      (await bench.kernel.links()).map(({ name }) => name),
      ['lo'],
    );
    assert.equal((await bench.call('STATUS')).json['code'], 50);
    bench.disk.failure = undefined;
    assert.equal((await bench.call('ADD')).exitCode, 0);
  });

  it('answers STATUS by what ADD waits for besides addresses, and writes no conflist before', async () => {
    let why: string | undefined = 'the first routes have not come';
    await using bench = await Bench.up({ whyUnready: () => why });
    const { exitCode, json } = await bench.call('STATUS');
    assert.deepEqual([exitCode, json['code'], json['details']], [1, 50, why]);
    assert.equal(bench.server.whyUnready(), why);
    why = undefined;
    assert.equal((await bench.call('STATUS')).exitCode, 0);
    assert.equal(bench.server.whyUnready(), undefined);
  });

  it('gives the pod the MAC that CNI_ARGS asks for', async () => {
    await using bench = await Bench.up();
    const { exitCode, json } = await bench.call('ADD', 'MAC=0a:58:0a:4d:00:07');
    assert.equal(exitCode, 0, JSON.stringify(json));
    assert.equal((json['interfaces'] as { mac: string }[])[1]?.mac, '0a:58:0a:4d:00:07');
    const pod = bench.namespaces.open(POD) as MemoryKernel;
    assert.equal((await pod.links()).find(({ name }) => name === 'eth0')?.mac, '0a:58:0a:4d:00:07');
    const wrong = await bench.call('ADD', 'MAC=07');
    assert.deepEqual([wrong.exitCode, wrong.json['code']], [1, 7]);
  });
});
