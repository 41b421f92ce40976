// The installed executable with real namespaces: what a pod has after ADD, and what is left after DEL.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { openKernel, withNetns } from '#linux';
import { waitUntil } from '#world';
import { CniNode, type CniAnswer } from './testing/cni-node.ts';

type Result = {
  cniVersion: string;
  interfaces: { name: string; mac: string; mtu: number; sandbox: string }[];
  ips: { address: string; gateway: string; interface: number }[];
  routes: { dst: string; gw: string }[];
  dns: object;
};

function resultOf(answer: CniAnswer): Result {
  assert.equal(answer.exitCode, 0, answer.stdout + answer.stderr);
  return answer.json as Result;
}

function ping(netns: string, address: string): string {
  return withNetns(netns, () =>
    execFileSync('ping', ['-n', '-c', '1', '-W', '1', address], { encoding: 'utf8' }),
  );
}

describe('CNI executable, wiring', function () {
  before(function () {
    if (process.getuid?.() !== 0) {
      console.log('      skipped: needs root to make network namespaces (sh scripts/as-root.sh …)');
      this.skip();
    }
  });

  it('gives a pod both families, a default route each, and pods of a node reach each other', async () => {
    await using node = await CniNode.up();
    const [a, b] = [node.addNetns(), node.addNetns()];
    const first = resultOf(await node.call('ADD', 'pod-a', a));
    const second = resultOf(await node.call('ADD', 'pod-b', b));
    assert.deepEqual(first.ips, [
      { address: '10.77.0.0/32', gateway: '169.254.1.1', interface: 1 },
      { address: 'fd77::/128', gateway: 'fe80::1', interface: 1 },
    ]);
    assert.deepEqual(first.routes, [
      { dst: '0.0.0.0/0', gw: '169.254.1.1' },
      { dst: '::/0', gw: 'fe80::1' },
    ]);
    assert.match(first.interfaces[0]!.name, /^pr[0-9a-f]{13}$/);
    assert.equal(first.interfaces[0]!.sandbox, '');
    assert.equal(first.interfaces[1]!.name, 'eth0');
    assert.equal(first.interfaces[1]!.sandbox, a);
    for (const { address } of second.ips) assert.match(ping(a, address.split('/')[0]!), /1 received/);
    const routes = (await node.kernel.routes({ protocol: 179 })).map((r) => [r.destination, r.metric]);
    assert.ok(routes.some(([d, m]) => d === '10.77.0.0/32' && m === 1024));
    assert.ok(routes.some(([d, m]) => d === 'fd77::/128' && m === 1024));
    await using pod = await openKernel({ netns: a });
    const eth0 = (await pod.links()).find((l) => l.name === 'eth0');
    assert.equal(eth0?.mac, first.interfaces[1]!.mac);
    assert.equal(eth0?.mtu, 1500);
  });

  it('removes all of it at DEL, which may be repeated, and with the namespace gone', async () => {
    await using node = await CniNode.up();
    const netns = node.addNetns();
    const result = resultOf(await node.call('ADD', 'pod-a', netns));
    node.removeNetns(netns);
    for (const path of [netns, '', netns]) {
      const answer = await node.call('DEL', 'pod-a', path, { prevResult: result });
      assert.deepEqual([answer.exitCode, answer.stdout], [0, '']);
    }
    assert.deepEqual(await node.kernel.routes({ protocol: 179 }), []);
    assert.equal(
      (await node.kernel.links()).some((l) => l.name.startsWith('pr')),
      false,
    );
    assert.deepEqual(node.ipam.usage().allocations, []);
  });

  it('refuses a second ADD and leaves the first as it is', async () => {
    await using node = await CniNode.up();
    const netns = node.addNetns();
    const result = resultOf(await node.call('ADD', 'pod-a', netns));
    const again = await node.call('ADD', 'pod-a', netns);
    assert.equal(again.exitCode, 1);
    assert.equal(again.json?.['code'], 111);
    assert.match(
      String(again.json?.['msg']),
      /pod default\/pod-a has an interface eth0 already: DEL it first/,
    );
    const other = await node.call('ADD', 'other', netns);
    assert.equal(other.json?.['code'], 111);
    assert.equal(node.ipam.usage().allocations.length, 1);
    const check = await node.call('CHECK', 'pod-a', netns, { prevResult: result });
    assert.deepEqual([check.exitCode, check.stdout], [0, '']);
  });

  it('frees what it took when wiring fails', async () => {
    await using node = await CniNode.up();
    const gone = await node.call('ADD', 'pod-a', '/run/netns/there-is-none');
    assert.equal(gone.json?.['code'], 3);
    assert.match(String(gone.json?.['msg']), /CNI_NETNS \/run\/netns\/there-is-none does not exist/);
    const file = await node.call('ADD', 'pod-a', '/etc/hostname');
    assert.equal(file.json?.['code'], 110);
    assert.deepEqual(node.ipam.usage().allocations, []);
    const own = await node.call('ADD', 'pod-a', node.netns);
    assert.equal(own.json?.['code'], 8);
  });

  it('refuses a CNI_NETNS that is a pipe at once, and serves the next call', async () => {
    await using node = await CniNode.up();
    const pipe = `${node.folder}/pipe`;
    execFileSync('mkfifo', [pipe]);
    const answer = await node.call('ADD', 'pod-a', pipe);
    assert.deepEqual([answer.json?.['code'], node.ipam.usage().allocations], [110, []], answer.stdout);
    assert.match(String(answer.json?.['msg']), /is .*pipe a network namespace\?/);
    resultOf(await node.call('ADD', 'pod-a', node.addNetns()));
  });

  it('honours interface name, MTU, MAC, addresses and dns', async () => {
    await using node = await CniNode.up();
    const netns = node.addNetns();
    const result = resultOf(
      await node.call(
        'ADD',
        'pod-a',
        netns,
        {
          mtu: 1400,
          dns: { nameservers: ['10.96.0.10'] },
          runtimeConfig: { ips: ['10.77.0.9/24'], mac: '02:00:5E:00:53:01' },
        },
        { CNI_IFNAME: 'net1' },
      ),
    );
    assert.equal(result.ips[0]!.address, '10.77.0.9/32');
    assert.deepEqual(result.interfaces[1], {
      name: 'net1',
      mac: '02:00:5e:00:53:01',
      mtu: 1400,
      sandbox: netns,
    });
    assert.deepEqual(result.dns, { nameservers: ['10.96.0.10'] });
    await using pod = await openKernel({ netns });
    const link = (await pod.links()).find((l) => l.name === 'net1');
    assert.deepEqual([link?.mac, link?.mtu], ['02:00:5e:00:53:01', 1400]);
    const taken = await node.call('ADD', 'pod-b', node.addNetns(), {}, { CNI_ARGS: 'IP=10.77.0.9' });
    assert.equal(taken.json?.['code'], 102);
    assert.match(String(taken.json?.['msg']), /10\.77\.0\.9 is in use by pod default\/pod-a/);
  });

  it('CHECK names what is missing', async () => {
    await using node = await CniNode.up();
    const netns = node.addNetns();
    const result = resultOf(await node.call('ADD', 'pod-a', netns));
    await using pod = await openKernel({ netns });
    await pod.apply([{ type: 'deleteAddress', device: 'eth0', address: '10.77.0.0/32' }]);
    const answer = await node.call('CHECK', 'pod-a', netns, { prevResult: result });
    assert.equal(answer.json?.['code'], 112);
    assert.match(String(answer.json?.['details']), /eth0 lacks 10\.77\.0\.0/);
    assert.equal((await node.call('CHECK', 'pod-a', netns)).json?.['code'], 7);
  });

  it('CHECK names the source addresses that the kernel does not check, until they are put back', async () => {
    await using node = await CniNode.up();
    const netns = node.addNetns();
    const result = resultOf(await node.call('ADD', 'pod-a', netns));
    const link = result.interfaces[0]!.name;
    const nft = (...words: string[]) =>
      execFileSync('nsenter', [`--net=${node.netns}`, 'nft', ...words], { stdio: 'pipe' });
    const check = async () => {
      const { json } = await node.call('CHECK', 'pod-a', netns, { prevResult: result });
      return (json?.['details'] ?? 'good') as string;
    };
    const putBack = () => waitUntil('the table', 3000, async () => (await check()) === 'good');
    const element = `{ "${link}" . 10.77.0.0 }`;
    // The agent puts a table back once a second: what is done right after that stays for a while.
    for (const [words, wanted] of [
      [['delete', 'table', 'inet', 'podroute'], /what it sends is not checked: .*ENOENT/],
      [
        ['delete', 'element', 'inet', 'podroute', 'ipv4', element],
        `lacks ${link} . 10.77.0.0: it cannot send`,
      ],
      [['flush', 'chain', 'inet', 'podroute', 'sources'], /chain sources has 0 rules of \d+/],
    ] as const) {
      await putBack();
      nft('flush', 'chain', 'inet', 'podroute', 'sources');
      await putBack();
      nft(...words);
      const details = await check();
      assert.ok(typeof wanted === 'string' ? details.includes(wanted) : wanted.test(details), details);
    }
    await putBack();
  });

  it('keeps pods across a restart of the agent, and their addresses theirs', async () => {
    await using node = await CniNode.up();
    const netns = node.addNetns();
    const result = resultOf(await node.call('ADD', 'pod-a', netns));
    await node.stopAgent();
    await node.startAgent();
    const check = await node.call('CHECK', 'pod-a', netns, { prevResult: result });
    assert.equal(check.stdout, '');
    const next = resultOf(await node.call('ADD', 'pod-b', node.addNetns()));
    assert.equal(next.ips[0]!.address, '10.77.0.1/32');
    assert.equal((await node.call('DEL', 'pod-a', netns)).exitCode, 0);
    assert.equal(node.ipam.usage().allocations.length, 1);
  });

  it('holds the addresses of links that a lost journal does not know', async () => {
    await using node = await CniNode.up();
    const netns = node.addNetns();
    await node.call('ADD', 'pod-a', netns);
    await node.stopAgent();
    execFileSync('rm', ['-r', node.stateDir]);
    await node.startAgent();
    assert.equal(node.ipam.usage().adopted.length, 2);
    const next = resultOf(await node.call('ADD', 'pod-b', node.addNetns()));
    assert.equal(next.ips[0]!.address, '10.77.0.1/32');
    assert.equal((await node.call('DEL', 'pod-a', netns)).exitCode, 0);
    assert.deepEqual(node.ipam.usage().adopted, []);
    assert.equal((await node.kernel.routes({ protocol: 179 })).length, 2);
  });

  it('while the agent is down: ADD 11, STATUS 50, DEL queued and done at start', async () => {
    await using node = await CniNode.up();
    const netns = node.addNetns();
    const result = resultOf(await node.call('ADD', 'pod-a', netns));
    await node.stopAgent();
    const begin = performance.now();
    assert.equal((await node.call('ADD', 'pod-b', netns)).json?.['code'], 11);
    assert.equal((await node.call('CHECK', 'pod-a', netns)).json?.['code'], 11);
    assert.equal((await node.call('GC', '', '')).json?.['code'], 11);
    const status = await node.call('STATUS', '', '');
    assert.equal(status.json?.['code'], 50);
    assert.match(String(status.json?.['details']), /cni\.sock: No such file or directory/);
    assert.ok(performance.now() - begin < 1000);
    const deleted = await node.call('DEL', 'pod-a', netns, { prevResult: result });
    assert.deepEqual([deleted.exitCode, deleted.stdout], [0, '']);
    await node.startAgent();
    assert.deepEqual(node.ipam.usage().allocations, []);
    assert.equal(
      (await node.kernel.links()).some((l) => l.name.startsWith('pr')),
      false,
    );
    assert.match(node.log.join('\n'), /pod-a@eth0: DEL done that came while the agent was down/);
    resultOf(await node.call('ADD', 'pod-a', netns));
    assert.equal((await node.call('CHECK', 'pod-a', netns, { prevResult: result })).exitCode, 1);
  });

  it('starts and serves whatever lies in its DEL queue, and names what cannot be done', async () => {
    await using node = await CniNode.up();
    await node.stopAgent();
    const queue = `${node.stateDir}/del-queue`;
    mkdirSync(`${queue}/pod-a@eth0`, { recursive: true });
    writeFileSync(`${queue}/pod-b@eth0`, 'no request');
    await node.startAgent();
    assert.deepEqual(node.server.problems(), [
      `queued DEL ${queue}/pod-b@eth0: it is not a request: delete it`,
    ]);
    resultOf(await node.call('ADD', 'pod-a', node.addNetns()));
    await node.stopAgent();
    rmSync(queue, { recursive: true });
    writeFileSync(queue, 'a file where a folder should be');
    await node.startAgent();
    assert.match(node.server.problems().join(), /queued DEL .*del-queue: ENOTDIR/);
    resultOf(await node.call('ADD', 'pod-c', node.addNetns()));
  });

  it('GC frees what the runtime does not list, of its own network only', async () => {
    await using node = await CniNode.up();
    for (const id of ['a', 'b']) resultOf(await node.call('ADD', id, node.addNetns()));
    resultOf(await node.call('ADD', 'c', node.addNetns(), { name: 'other' }));
    const valid = [{ containerID: 'a', ifname: 'eth0' }];
    const answer = await node.call('GC', '', '', { 'cni.dev/valid-attachments': valid });
    assert.deepEqual([answer.exitCode, answer.stdout], [0, '']);
    const left = (): string[] => node.ipam.usage().allocations.map((a) => a.owner.containerId);
    assert.deepEqual(left(), ['a', 'c']);
    // cnitool gc gives no list: everything of the network goes.
    assert.equal((await node.call('GC', '', '')).exitCode, 0);
    assert.deepEqual(left(), ['c']);
  });

  it('STATUS is 50 when no address is left, ADD 100', async () => {
    await using node = await CniNode.up({ podCidrs: ['10.77.0.0/32'] });
    assert.equal((await node.call('STATUS', '', '')).stdout, '');
    resultOf(await node.call('ADD', 'a', node.addNetns()));
    const full = await node.call('ADD', 'b', node.addNetns());
    assert.equal(full.json?.['code'], 100);
    assert.match(String(full.json?.['msg']), /no ipv4 address is free on node/);
    const status = await node.call('STATUS', '', '');
    assert.equal(status.json?.['code'], 50);
  });

  it('twenty at a time: all wired, no address twice', async () => {
    await using node = await CniNode.up();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => node.call('ADD', `c${i}`, node.addNetns())),
    );
    const addresses = answers.flatMap((answer) => resultOf(answer).ips.map((ip) => ip.address));
    assert.equal(new Set(addresses).size, 40);
    await Promise.all(answers.map((_, i) => node.call('DEL', `c${i}`, '')));
    assert.equal(
      (await node.kernel.links()).some((l) => l.name.startsWith('pr')),
      false,
    );
  });
});
