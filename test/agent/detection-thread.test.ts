// BFD in threads with real sockets: two hosts with a wire between them, a thread for each, sessions of every kind.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import type { BfdChange, BfdSessionConfig } from '#bfd';
import { connect, createHost, type Host } from '#lab';
import { waitUntil } from '#world';
import { type DetectionThread, detectionThreadIn } from '../../agent/testing/detection-thread-in.ts';

const INTERVAL_MS = 100;
const MULTIPLIER = 3;
const SINGLE = { hops: 'single', leastTtl: 255, device: 'eth0' } as const;
const KINDS: Record<
  string,
  [a: string, b: string, kind: Pick<BfdSessionConfig, 'hops' | 'leastTtl' | 'device'>]
> = {
  ipv4: ['10.1.0.1', '10.1.0.2', SINGLE],
  ipv6: ['fd01::1', 'fd01::2', { hops: 'single', leastTtl: 255 }],
  'link-local': ['fe80::1%eth0', 'fe80::2%eth0', SINGLE],
  multihop: ['10.2.0.1', '10.2.0.2', { hops: 'multi', leastTtl: 254 }],
};
const IDS = Object.keys(KINDS).sort();

function wanted(end: 0 | 1): BfdSessionConfig[] {
  return Object.entries(KINDS).map(([id, [a, b, kind]]) => ({
    ...{ id, ...kind, local: end === 0 ? a : b, remote: end === 0 ? b : a },
    ...{ transmitMicros: INTERVAL_MS * 1_000, receiveMicros: INTERVAL_MS * 1_000, multiplier: MULTIPLIER },
  }));
}

interface End extends DetectionThread {
  readonly changes: (BfdChange & { readonly atMs: number })[];
}

describe('the thread of BFD', function () {
  this.timeout(60_000);
  let cleanUp: AsyncDisposableStack;
  let hosts: [Host, Host];
  let a: End;
  let b: End;

  function begin(host: Host, end: 0 | 1): End {
    const changes: End['changes'] = [];
    const thread = detectionThreadIn(host.path);
    const { detection } = thread;
    cleanUp.use(detection);
    detection.onChange((change) => changes.push({ ...change, atMs: performance.now() }));
    detection.apply(wanted(end));
    return { ...thread, changes };
  }

  const idsThat = ({ changes }: End, to: string): string[] =>
    changes
      .filter((change) => change.to === to)
      .map(({ id }) => id)
      .sort();

  beforeEach(async () => {
    cleanUp = new AsyncDisposableStack();
    hosts = [cleanUp.use(createHost('a')), cleanUp.use(createHost('b'))];
    connect(...hosts, {
      devices: ['eth0', 'eth0'],
      addresses: [
        ['10.1.0.1/24', 'fd01::1/64', 'fe80::1/64'],
        ['10.1.0.2/24', 'fd01::2/64', 'fe80::2/64'],
      ],
    });
    for (const [i, host] of hosts.entries()) {
      host.ip('address', 'add', `10.2.0.${i + 1}/32`, 'dev', 'lo');
      host.ip('route', 'add', `10.2.0.${2 - i}/32`, 'via', `10.1.0.${2 - i}`, 'src', `10.2.0.${i + 1}`);
    }
    a = begin(hosts[0], 0);
    b = begin(hosts[1], 1);
    for (const end of [a, b])
      await waitUntil('all are Up at their speed', 20_000, () =>
        IDS.every((id) => end.detection.status(id)?.detectionMicros === INTERVAL_MS * MULTIPLIER * 1_000),
      );
    for (const { changes } of [a, b]) changes.splice(0);
  });
  afterEach(() => cleanUp.disposeAsync());

  it('finds within the detection time that a neighbour is silent', async () => {
    hosts[0].ip('link', 'set', 'eth0', 'down');
    const cutAt = performance.now();
    await waitUntil('all are down', 5_000, () => idsThat(b, 'Down').length === IDS.length);
    assert.deepEqual(idsThat(b, 'Down'), IDS);
    for (const { id, diagnostic, atMs } of b.changes) {
      assert.equal(diagnostic, 1, id);
      assert.ok(atMs - cutAt < INTERVAL_MS * MULTIPLIER + 30, `${id}: after ${atMs - cutAt} ms`);
    }
  });

  it('holds its sessions while the agent is busy', () => {
    const until = performance.now() + 1_500;
    while (performance.now() < until);
    assert.deepEqual([...a.changes, ...b.changes], []);
  });

  it('says AdminDown when the agent ends', async () => {
    await a.detection[Symbol.asyncDispose]();
    await waitUntil('all are told', 250, () => b.changes.length === IDS.length);
    assert.deepEqual(
      b.changes.map(({ to, remoteState }) => `${to}, neighbour ${remoteState}`),
      IDS.map(() => 'Down, neighbour AdminDown'),
    );
  });

  it('begins again when it dies, and tells nobody that a session is down for it', async () => {
    await a.workers[0]!.terminate();
    assert.match(a.detection.status('ipv4')!.problem!, /^the thread of BFD ended \(exit code 1\)/);
    await waitUntil('the neighbour notices', 5_000, () => idsThat(b, 'Down').length === IDS.length);
    for (const end of [a, b])
      await waitUntil('all are Up again', 20_000, () =>
        IDS.every((id) => end.detection.status(id)?.state === 'Up'),
      );
    assert.deepEqual(idsThat(b, 'Up'), IDS);
    const told = a.changes.splice(0).map(({ id, from, to }) => `${id} ${from}>${to}`);
    assert.deepEqual(
      told.filter((one) => one.endsWith('AdminDown')).sort(),
      IDS.map((id) => `${id} Up>AdminDown`),
    );
    assert.deepEqual(
      told.filter((one) => one.includes(' Up>Down')),
      [],
    );
    assert.equal(a.workers.length, 2);
    assert.deepEqual(a.said, [
      'the thread of BFD ended: its sessions begin anew, and none counts as down for it',
    ]);
    // From now on it is as before.
    await b.detection[Symbol.asyncDispose]();
    await waitUntil('a is told', 250, () => idsThat(a, 'Down').length === IDS.length);
  });

  it('tells the neighbours of sessions that are no longer wanted, and forgets them', async () => {
    a.detection.apply(wanted(0).slice(0, 1));
    assert.equal(a.detection.status(IDS.at(-1)!), undefined);
    await waitUntil('the neighbour is told of the others', 5_000, () => b.changes.length === IDS.length - 1);
    assert.ok(b.changes.every(({ remoteState }) => remoteState === 'AdminDown'));
    assert.deepEqual(a.changes, []);
  });

  it('does not keep its process', () => {
    const module = new URL('../../agent/bindings/detection-thread.ts', import.meta.url).href;
    const code = `
      import(${JSON.stringify(module)}).then(({ startDetectionThread }) => {
        const quiet = () => undefined;
        startDetectionThread({ info: quiet, error: quiet }).apply(${JSON.stringify(wanted(0))});
      });`;
    execFileSync(process.execPath, ['--no-warnings', '-e', code], { timeout: 20_000 });
  });
});
