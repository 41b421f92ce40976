import assert from 'node:assert/strict';
import { KernelError } from '#linux';
import { FakeClock } from '#world/testing';
import { CHECKS, type Check, examine } from './examine.ts';
import { good, setSwitch } from './finding.ts';
import type { AgentSays } from './patient.ts';
import { memoryPatient } from './testing/memory-patient.ts';

const named = (name: string): Check => CHECKS.find((one) => one.name === name)!;

/** Of one check, on this machine. */
async function findings(name: string, patient = memoryPatient()) {
  const { results } = await examine(patient, new FakeClock(), [named(name)]);
  return results.map(({ state, what, mend }) => [state, what, ...(mend ?? [])]);
}

const refused = (code: string) => Object.assign(new Error(`${code}: open /x`), { code });

describe('an examination', () => {
  it('has a line of every check, also where no agent answers', async () => {
    const { results, node, version } = await examine(memoryPatient(), new FakeClock());
    assert.deepEqual(
      [...new Set(results.map(({ check }) => check))],
      CHECKS.map(({ name }) => name),
    );
    assert.deepEqual([node, version], [undefined, '1.2.3']);
  });

  it('reports a check that hangs when its time is over, and does not wait for it', async () => {
    const clock = new FakeClock();
    const hangs: Check = { name: 'disk', limitMs: 3_000, look: () => new Promise(() => undefined) };
    const quick: Check = { name: 'quick', limitMs: 3_000, look: async () => [good('fine')] };
    const examined = examine(memoryPatient(), clock, [hangs, quick]);
    await new Promise(setImmediate);
    clock.advance(3_000);
    assert.deepEqual((await examined).results, [
      { check: 'disk', state: 'wrong', what: 'hangs: no answer within 3 s' },
      { check: 'quick', state: 'good', what: 'fine' },
    ]);
    assert.equal(clock.pending, 0);
  });

  it('says what needs root, and what else kept it from looking', async () => {
    const fails = (code: string): Check => ({
      name: 'x',
      limitMs: 1,
      look: async () => {
        throw refused(code);
      },
    });
    const say = async (code: string, isRoot: boolean) =>
      (await examine(memoryPatient({ isRoot }), new FakeClock(), [fails(code)])).results[0];
    assert.deepEqual(await say('EACCES', false), { check: 'x', state: 'not tested', what: 'needs root' });
    const what = 'cannot be looked at: EACCES: open /x';
    assert.deepEqual(await say('EACCES', true), { check: 'x', state: 'not tested', what });
    assert.match((await say('EIO', false))!.what, /EIO/);
  });
});

describe('the doctor of an agent without kernel routes', () => {
  it('leaves out what only forwarding needs', async () => {
    const agent = {
      version: { version: '1.2.3', node: 'rr', pid: 7, runtime: '' },
      status: { sessions: [], problems: [], addresses: {} },
      plan: { generation: 0, isStale: false, problems: [] },
    } as unknown as AgentSays;
    const { node, results } = await examine(memoryPatient({ agent, peer: () => 7 }), new FakeClock());
    assert.equal(node, 'rr');
    const left = results.filter(({ what }) => what.startsWith('not needed')).map(({ check }) => check);
    assert.ok(left.includes('conflist') && left.includes('forwarding') && !left.includes('BGP port'));
    assert.deepEqual(
      results.filter(({ state }) => state === 'wrong').map(({ check }) => check),
      ['BGP port'],
    );
  });
});

describe('the doctor without an agent', () => {
  const twoWays = async () => {
    const patient = memoryPatient();
    for (const [n, device] of ['eth0', 'eth1'].entries()) {
      await patient.kernel.apply([
        { type: 'addLink', kind: 'veth', name: device, up: true, peer: { name: `${device}b` } },
        { type: 'setLink', device: `${device}b`, up: true },
        { type: 'addAddress', device, address: `10.${n}.0.1/24` },
      ]);
    }
    const route = (destination: string, gateway: string, device: string, protocol = 179) =>
      ({ type: 'addRoute', route: { destination, protocol, nextHops: [{ gateway, device }] } }) as const;
    await patient.kernel.apply([
      route('10.244.1.0/24', '10.0.0.254', 'eth0'),
      route('10.244.2.0/24', '10.1.0.254', 'eth1'),
      { type: 'addRoute', route: { destination: '10.244.0.0/26', type: 'unreachable', protocol: 179 } },
    ]);
    return patient;
  };

  it('knows neighbours, ways out and pods by what one has left in the kernel', async () => {
    const patient = await twoWays();
    patient.kernel.sysctl.write('net/ipv4/conf/eth1/rp_filter', '1');
    assert.deepEqual(await findings('reverse path', patient), [
      [
        'wrong',
        'rp_filter is strict on eth1: of 2 ways out, what comes in by another than the answer takes is dropped',
        'sysctl -w net.ipv4.conf.eth1.rp_filter=2',
      ],
    ]);
    assert.deepEqual(await findings('forwarding', patient), [
      [
        'wrong',
        'IPv4 forwarding is off: no packet of a pod leaves the node',
        'sysctl -w net.ipv4.ip_forward=1',
      ],
    ]);
    patient.kernel.sysctl.write('net/ipv4/ip_forward', '1');
    assert.deepEqual(await findings('forwarding', patient), [['good', 'IPv4 forwarding is on']]);
    patient.kernel.sysctl.write('net/ipv4/conf/eth0/forwarding', '0');
    assert.match(String(await findings('forwarding', patient)), /off for 1 link.*net\.ipv4\.conf\.eth0/);
  });

  it('searches for the largest packet that a neighbour answers, and calls one that answers none not tested', async () => {
    const patient = await twoWays();
    const asked: number[] = [];
    const fits = (address: string, most: number) => (size: number) => {
      asked.push(size);
      return address === '10.0.0.254' && size <= most;
    };
    const limited = (most: number) => ({
      ...patient,
      echo: async (address: string, sizes: readonly number[]) => new Set(sizes.filter(fits(address, most))),
    });
    for (const most of [1280, 1379, 1484, 1499]) {
      const [found, silent] = await findings('path MTU', limited(most));
      assert.deepEqual(
        [found![0], found![2], silent],
        ['wrong', `ip link set dev eth0 mtu ${most}`, ['not tested', 'no ping is answered by 10.1.0.254']],
      );
    }
    assert.ok(asked.every((size) => size <= 1500));
    assert.match(String(await findings('path MTU', limited(1500))), /^good,.*10\.0\.0\.254 \(1500\)/);
  });

  it('does not take a failing socket for a small MTU', async () => {
    const patient = await twoWays();
    const echo = async (address: string) => new KernelError('open ping socket', address, 1);
    assert.deepEqual(
      (await findings('path MTU', { ...patient, echo })).map(([state]) => state),
      ['not tested', 'not tested'],
    );
  });

  it('sees the routes of others only where they lie among pods, or cover them', async () => {
    const patient = await twoWays();
    const add = (destination: string, protocol: number) =>
      patient.kernel.apply([
        {
          type: 'addRoute',
          route: { destination, protocol, metric: 32, nextHops: [{ gateway: '10.0.0.254', device: 'eth0' }] },
        },
      ]);
    await add('0.0.0.0/0', 12);
    await add('10.244.9.0/24', 12);
    assert.deepEqual((await findings('other routes', patient))[0]![0], 'good');
    await add('10.244.0.0/16', 186);
    await add('10.244.0.8/32', 12);
    const found = await findings('other routes', patient);
    assert.deepEqual(
      found.map(([state, , ...mend]) => [state, ...mend]),
      [
        ['wrong', 'ip -4 route del 10.244.0.8/32 proto 12 metric 32'],
        ['wrong', 'ip -4 route del 10.244.0.0/16 proto 186 metric 32'],
      ],
    );
  });

  it('asks through the installed executable what the runtime would ask', async () => {
    const calls: unknown[] = [];
    const patient = memoryPatient({
      builtCniPlugin: '/build/podroute-cni',
      run: async (command, how) => {
        calls.push([command, JSON.parse(how!.input!), how!.env]);
        return { exitCode: 1, stdout: '{"cniVersion":"1.1.0","code":50,"msg":"no \\"pool\\""}' };
      },
    });
    patient.files.set('/build/podroute-cni', 'new');
    patient.files.set('/opt/cni/bin/podroute', 'old');
    const conflist = { cniVersion: '1.1.0', name: 'net', plugins: [{ type: 'podroute', socketPath: '/s' }] };
    patient.files.set('/etc/cni/net.d/10-podroute.conflist', JSON.stringify(conflist));
    const found = await findings('CNI executable', patient);
    assert.deepEqual(found, [
      [
        'wrong',
        '/opt/cni/bin/podroute is of another version than this command',
        'install -D -m 755 /build/podroute-cni /opt/cni/bin/podroute',
      ],
      ['wrong', 'CNI STATUS: no \\"pool\\"', 'podroute status'],
    ]);
    assert.deepEqual(calls, [
      [
        ['/opt/cni/bin/podroute'],
        { type: 'podroute', socketPath: '/s', cniVersion: '1.1.0', name: 'net' },
        { CNI_COMMAND: 'STATUS', CNI_PATH: '/opt/cni/bin' },
      ],
    ]);
  });

  it('asks the older iptables only where it is in use, and nft of a dropping chain only', async () => {
    const patient = await twoWays();
    const asked: string[] = [];
    const answers: Record<string, string> = {
      'nft -j list chains': JSON.stringify({
        nftables: [
          { chain: { family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'drop' } },
          { chain: { family: 'ip', table: 'filter', name: 'DOCKER-USER' } },
          { chain: { family: 'inet', table: 'fw', name: 'in', hook: 'input', policy: 'drop' } },
        ],
      }),
      'nft -j list table ip filter': '{"nftables":[]}',
      'iptables-legacy -S': '-P FORWARD ACCEPT',
    };
    const run: typeof patient.run = async (command) => {
      asked.push(command.join(' '));
      return { exitCode: 0, stdout: answers[command.join(' ')]! };
    };
    const found = await findings('packet filter', { ...patient, run });
    assert.deepEqual(found[0]!.slice(2), [
      'nft insert rule ip filter DOCKER-USER ip saddr 10.244.0.0/26 accept',
      'nft insert rule ip filter DOCKER-USER ip daddr 10.244.0.0/26 accept',
    ]);
    assert.deepEqual(asked.sort(), ['nft -j list chains', 'nft -j list table ip filter']);
    patient.files.set('/proc/net/ip_tables_names', 'nat\nfilter\n');
    await findings('packet filter', { ...patient, run });
    assert.ok(asked.includes('iptables-legacy -S'));
  });
});

describe('a command that sets a switch', () => {
  it('keeps its slashes where a link has a dot in its name', () => {
    assert.equal(setSwitch('net/ipv4/ip_forward', 1), 'sysctl -w net.ipv4.ip_forward=1');
    assert.equal(
      setSwitch('net/ipv4/conf/bond0.12/rp_filter', 2),
      'sysctl -w net/ipv4/conf/bond0.12/rp_filter=2',
    );
  });
});
