// The image, and the DaemonSet's pod made of it: what the manifests ask for is enough to serve pods, on a real API server.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createHost, type Host, type HostProcess, KubernetesApi } from '#lab';
import { waitUntil } from '#world';
import { PodByHand, type PodSpec, unpack } from './testing/pod-by-hand.ts';

const PROJECT = join(import.meta.dirname, '../..');
const SERVER = '172.31.255.1';

describe('the image', function () {
  this.timeout(180_000);
  const folder = mkdtempSync(join(tmpdir(), 'podroute-image-'));
  const archive = join(folder, 'image.tar');
  const sum = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

  /** From a copy of the sources in another folder, which is built there; the packages are lent to it. */
  function buildAt(
    place: string,
    file: string,
    umask: string,
    env: Readonly<Record<string, string>>,
  ): string {
    const copy = join(folder, place);
    const notSources = ['node_modules', 'build', 'dist'].map((name) => join(PROJECT, name));
    cpSync(PROJECT, copy, { recursive: true, filter: (from) => !notSources.includes(from) });
    mkdirSync(join(copy, 'node_modules'));
    const script = [
      'set -e; umask "$1"; [ "$1" = 022 ] || chmod -R go= .',
      'mount --bind "$2" node_modules',
      '"$3" scripts/build.ts; exec "$3" scripts/build-image.ts "$4"',
    ].join('\n');
    const args = [umask, join(PROJECT, 'node_modules'), process.execPath, file];
    const said = execFileSync('unshare', ['--mount', 'sh', '-c', script, 'sh', ...args], {
      cwd: copy,
      encoding: 'utf8',
      env: { ...process.env, ...env },
    });
    rmSync(copy, { recursive: true });
    return said;
  }

  before(() => {
    buildAt('sources', archive, '022', {});
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is the same to the octet when it is built again, whoever builds it, when and where', () => {
    const again = join(folder, 'again.tar');
    const said = buildAt('sources in another place', again, '077', {
      TZ: 'Pacific/Auckland',
      LC_ALL: 'C',
      HOME: folder,
    });
    assert.match(said, /sha256:[0-9a-f]{64} \d+\.\d MB compressed/);
    assert.equal(sum(again), sum(archive));
    rmSync(again);
  });

  it('is of a Containerfile the same: entry point, environment, labels, user', () => {
    const inArchive = (name: string) => execFileSync('tar', ['-xOf', archive, name], { encoding: 'utf8' });
    const [{ Config }] = JSON.parse(inArchive('manifest.json')) as [{ Config: string }];
    const { config } = JSON.parse(inArchive(Config)) as { config: object };
    const [, image = ''] = readFileSync(join(PROJECT, 'Containerfile'), 'utf8').split('\nFROM scratch\n');
    const words = (instruction: string) =>
      image
        .split('\n')
        .filter((line) => line.startsWith(`${instruction} `))
        .flatMap((line) => line.slice(instruction.length + 1).split(' '));
    assert.deepEqual(
      {
        Entrypoint: JSON.parse(words('ENTRYPOINT').join(' ')) as unknown,
        Env: words('ENV'),
        // That of `FROM scratch`.
        WorkingDir: '/',
        Labels: Object.fromEntries(words('LABEL').map((label) => label.split('='))) as object,
      },
      config,
    );
    assert.deepEqual(words('COPY'), ['--from=build', '/root-files/', '/']);
  });

  it('is under 60 MB, and has no shell, no package manager and nothing that anybody may write', () => {
    assert.ok(statSync(archive).size < 60e6);
    const root = join(folder, 'unpacked');
    unpack(archive, root);
    try {
      assert.deepEqual(readdirSync(join(root, 'usr/bin')).sort(), ['node', 'podroute']);
      assert.equal(existsSync(join(root, 'bin')), false);
      const writable = execFileSync('find', [root, '-perm', '/022', '!', '-type', 'l', '!', '-name', 'tmp']);
      assert.equal(writable.toString(), '');
      const version = execFileSync('chroot', [root, '/usr/bin/podroute', '--version'], {
        encoding: 'utf8',
      });
      assert.match(version, /^\d+\.\d+\.\d+/);
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  describe('in the pods of the manifests', () => {
    let node: Host;
    let apiHost: Host;
    let api: KubernetesApi;
    let pod: PodByHand;
    let agent: HostProcess | undefined;
    let controller: HostProcess | undefined;
    let spec: PodSpec;
    const http = (path: string) =>
      node.run(['curl', '-s', '-m', '5', '-w', ' %{http_code}', `http://127.0.0.1:9479${path}`], {
        check: false,
      });

    const ours = ['-n', 'podroute-system'];
    const read = <T>(...what: string[]) =>
      JSON.parse(api.kubectl(['get', ...what, ...ours, '-o', 'json'])) as T;
    const byHand = (host: Host, name: string, of: PodSpec, token: string) => {
      const where = join(folder, name);
      mkdirSync(where);
      const server = { KUBERNETES_SERVICE_HOST: SERVER, KUBERNETES_SERVICE_PORT: '6443' };
      const { clusters } = JSON.parse(api.kubeconfigFor(token)) as {
        clusters: [{ cluster: { 'certificate-authority-data': string } }];
      };
      const ca = Buffer.from(clusters[0].cluster['certificate-authority-data'], 'base64').toString();
      const account = { token, namespace: 'podroute-system', 'ca.crt': ca };
      return new PodByHand(host, where, archive, of, { NODE_NAME: 'n1', POD_IP: SERVER, ...server }, account);
    };

    before(async () => {
      node = createHost('n1', { group: 'image' });
      apiHost = createHost('api', { group: 'image' });
      connect(node, apiHost, { devices: ['uplink', 'n1'], addresses: [['10.0.0.1/24'], ['10.0.0.254/24']] });
      node.ip('route', 'add', 'default', 'via', '10.0.0.254');
      apiHost.ip('address', 'add', `${SERVER}/32`, 'dev', 'lo');
      api = await KubernetesApi.start({ folder: join(folder, 'api'), address: SERVER, host: apiHost });
      const address = { type: 'InternalIP', address: '10.0.0.1' };
      api.install(
        JSON.stringify({
          apiVersion: 'v1',
          kind: 'Node',
          metadata: { name: 'n1' },
          spec: { taints: [{ key: 'podroute.io/agent-not-ready', effect: 'NoSchedule' }] },
          status: { addresses: [address] },
        }),
      );
      api.kubectl(['apply', '-k', join(PROJECT, 'manifests/kubernetes/mesh')]);
      const { users } = JSON.parse(api.nodeKubeconfig('n1')) as { users: [{ user: { token: string } }] };
      spec = read<{ spec: PodSpec }>('pod', 'podroute-agent-n1').spec;
      pod = byHand(node, 'agent', spec, users[0].user.token);
    });
    after(async () => {
      await agent?.stop();
      await controller?.stop();
      await api?.[Symbol.asyncDispose]();
      await node?.[Symbol.asyncDispose]();
      await apiHost?.[Symbol.asyncDispose]();
    });

    it('installs the CNI executable, with no capability', async () => {
      const installer = pod.start(spec.initContainers![0]!);
      const { code } = await installer.exited;
      assert.equal(code, 0, installer.output);
      assert.ok(existsSync(pod.onHost('/opt/cni/bin/podroute')));
    });

    it('gets ready, with the capabilities and mounts of the manifest', async () => {
      agent = pod.start(spec.containers[0]!);
      await waitUntil('the agent to be ready', 30_000, () => {
        if (!agent!.running) throw new Error(agent!.output);
        return http('/readyz').endsWith(' 200');
      });
      assert.match(http('/healthz'), / 200$/);
      await waitUntil('its status in the cluster', 30_000, () =>
        / True +/.test(api.kubectl(['get', 'bgpns', '--no-headers'])),
      );
      await waitUntil('its start-up taint to be gone', 30_000, () => {
        const { spec: found } = read<{ spec: { taints?: { key: string }[] } }>('node', 'n1');
        return (found.taints ?? []).every(({ key }) => !key.startsWith('podroute.io/'));
      });
      assert.equal(node.run(['sysctl', '-n', 'net.ipv4.ip_forward']).trim(), '1');
    });

    it('wires a pod whose namespace came later, by either name that a runtime gives it', async () => {
      const conflist = join(pod.onHost('/etc/cni/net.d'), '10-podroute.conflist');
      const { cniVersion, name, plugins } = JSON.parse(readFileSync(conflist, 'utf8')) as {
        cniVersion: string;
        name: string;
        plugins: [object];
      };
      // The host's /run/podroute is elsewhere here.
      const socketPath = join(pod.onHost('/run/podroute'), 'cni.sock');
      const input = JSON.stringify({ ...plugins[0], cniVersion, name, socketPath });
      const call = (command: string, containerId: string, netns: string) =>
        node.run([pod.onHost('/opt/cni/bin/podroute')], {
          input,
          env: {
            CNI_COMMAND: command,
            CNI_CONTAINERID: containerId,
            CNI_NETNS: netns,
            CNI_IFNAME: 'eth0',
            CNI_PATH: pod.onHost('/opt/cni/bin'),
          },
        });
      await using named = createHost('pod', { group: 'image' });
      // As a pause container: not root's.
      const pause = spawn('unshare', ['--net', 'setpriv', '--reuid=65535', '--clear-groups', 'sleep', '60']);
      try {
        await waitUntil('it to have its namespace', 5_000, () =>
          readFileSync(`/proc/${pause.pid}/cmdline`, 'utf8').startsWith('sleep'),
        );
        const first = JSON.parse(call('ADD', 'one', `/var/run/netns/${named.netns}`)) as {
          ips: { address: string }[];
        };
        call('ADD', 'two', `/proc/${pause.pid}/ns/net`);
        const address = first.ips[0]!.address.split('/')[0]!;
        node.run(['ping', '-c', '1', '-W', '2', address]);
        assert.match(node.ip('route', 'show', address), /proto 179/);
        call('DEL', 'two', `/proc/${pause.pid}/ns/net`);
        call('DEL', 'one', `/var/run/netns/${named.netns}`);
      } finally {
        pause.kill('SIGKILL');
      }
    });

    it('is asked by kubectl exec without a shell', () => {
      const { pid } = agent!;
      const said = node.run([
        'nsenter',
        `--target=${pid}`,
        '--mount',
        '--root',
        '/usr/bin/podroute',
        'status',
      ]);
      assert.match(said, /^n1: AS 64512, router ID 10\.0\.0\.1/);
    });

    it('is a controller that leads and sums, as nobody and with no capability', async () => {
      const { spec: deployment } = read<{ spec: { template: { spec: PodSpec } } }>(
        'deployment',
        'podroute-controller',
      );
      const token = api.kubectl(['create', 'token', 'podroute-controller', ...ours]).trim();
      const { spec: of } = deployment.template;
      controller = byHand(apiHost, 'controller', of, token).start(of.containers[0]!);
      await waitUntil('the pool to be summed and held', 30_000, () => {
        if (!controller!.running) throw new Error(controller!.output);
        const { metadata, status } = read<{
          metadata: { finalizers?: string[] };
          status?: { conditions?: { type: string; status: string }[] };
        }>('ippools.podroute.io', 'pods-ipv4');
        const isReady = status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True');
        return isReady === true && metadata.finalizers?.length === 1;
      });
      const { spec: lease } = read<{ spec: { holderIdentity: string } }>('lease', 'podroute-controller');
      assert.notEqual(lease.holderIdentity, '');
      assert.doesNotMatch(controller.output, /forbidden|Forbidden/);
    });

    it('is taken off the node by the pod of manifests/kubernetes/uninstall, once no agent runs', async () => {
      api.kubectl(['apply', '-k', join(PROJECT, 'manifests/kubernetes/uninstall')]);
      const { spec: daemon } = read<{ spec: { template: { spec: PodSpec } } }>(
        'daemonset',
        'podroute-uninstall',
      );
      const leaving = daemon.template.spec;
      const container = leaving.containers[0]!;
      const { command } = container.readinessProbe!.exec!;
      assert.equal(command[0], '/usr/bin/podroute');
      const probe = async () =>
        (await pod.start({ ...container, args: command.slice(1) }, leaving).exited).code;
      const conflist = join(pod.onHost('/etc/cni/net.d'), '10-podroute.conflist');
      const taker = pod.start(container, leaving);
      try {
        await waitUntil('it to refuse', 20_000, () => /has an agent already: .*n1/.test(taker.output));
        assert.equal(await probe(), 1);
        assert.ok(existsSync(conflist));
        await agent!.stop();
        assert.equal(await probe(), 1);
        await waitUntil('it to be done', 30_000, () => {
          if (/ failed: /.test(taker.output)) throw new Error(taker.output);
          return taker.output.includes('waiting to be ended');
        });
        assert.equal(await probe(), 0, taker.output);
        assert.equal(existsSync(conflist), false);
        assert.equal(existsSync(join(pod.onHost('/opt/cni/bin'), 'podroute')), false);
        for (const path of ['/run/podroute', '/var/lib/podroute']) {
          assert.deepEqual(readdirSync(pod.onHost(path)), [], path);
        }
        assert.doesNotMatch(node.ip('route', 'show', 'table', 'all'), /proto 179/);
        assert.doesNotMatch(node.run(['nft', 'list', 'tables']), /podroute/);
        taker.kill('SIGTERM');
        assert.equal((await taker.exited).code, 0, taker.output);
      } finally {
        await taker.stop();
      }
    });
  });
});
