// A lab that ends, or does not even come up, leaves no namespace, process, mount or file behind, wherever it breaks.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { waitUntil } from '#world';
import { createHost } from './hosts.ts';
import { Lab } from './lab.ts';
import { hasOneUser } from './routers.ts';
import { topology, type TopologyName } from './topology.ts';

interface Break {
  readonly step: string;
  readonly topology: TopologyName;
  /** Part of the command line of `ip` or `nsenter` that fails. */
  readonly command: string;
  readonly told: RegExp;
}

const BREAKS: readonly Break[] = [
  {
    step: 'a namespace was made and its lo does not come up',
    ...{
      topology: 'tor',
      command: '-n2 link set lo up',
      told: /n2: ip -n \S+ link set lo up: .*broken on purpose/,
    },
  },
  {
    step: 'the bridge cannot be made',
    ...{ topology: 'mesh', command: 'type bridge', told: /lan: ip .* type bridge: .*broken on purpose/ },
  },
  {
    step: 'the third wire cannot be made',
    ...{ topology: 'tor', command: 'peer name n3', told: /n3: ip .* peer name n3 .*broken on purpose/ },
  },
  {
    step: 'a default route is refused',
    ...{
      topology: 'tor',
      command: '-n3 -6 route add default',
      told: /n3: ip .*-6 route add default .*broken on purpose/,
    },
  },
  {
    step: 'BIRD does not start',
    ...{ topology: 'tor', command: 'bird -f', told: /BIRD of tor ended:\n.*broken on purpose/ },
  },
  {
    step: 'FRR’s second daemon does not start, after BIRD and its first have',
    ...{
      topology: 'dual-tor',
      command: 'frr/bgpd',
      told: /bgpd of tor-b ended:\n(?:.*ZEBRA.*\n)*broken on purpose/,
    },
  },
  {
    step: 'one agent of three does not start',
    ...{
      topology: 'mesh',
      command: 'agent --node-name n2',
      told: /the agent of n2 ended:\n.*broken on purpose/,
    },
  },
];

/** A path that nothing is at yet. */
function freePath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'podroute-test-'));
  rmSync(folder, { recursive: true });
  return folder;
}

/** What of a lab is still on this machine. */
function traces(name: string, folder: string): string[] {
  const namespaces = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return [
    ...namespaces.filter((entry) => entry.startsWith(`${name}-`)).map((entry) => `namespace ${entry}`),
    ...mounts
      .filter((line) => line.includes(`/${name}-`) || line.includes(folder))
      .map((line) => `mount ${line}`),
    ...commandLines()
      .filter((line) => line.includes(folder) || line.includes(`/${name}-`))
      .map((line) => `process ${line}`),
    ...(existsSync(folder) ? [`folder ${folder}`] : []),
  ];
}

function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return ''; // it has just ended
      }
    });
}

/** Until the end of the test `ip` and `nsenter` fail for one command, and are themselves for all others. */
function breaking(command: string): Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'podroute-broken-'));
  const before = process.env['PATH'] ?? '';
  const lines = (program: string) => [
    '#!/bin/sh',
    `case "$*" in *'${command}'*) echo 'broken on purpose' >&2; exit 1 ;; esac`,
    `PATH='${before}' exec ${program} "$@"`,
  ];
  for (const program of ['ip', 'nsenter']) {
    writeFileSync(join(folder, program), `${lines(program).join('\n')}\n`);
    chmodSync(join(folder, program), 0o755);
  }
  process.env['PATH'] = `${folder}:${before}`;
  return {
    [Symbol.dispose]: () => {
      process.env['PATH'] = before;
      rmSync(folder, { recursive: true });
    },
  };
}

describe('a lab that cannot come up', function () {
  this.timeout(60_000);
  const isRunnable = (name: TopologyName) =>
    !hasOneUser() || topology(name).routers.every(({ software }) => software !== 'FRR');

  for (const one of BREAKS.filter(({ topology: name }) => isRunnable(name))) {
    it(`because ${one.step} says so and leaves nothing behind`, async () => {
      const folder = freePath();
      const name = `pr-lab-${process.pid}-broken`;
      {
        using _ = breaking(one.command);
        await assert.rejects(Lab.up({ topology: one.topology, folder, name, keep: true }), one.told);
      }
      assert.deepEqual(traces(name, folder), []);
    });
  }

  it('takes nothing of others away', async () => {
    const folder = freePath();
    const name = `pr-lab-${process.pid}-half`;
    await using foreign = createHost('n3', { netns: `${name}-n3` });
    const up = Lab.up({ topology: 'tor', folder, name, keep: true });
    await assert.rejects(up, /ip netns add pr-lab-\d+-half-n3: exit 1/);
    const left = readdirSync('/run/netns').filter((entry) => entry.startsWith(name));
    assert.deepEqual(left, [foreign.netns]);
    assert.equal(existsSync(folder), false);
  });

  it('does not use a folder that holds something else, and does not mind one that a killed one left', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'podroute-test-'));
    const name = `pr-lab-${process.pid}-taken`;
    const file = join(folder, 'diary');
    writeFileSync(file, 'mine');
    const options = { topology: 'mesh', folder, name, keep: true } as const;
    await assert.rejects(Lab.up(options), /is there and is no lab/);
    assert.equal(readFileSync(file, 'utf8'), 'mine');
    rmSync(file);
    writeFileSync(join(folder, 'lab.json.new'), '{"na');
    {
      await using lab = await Lab.up(options);
      assert.equal(lab.processes().filter(({ runs }) => runs).length, 3);
      const kinds = new Set(traces(name, folder).map((trace) => trace.split(' ')[0]));
      assert.deepEqual([...kinds], ['namespace', 'mount', 'process', 'folder'], 'what this file looks for');
    }
    assert.deepEqual(traces(name, folder), []);
  });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    it(`because it is interrupted (${signal}) leaves nothing behind`, async () => {
      const folder = freePath();
      const name = `pr-lab-${process.pid}-cut`;
      const script = `import { Lab } from ${JSON.stringify(join(import.meta.dirname, 'lab.ts'))};
        await Lab.up({ topology: 'mesh', folder: ${JSON.stringify(folder)}, name: ${JSON.stringify(name)}, keep: true });`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
      await waitUntil('the first agent to start', 15_000, () => existsSync(join(folder, 'n1', 'log')));
      child.kill(signal);
      assert.equal(await ended, code);
      await waitUntil('its children to be gone', 2000, () => traces(name, folder).length === 0).catch(() =>
        assert.deepEqual(traces(name, folder), []),
      );
    });
  }

  it('waits for the end of a process of a lab that stays up, also when that has closed what it prints to', () => {
    const netns = `pr-lab-${process.pid}-waits`;
    const script = `import { createHost } from ${JSON.stringify(join(import.meta.dirname, 'hosts.ts'))};
      await using host = createHost('a', { netns: ${JSON.stringify(netns)}, keep: true });
      const { code } = await host.spawn(['sh', '-c', 'exec >&- 2>&-; sleep 0.3; exit 7']).exited;
      console.log('ended with ' + code);`;
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    assert.equal(said, 'ended with 7\n');
  });
});
