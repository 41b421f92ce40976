// The two things a newcomer runs, as a newcomer runs them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hasOneUser } from './routers.ts';

const root = join(import.meta.dirname, '..');
const KEPT_LAB = '/run/podroute-lab';

/** Of an ordinary user: ip and sysctl are not in it. */
const BARE_PATH = [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'].join(':');

function run(command: string, ...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, PATH: BARE_PATH },
  });
  return { status, output: stdout + stderr };
}

describe('the demo', function () {
  this.timeout(60_000);

  it('tells its story to the end and says that everything held', () => {
    const { status, output } = run(process.execPath, 'lab/demo.ts');
    assert.equal(status, 0, output);
    assert.match(output, /no outer header/);
    assert.match(output, /Done: everything held/);
  });

  it('does not promise an ordinary user what would not stay up', () => {
    const { status, output } = run(
      'unshare',
      ...['--user', '--map-root-user', process.execPath, 'lab/demo.ts', '--keep'],
    );
    assert.equal(status, 1, output);
    assert.match(output, /demo: --keep needs root: .* sudo npm run demo -- --keep/);
    assert.equal(existsSync(join(KEPT_LAB, 'lab.json')), false);
  });

  it('names the topologies when asked for one that it does not have', () => {
    const { status, output } = run(process.execPath, 'lab/demo.ts', '--topology', 'ring');
    assert.equal(status, 1);
    assert.match(output, /demo: --topology ring: choose one of tor, dual-tor, unnumbered, mesh, rr/);
    for (const wrong of ['--stor=x', '--keep=yes', 'tor', '--topology']) {
      const { status: code, output: said } = run(process.execPath, 'lab/demo.ts', wrong);
      assert.equal(code, 1);
      assert.match(said, /^\ndemo: [^\n]+: there are --topology, --store and --keep\n$/);
    }
  });
});

describe('podroute lab', function () {
  this.timeout(60_000);
  const podroute = join(root, 'bin', 'podroute');
  before(function () {
    if (existsSync(KEPT_LAB)) this.skip(); // somebody's lab is up
  });

  for (const topology of ['mesh', ...(hasOneUser() ? [] : ['dual-tor'])]) {
    it(`of ${topology} stays up when the command ends, refuses a second one, and goes without a trace`, () => {
      staysUp(topology);
    });
  }

  function staysUp(topology: string): void {
    const up = run(podroute, 'lab', 'up', '--topology', topology);
    assert.equal(up.status, 0, up.output);
    const again = run(podroute, 'lab', 'up');
    assert.equal(again.status, 1);
    assert.match(again.output, /a lab is up already \(podroute lab down ends it\)/);
    const status = run(podroute, 'lab', 'status');
    assert.equal(status.status, 0, status.output);
    assert.equal(run(podroute, 'lab', 'down').status, 0);
    assert.equal(existsSync(KEPT_LAB), false);
    assert.doesNotMatch(run('ip', 'netns', 'list').output, /podroute-lab/);
  }
});
