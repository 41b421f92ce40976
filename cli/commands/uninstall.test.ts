import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MAIN, run } from '../testing/run.ts';

const POD_LINK = 'pr0123456789abc';
const LEFT = `ip link set lo up; ip link add uplink type dummy 2>/dev/null || ip link add uplink type veth peer name far
ip link set uplink up; ip address add 192.0.2.1/24 dev uplink
ip route add unreachable 10.244.0.0/26 proto 179 metric 1024
ip route add 10.244.1.0/26 via 192.0.2.2 proto 179 metric 1024 onlink dev uplink
ip route add 10.244.2.0/26 via 192.0.2.2 proto 179 metric 1024 onlink dev uplink table 100
ip route add 10.245.0.0/16 via 192.0.2.2 onlink dev uplink
nft add table inet podroute; nft 'add counter inet podroute source'
nft 'add counter inet podroute advertisement'; nft 'add counter inet podroute linkLocal'; nft add table inet other`;
const SHOW = 'ip -o route show table all | grep -c "proto 179"; nft list tables; ip route show 10.245.0.0/16';

describe('podroute uninstall', function () {
  this.timeout(60_000);
  let folder: string;
  let files: Readonly<Record<'conflist' | 'executable' | 'journal' | 'others', string>>;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'podroute-uninstall-'));
    files = {
      conflist: join(folder, 'conf/10-podroute.conflist'),
      executable: join(folder, 'bin/podroute'),
      journal: join(folder, 'state/journal'),
      others: join(folder, 'conf/20-others.conflist'),
    };
    for (const path of [...Object.values(files), join(folder, 'run/agent.sock')]) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, '{}');
    }
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const podroute = () =>
    `${process.execPath} ${MAIN} uninstall --state-dir ${folder}/state --run-dir ${folder}/run --cni-conf-dir ${folder}/conf --cni-bin-dir ${folder}/bin`;

  /** On a node of its own with what an agent leaves; what is printed behind '==' is what is there afterwards. */
  const onNode = async (command: string, before = '') => {
    const script = `${LEFT}\n${before}\n${podroute()} ${command}; echo "code $?"; echo ==; ${SHOW}`;
    const { stdout, stderr } = await run('unshare', ['--net', 'sh', '-c', script]);
    const [said = '', after = ''] = stdout.split('==\n');
    return { said, after, stderr };
  };
  const present = () => Object.values(files).filter(existsSync);

  it('says what would go, and changes nothing', async () => {
    const { said, after } = await onNode('');
    assert.match(said, /^conflist +.*10-podroute\.conflist +would go/m);
    assert.match(said, /^3 kernel routes +protocol 179, table 100, 254 +would go/m);
    assert.match(said, /^nftables table +inet podroute +would go/m);
    assert.match(said, /code 1$/m);
    assert.match(after, /^3\ntable inet podroute\ntable inet other\n/);
    assert.deepEqual(present(), Object.values(files));
  });

  it('takes all of it away, and nothing of others', async () => {
    const { said, after } = await onNode('--yes');
    assert.match(said, /code 0$/m);
    assert.doesNotMatch(said, /stays|failed|would/);
    assert.match(after, /^0\ntable inet other\n10\.245\.0\.0\/16 /);
    assert.deepEqual(present(), [files.others]);
    const again = await onNode('--yes');
    assert.doesNotMatch(again.said, /files|conflist/);
  });

  it('leaves pods that run what they need, and lets no new one come', async () => {
    const pod = `ip link add ${POD_LINK} type veth peer name eth0; ip route add 10.244.0.7 dev ${POD_LINK} proto 179 metric 1024`;
    const { said, after } = await onNode('--yes', `${pod}; ip link set ${POD_LINK} up`);
    assert.match(said, /^conflist .* gone$/m);
    assert.match(said, /kernel routes .* stays: 1 pods of podroute run here \(pr0123456789abc\)/);
    assert.match(said, /code 1$/m);
    assert.match(after, /table inet podroute/);
    assert.deepEqual(present(), [files.executable, files.journal, files.others]);
  });

  it('does nothing while an agent runs', async () => {
    const agent = `${process.execPath} ${MAIN} agent --node-name n1 --store dir:${folder}/store --socket ${folder}/a.sock --state-dir ${folder}/s --cni-socket ${folder}/c.sock --cni-conf-dir ${folder}/c`;
    const start = `mkdir ${folder}/store; ${agent} >/dev/null 2>&1 & agent=$!; until [ -S ${folder}/a.sock ]; do sleep 0.1; done; trap 'kill $agent' EXIT`;
    const { said, stderr, after } = await onNode('--yes', start);
    assert.match(stderr, /uninstall: pods of this network namespace has an agent already: pid \d+, node n1/);
    assert.match(said, /code 1$/m);
    assert.match(after, /table inet podroute/);
    assert.deepEqual(present(), Object.values(files));
  });

  it('with --stay goes on when the last pod has gone, and then waits to be ended', async () => {
    const untilSaid = (what: string) =>
      `for i in $(seq 150); do grep -q '${what}' ${folder}/said && break; sleep 0.2; done`;
    const staying = [
      `ip link add ${POD_LINK} type veth peer name eth0`,
      `${podroute()} --yes --stay >${folder}/said 2>&1 & pid=$!`,
      untilSaid('stays: 1 pods'),
      `ip link del ${POD_LINK}`,
      untilSaid('waiting to be ended'),
      `sleep 0.5; kill $pid; wait $pid; echo "ended with $?"`,
    ].join('\n');
    const { said, after } = await onNode('', `${staying}\ncat ${folder}/said`);
    assert.match(said, /^3 kernel routes .* stays: 1 pods.*\n[^]*3 kernel routes .* gone$/m);
    assert.match(said, /^podroute: nothing of podroute is on this node any more; waiting to be ended$/m);
    assert.match(said, /^ended with 0$/m);
    assert.match(said, /^nothing of podroute is on this node\ncode 0$/m);
    assert.match(after, /^0\ntable inet other\n/);
    assert.deepEqual(present(), [files.others]);
  });

  it('has no use for --stay without --yes', async () => {
    const { stderr, said } = await onNode('--stay');
    assert.match(stderr, /it needs --yes/);
    assert.match(said, /code 2$/m);
    assert.deepEqual(present(), Object.values(files));
  });
});
