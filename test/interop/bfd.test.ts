// BFD with BIRD and with FRR's bfdd over a real wire: sessions come up, intervals are agreed, each finds out that the
// other is gone, AdminDown is understood on both sides, and BIRD's five kinds of authentication are ours.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BfdAuthType, BfdChange, BfdSessionConfig } from '#bfd';
import { connect, createHost, FRR_FOLDER, frrCommand, type Host, type HostProcess } from '#lab';
import { systemClock, waitUntil } from '#world';
import { type Detection, detectionIn } from '../../agent/detection/testing/detection-in.ts';
import { BIRD } from '../testing/routers.ts';

const OURS = '10.1.0.1';
const THEIRS = '10.1.0.2';
const MULTI_THEIRS = '10.9.0.2';

interface Neighbour {
  readonly name: string;
  missing(): string | undefined;
  /** 150 ms, multiplier 4, with OURS on the link and over several hops. @param more what its sessions have besides */
  start(host: Host, folder: string, more?: string): Promise<HostProcess>;
  /** 'Up' and the like, of the session on the link. */
  state(host: Host, folder: string): string;
  /** What its packets over several hops start with (RFC 5883 §5 asks for none). */
  readonly ttl: number;
  /** It says AdminDown when its session on the link is taken away; else it falls silent. */
  readonly saysAdminDown: boolean;
  /** Takes its session on the link away by its configuration, and puts it back. */
  setSession(host: Host, folder: string, isOn: boolean): void;
}

function birdText(more: string, isOn = true): string {
  const one = 'interval 150 ms; idle tx interval 1 s; multiplier 4;';
  return `router id 10.1.0.2;
protocol device {}
protocol bfd {
  interface "eth0" { ${one} ${more} };
  multihop { ${one} ${more} };
  ${isOn ? `neighbor ${OURS} dev "eth0";` : ''}
  neighbor ${OURS} local ${MULTI_THEIRS} multihop on;
}
`;
}

const bird: Neighbour = {
  name: 'BIRD',
  ttl: 64,
  saysAdminDown: false,
  missing: () => BIRD.missing(),
  async start(host, folder, more = '') {
    writeFileSync(join(folder, 'bird.conf'), birdText(more));
    const program = host.spawn([
      ...['bird', '-f', '-c', join(folder, 'bird.conf')],
      ...['-s', join(folder, 'ctl'), '-P', join(folder, 'pid')],
    ]);
    await waitUntil('BIRD', 5000, () => existsSync(join(folder, 'ctl')));
    return program;
  },
  state(host, folder) {
    const text = host.run(['birdc', '-s', join(folder, 'ctl'), 'show', 'bfd', 'sessions']);
    return /^10\.1\.0\.1\s+eth0\s+(\S+)/m.exec(text)?.[1] ?? 'none';
  },
  setSession(host, folder, isOn) {
    writeFileSync(join(folder, 'bird.conf'), birdText('', isOn));
    host.run(['birdc', '-s', join(folder, 'ctl'), 'configure']);
  },
};

const FRR_TIMERS = ['receive-interval 150', 'transmit-interval 150', 'detect-multiplier 4', 'no shutdown'];
const frr: Neighbour = {
  name: 'FRR',
  ttl: 255,
  saysAdminDown: true,
  missing: () => (existsSync(`${FRR_FOLDER}/bfdd`) ? undefined : 'apt-get install frr'),
  async start(host, folder) {
    const at = (name: string) => join(folder, name);
    for (const name of ['zebra', 'bfdd']) writeFileSync(at(`${name}.conf`), '');
    host.run(['chown', '-R', 'frr:frr', folder]);
    host.spawn(frrCommand(folder, 'zebra'));
    await waitUntil('zebra', 5000, () => existsSync(at('zserv.api')));
    const program = host.spawn([...frrCommand(folder, 'bfdd'), '--bfdctl', at('bfdd.sock')]);
    await waitUntil('bfdd', 5000, () => existsSync(at('bfdd.vty')));
    vtysh(host, folder, [
      ...['configure', 'bfd', `peer ${OURS} local-address ${THEIRS} interface eth0`, ...FRR_TIMERS, 'exit'],
      ...[`peer ${OURS} multihop local-address ${MULTI_THEIRS}`, ...FRR_TIMERS],
    ]);
    return program;
  },
  state(host, folder) {
    interface Peer {
      readonly peer: string;
      readonly multihop: boolean;
      readonly status: string;
    }
    const peers = JSON.parse(vtysh(host, folder, ['show bfd peers json'])) as Peer[];
    return capital(peers.find(({ multihop }) => !multihop)?.status ?? 'none');
  },
  setSession(host, folder, isOn) {
    const peer = `peer ${OURS} local-address ${THEIRS} interface eth0`;
    vtysh(host, folder, ['configure', 'bfd', peer, isOn ? 'no shutdown' : 'shutdown']);
  },
};

function vtysh(host: Host, folder: string, commands: readonly string[]): string {
  const options = ['--vty_socket', folder, '-d', 'bfdd'];
  return host.run(['vtysh', ...options, ...commands.flatMap((command) => ['-c', command])]);
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

const AUTHENTICATION: Readonly<Record<BfdAuthType, string>> = {
  SimplePassword: 'simple',
  KeyedMD5: 'keyed md5',
  MeticulousKeyedMD5: 'meticulous keyed md5',
  KeyedSHA1: 'keyed sha1',
  MeticulousKeyedSHA1: 'meticulous keyed sha1',
};

for (const neighbour of [bird, frr]) {
  describe(`interop: BFD with ${neighbour.name}`, function () {
    this.timeout(60_000);
    let cleanUp: AsyncDisposableStack;
    let host: Host;
    let folder: string;
    let detection: Detection;
    let changes: BfdChange[];
    let program: HostProcess;

    before(function () {
      const missing = neighbour.missing();
      if (missing === undefined) return;
      if (process.env['CI'] === 'true') throw new Error(missing);
      console.log(`      skipped: ${missing}`);
      this.skip();
    });

    async function begin(more?: string): Promise<void> {
      cleanUp = new AsyncDisposableStack();
      folder = mkdtempSync(join(tmpdir(), 'podroute-bfd-'));
      cleanUp.defer(() => rmSync(folder, { recursive: true }));
      const ours = cleanUp.use(createHost('bfd-a'));
      host = cleanUp.use(createHost('bfd-b'));
      connect(ours, host, {
        devices: ['eth0', 'eth0'],
        addresses: [[`${OURS}/24`], [`${THEIRS}/24`, `${MULTI_THEIRS}/32`]],
      });
      ours.ip('route', 'add', '10.9.0.0/24', 'via', THEIRS);
      program = cleanUp.use(await neighbour.start(host, folder, more));
      changes = [];
      detection = detectionIn(ours.path);
      detection.onChange((change) => changes.push(change));
      cleanUp.use(detection);
    }
    afterEach(() => cleanUp?.disposeAsync());

    const link = (more: Partial<BfdSessionConfig> = {}): BfdSessionConfig => ({
      ...{ id: 'link', local: OURS, remote: THEIRS, hops: 'single', leastTtl: 255, device: 'eth0' },
      ...{ transmitMicros: 100_000, receiveMicros: 200_000, multiplier: 3 },
      ...more,
    });
    const isUp = (id = 'link') => detection.status(id)?.state === 'Up';
    const said = () => JSON.stringify([detection.status('link'), neighbour.state(host, folder)]);
    const both = async () => {
      try {
        await waitUntil('both are Up', 10_000, () => isUp() && neighbour.state(host, folder) === 'Up');
      } catch (error) {
        throw new Error(said(), { cause: error });
      }
    };

    it('is Up on the link and over several hops, with the intervals that both want', async () => {
      await begin();
      const multi = link({ id: 'multi', remote: MULTI_THEIRS, hops: 'multi', leastTtl: neighbour.ttl });
      const { device: _, ...overSeveral } = multi;
      detection.apply([link(), overSeveral]);
      await both();
      await waitUntil('it is Up over several hops', 10_000, () => isUp('multi'));
      await waitUntil('both have polled', 3000, () => detection.status('link')!.transmitMicros === 150_000);
      const { detectionMicros, remoteMultiplier, refused, downs } = detection.status('link')!;
      assert.deepEqual([detectionMicros, remoteMultiplier, refused, downs], [800_000, 4, 0, 0]);
      // Another interval while it runs.
      detection.apply([link({ transmitMicros: 400_000, receiveMicros: 50_000 }), overSeveral]);
      await waitUntil('the poll is answered', 5000, () => {
        const status = detection.status('link')!;
        return status.transmitMicros === 400_000 && status.detectionMicros === 600_000;
      });
      assert.equal(detection.status('link')!.downs, 0);
    });

    it('finds out when the neighbour’s process dies', async () => {
      await begin();
      detection.apply([link()]);
      await both();
      changes.splice(0);
      const killedAt = systemClock.now();
      program.kill('SIGKILL');
      await waitUntil('it is found', 3000, () => changes.length > 0);
      const ms = systemClock.now() - killedAt;
      assert.deepEqual([changes[0]!.to, changes[0]!.diagnostic], ['Down', 1]);
      assert.ok(ms < 1500, `${ms} ms of 800`);
    });

    it('understands the neighbour’s administrator, and is understood', async () => {
      await begin();
      detection.apply([link()]);
      await both();
      changes.splice(0);
      neighbour.setSession(host, folder, false);
      await waitUntil('it is told', 3000, () => changes.length > 0);
      assert.deepEqual(
        [changes[0]!.to, changes[0]!.diagnostic, changes[0]!.remoteState],
        neighbour.saysAdminDown ? ['Down', 3, 'AdminDown'] : ['Down', 1, 'Up'],
      );
      neighbour.setSession(host, folder, true);
      await both();
      detection.apply([]);
      await waitUntil('the neighbour is told', 700, () => neighbour.state(host, folder) === 'Down');
    });

    if (neighbour !== bird) return;
    for (const [type, words] of Object.entries(AUTHENTICATION) as [BfdAuthType, string][]) {
      it(`is Up with authentication ${words}, stays so, and is not with another key`, async () => {
        await begin(`authentication ${words}; password "secret" { id 7; };`);
        const key = (text: string) => ({ authentication: { type, keyId: 7, key: Buffer.from(text) } });
        detection.apply([link(key('secret'))]);
        await both();
        const { packetsIn } = detection.status('link')!;
        await waitUntil('some packets', 5000, () => detection.status('link')!.packetsIn > packetsIn + 15);
        assert.deepEqual([detection.status('link')!.refused, detection.status('link')!.downs], [0, 0]);
        detection.apply([link(key('secreT'))]);
        await waitUntil('it is Down', 5000, () => !isUp());
        assert.equal(detection.status('link')!.lastRefusal, 'authentication with another key');
      });
    }
  });
}
