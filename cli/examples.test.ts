// Every example of help and docs/cli.md, run against a real agent (in a network namespace of its own), but those of the
// lab, which takes the whole machine and has tests of its own.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { leaves } from './cli-reference.ts';
import { DETAILS } from './details.ts';
import { program } from './program.ts';
import { MAIN, run } from './testing/run.ts';

const OBJECTS = `apiVersion: v1
kind: Node
metadata: { name: n1 }
status: { addresses: [{ type: InternalIP, address: 192.0.2.1 }] }
---
apiVersion: podroute.io/v1
kind: IPPool
metadata: { name: pods }
spec: { cidr: 10.244.0.0/16 }
---
apiVersion: podroute.io/v1
kind: BGPPeer
metadata: { name: tor-a }
spec: { peerIP: 192.0.2.9, asNumber: 65000 }
`;

/** What else than 0 an example may end with here: its session cannot come up, and no pod or block was left behind. */
const ENDS: Readonly<Record<string, number>> = {
  status: 1,
  'status tor-a': 1,
  'status -o json': 1,
  // There is no such file.
  'status --all --store kubernetes:admin.conf': 2,
  'routes 10.244.3.7 --why': 1,
  'ipam release 10.244.0.7': 1,
  'ipam release 10.244.0.0/26': 1,
};

describe('the examples', function () {
  this.timeout(60_000);
  const folder = mkdtempSync(join(tmpdir(), 'podroute-examples-'));
  const socket = join(folder, 'agent.sock');
  let agent: ChildProcess;
  const start = (line: readonly string[], at: string) =>
    spawn(
      'unshare',
      [
        '--net',
        'sh',
        '-c',
        `ip link set lo up; ip link add uplink type veth peer name tor; ip link set tor up; ip address add 192.0.2.1/24 dev uplink; ip link set uplink up; exec "$0" "$@"`,
        process.execPath,
        MAIN,
        ...line,
        ...['--socket', join(folder, at), '--state-dir', join(folder, `${at}-state`)],
        ...['--cni-conf-dir', join(folder, 'cni')],
        ...['--cni-socket', join(folder, 'cni.sock')],
      ],
      { cwd: folder, stdio: 'ignore' },
    );
  const ended = (child: ChildProcess) => new Promise((done) => child.on('close', done));
  const podroute = (line: string) =>
    run('sh', ['-c', `cd '${folder}'; '${process.execPath}' '${MAIN}' ${line}`], { PODROUTE_SOCKET: socket });

  before(async () => {
    mkdirSync(join(folder, 'objects'));
    writeFileSync(join(folder, 'objects', 'all.yaml'), OBJECTS);
    writeFileSync(join(folder, 'bgp.yaml'), OBJECTS);
    writeFileSync(join(folder, 'peer.yaml'), OBJECTS.split('---\n').at(-1)!);
    agent = start(DETAILS['agent']!.examples[0]!.line.split(' '), 'agent.sock');
    for (let tries = 0; tries < 400; tries++) {
      if (existsSync(socket) && (await podroute('ipam show -o json')).stdout.includes('/26')) return;
      assert.equal(agent.exitCode, null);
      await new Promise((soon) => setTimeout(soon, 50));
    }
    assert.fail('the agent has no block');
  });
  after(async () => {
    const end = ended(agent);
    if (agent.exitCode === null && agent.kill()) await end;
    rmSync(folder, { recursive: true });
  });

  it('stand at every command', () => {
    const commands = leaves(program(), []).map(({ words }) => words.join(' '));
    assert.deepEqual(
      Object.keys(DETAILS).toSorted(),
      ['', ...commands].toSorted(),
      'cli/details.ts has an entry for each command, and no other',
    );
  });

  for (const [words, { examples }] of Object.entries(DETAILS)) {
    if (words === 'agent' || words === 'controller' || words.startsWith('lab')) continue;
    // Would take away what is on this machine: uninstall.test.ts has folders of its own.
    if (words === 'uninstall') continue;
    for (const { line } of examples) {
      it(`podroute ${line}`, async () => {
        const { code, stdout, stderr } = await podroute(line);
        // What the doctor finds depends on the machine.
        const expected = line === 'doctor' ? [0, 1] : [ENDS[line] ?? 0];
        assert.ok(expected.includes(code!), `${code}: ${stdout}${stderr}`);
        assert.ok(stdout !== '' || stderr.startsWith('podroute: '));
      });
    }
  }

  it('of a controller over files', async () => {
    const line = DETAILS['controller']!.examples[1]!.line.split(' ');
    const controller = spawn(process.execPath, [MAIN, ...line], { cwd: folder, stdio: 'ignore' });
    const end = ended(controller);
    const leases = join(folder, 'objects', '.podroute', 'Lease');
    while (!existsSync(leases)) {
      assert.equal(controller.exitCode, null, 'it runs');
      await new Promise((soon) => setTimeout(soon, 50));
    }
    controller.kill();
    assert.equal(await end, 0);
  });

  it('of an agent without kernel routes', async () => {
    const reflector = start(DETAILS['agent']!.examples[1]!.line.split(' '), 'reflector.sock');
    try {
      while (!existsSync(join(folder, 'reflector.sock'))) {
        assert.equal(reflector.exitCode, null, 'it runs');
        await new Promise((soon) => setTimeout(soon, 50));
      }
    } finally {
      reflector.kill();
      await ended(reflector);
    }
  });
});
