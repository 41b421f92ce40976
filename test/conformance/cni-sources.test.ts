// From which addresses pods may send, with real packets through a real node: what is theirs goes through, what they forge
// is dropped by podroute's nftables table, and others' tables are let be.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { parseOctets } from '#ip';
import { waitUntil } from '#world';
import { EXTENSIONS, ROUTER_ADVERTISEMENT, sendRaw } from '../../linux/testing/raw-frames.ts';
import { CniNode } from './testing/cni-node.ts';

interface Pod {
  readonly netns: string;
  /** The host's end of its link. */
  readonly link: string;
  readonly hostMac: string;
  readonly ips: readonly string[];
}

describe('what pods send', function () {
  this.timeout(60_000);
  before(function () {
    if (process.getuid?.() !== 0) this.skip();
  });

  const inside = (netns: string, ...words: string[]) =>
    execFileSync('nsenter', [`--net=${netns}`, ...words], { encoding: 'utf8', stdio: 'pipe' });
  const reaches = (netns: string, address: string, ...words: string[]) => {
    try {
      inside(netns, 'ping', '-c1', '-W2', ...words, address);
      return true;
    } catch {
      return false;
    }
  };
  const add = async (
    node: CniNode,
    name: string,
    netns = node.addNetns(),
    ifname = 'eth0',
    more = {},
  ): Promise<Pod> => {
    const { json, stdout, exitCode } = await node.call('ADD', name, netns, more, { CNI_IFNAME: ifname });
    assert.equal(exitCode, 0, stdout);
    const { interfaces, ips } = json as {
      interfaces: { name: string; mac: string }[];
      ips: { address: string }[];
    };
    const [{ name: link, mac: hostMac }] = interfaces as [(typeof interfaces)[0]];
    return { netns, link, hostMac, ips: ips.map(({ address }) => address.split('/')[0]!) };
  };
  const ruleset = (node: CniNode) => inside(node.netns, 'nft', '-s', 'list', 'ruleset');
  const droppedSources = (node: CniNode) =>
    Number(
      /packets (\d+)/.exec(inside(node.netns, 'nft', 'list', 'counter', 'inet', 'podroute', 'source'))![1],
    );

  it('comes from their addresses, and nothing else does, in both families', async () => {
    await using node = await CniNode.up();
    const [a, b] = [await add(node, 'pod-a'), await add(node, 'pod-b')];
    for (const address of b.ips) assert.ok(reaches(a.netns, address), address);
    for (const [i, stolen] of b.ips.entries()) {
      const before = droppedSources(node);
      // Of the other pod, of nobody: added to the link, and sent from with another MAC address.
      for (const forged of [stolen, i === 0 ? '10.77.0.99' : 'fd77::99']) {
        inside(a.netns, 'ip', 'addr', 'add', `${forged}/${i === 0 ? 32 : 128}`, 'dev', 'eth0', 'nodad');
        assert.ok(!reaches(a.netns, i === 0 ? '10.77.0.250' : 'fd77::fa', '-W0.5', '-I', forged));
      }
      assert.ok(droppedSources(node) >= before + 2, `${stolen}: dropped by the table, not elsewhere`);
      inside(a.netns, 'ip', 'addr', 'del', `${stolen}/${i === 0 ? 32 : 128}`, 'dev', 'eth0');
    }
    inside(a.netns, 'ip', 'link', 'set', 'eth0', 'address', '02:66:66:66:66:66');
    const before = droppedSources(node);
    for (const source of ['192.0.2.1', '2001:db8::1']) {
      const [destination] = b.ips.filter((address) => address.includes(':') === source.includes(':'));
      const macs = { sourceMac: '02:77:77:77:77:77', destinationMac: a.hostMac };
      sendRaw(a.netns, 'eth0', { source, destination: destination!, ...macs });
    }
    assert.equal(droppedSources(node), before + 2);
  });

  it('finds the way to the gateway, and out whether an address is somebody’s', async () => {
    await using node = await CniNode.up();
    const pod = await add(node, 'pod-a');
    inside(node.netns, 'ip', 'link', 'set', 'lo', 'up');
    inside(node.netns, 'ip', 'addr', 'add', 'fd10::1/128', 'dev', 'lo');
    inside(node.netns, 'ip', 'addr', 'add', '10.0.0.1/32', 'dev', 'lo');
    for (const address of ['fd10::1', '10.0.0.1']) assert.ok(reaches(pod.netns, address), address);
    // What has to be found first is asked for from the pod's own address.
    const [, linkLocal] = /inet6 (fe80:\S+)\//.exec(
      inside(node.netns, 'ip', '-6', 'addr', 'show', 'dev', pod.link),
    )!;
    const own = pod.ips.find((ip) => ip.includes(':'))!;
    const isFound = () => reaches(pod.netns, `${linkLocal}%eth0`, '-I', own);
    await waitUntil('neighbour discovery', 3000, isFound);
    // A second address of the pod finds out that nobody has it (DAD) although it may not send from it.
    inside(pod.netns, 'ip', 'addr', 'add', 'fd77::77/128', 'dev', 'eth0');
    await waitUntil(
      'the end of DAD',
      5000,
      () => !/tentative|dadfailed/.test(inside(pod.netns, 'ip', '-6', 'addr', 'show', 'dev', 'eth0')),
    );
  });

  it('makes the host remember none of the addresses that a pod makes up', async () => {
    await using node = await CniNode.up();
    const pod = await add(node, 'pod-a');
    const [, linkLocal = ''] = /inet6 (fe80:\S+)\//.exec(
      inside(node.netns, 'ip', '-6', 'addr', 'show', 'dev', pod.link),
    )!;
    const known = () => inside(node.netns, 'ip', '-6', 'neigh', 'show', 'dev', pod.link).split('\n').length;
    const before = known();
    const solicitation = (target: string) =>
      Uint8Array.of(135, 0, 0, 0, 0, 0, 0, 0, ...parseOctets(target)!, 1, 1, 2, 0x66, 0x66, 0x66, 0x66, 0x66);
    for (let i = 1; i <= 40; i++) {
      sendRaw(pod.netns, 'eth0', {
        source: `fe80::666:${i}`,
        destination: linkLocal,
        sourceMac: '02:66:66:66:66:66',
        destinationMac: pod.hostMac,
        icmpv6: solicitation(linkLocal),
      });
    }
    assert.equal(known(), before);
    assert.match(
      inside(node.netns, 'nft', 'list', 'counter', 'inet', 'podroute', 'linkLocal'),
      /packets 4\d/,
    );
  });

  it('is no router advertisement that the host would follow', async () => {
    await using node = await CniNode.up();
    const pod = await add(node, 'pod-a');
    // As bad as it can be: the host's switch is the wrong way, too.
    inside(node.netns, 'sysctl', '-qw', `net.ipv6.conf.${pod.link}.accept_ra=2`);
    const advertise = (extension?: (typeof EXTENSIONS)[0]) =>
      sendRaw(pod.netns, 'eth0', {
        source: 'fe80::666',
        destination: 'ff02::1',
        sourceMac: '02:66:66:66:66:66',
        destinationMac: '33:33:00:00:00:01',
        icmpv6: ROUTER_ADVERTISEMENT,
        ...(extension && { extension }),
      });
    const defaults = () => inside(node.netns, 'ip', '-6', 'route', 'show', 'default').trim();
    for (const extension of [undefined, ...EXTENSIONS]) advertise(extension);
    await new Promise((resume) => setTimeout(resume, 200));
    assert.equal(defaults(), '');
    const { counter } = (
      JSON.parse(inside(node.netns, 'nft', '-j', 'list', 'counter', 'inet', 'podroute', 'advertisement')) as {
        nftables: { counter?: { packets: number } }[];
      }
    ).nftables.find((one) => one.counter !== undefined)!;
    assert.equal(counter?.packets, 1 + EXTENSIONS.length);
    // And it is one: without the table the host believes it.
    await node.stopAgent();
    inside(node.netns, 'nft', 'delete', 'table', 'inet', 'podroute');
    advertise(EXTENSIONS[1]);
    await waitUntil('the route', 2000, () => defaults().includes('via fe80::666'));
    await node.startAgent();
  });

  it('is looked at again within a second of a flush; others’ tables and traffic are let be', async () => {
    await using node = await CniNode.up();
    const pod = await add(node, 'pod-a');
    const whole = ruleset(node);
    assert.match(whole, /^table inet podroute \{/);
    for (const words of ['flush ruleset', 'flush set inet podroute links']) {
      inside(node.netns, 'nft', ...words.split(' '));
      await waitUntil(words, 1500, () => ruleset(node) === whole);
    }
    inside(
      node.netns,
      'nft',
      'add table ip others; add chain ip others c { type filter hook input priority 0; }; add rule ip others c counter accept',
    );
    const both = ruleset(node);
    inside(node.netns, 'nft', 'flush', 'table', 'inet', 'podroute');
    await waitUntil('ours', 1500, () => ruleset(node).includes('iifname != @links accept'));
    await node.stopAgent();
    await node.startAgent();
    const others = (text: string) =>
      text.slice(text.indexOf('table ip others'), text.indexOf('}\n}\n', text.indexOf('table ip others')));
    assert.equal(others(ruleset(node)), others(both));
    assert.equal((await node.call('DEL', 'pod-a', pod.netns)).exitCode, 0);
    assert.doesNotMatch(ruleset(node), /elements/);
    assert.match(node.log.join('\n'), /table inet podroute was changed by somebody else: put back/);
    assert.deepEqual(node.server.problems(), []);
  });

  it('goes on while the agent is away and when it comes back, and what is forged never gets through', async () => {
    await using node = await CniNode.up();
    const [a, b] = [await add(node, 'pod-a'), await add(node, 'pod-b')];
    const ping = spawn('nsenter', [`--net=${a.netns}`, 'ping', '-i0.01', '-c300', '-W1', b.ips[1]!], {
      stdio: 'pipe',
    });
    let said = '';
    ping.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const ended = new Promise((resolve) => ping.once('close', resolve));
    const forge = () =>
      sendRaw(a.netns, 'eth0', {
        source: 'fd77::99',
        destination: b.ips[1]!,
        sourceMac: '02:77:77:77:77:77',
        destinationMac: a.hostMac,
      });
    // What comes to the other pod from nobody's address shows in its kernel.
    const arrived = () =>
      Number(/Udp6NoPorts\s+(\d+)/.exec(inside(b.netns, 'cat', '/proc/thread-self/net/snmp6'))![1]);
    for (let times = 0; times < 3; times++) {
      await node.stopAgent();
      forge();
      const starting = node.startAgent();
      for (let i = 0; i < 20; i++) {
        forge();
        await new Promise((resume) => setTimeout(resume, 2));
      }
      await starting;
      forge();
    }
    await ended;
    assert.match(said, /300 packets transmitted, 300 received/);
    assert.equal(arrived(), 0);
    // What is not forged would have been counted there.
    sendRaw(a.netns, 'eth0', {
      source: a.ips[1]!,
      destination: b.ips[1]!,
      sourceMac: '02:77:77:77:77:77',
      destinationMac: a.hostMac,
    });
    await waitUntil('a packet', 1000, () => arrived() === 1);
  });

  it('may come by each link of a pod with several, from each of its addresses', async () => {
    await using node = await CniNode.up();
    const netns = node.addNetns();
    // Each family by a link of its own.
    const first = await add(node, 'pod-a', netns, 'eth0', { families: ['ipv4'] });
    const second = await add(node, 'pod-a', netns, 'net1', { families: ['ipv6'] });
    const other = await add(node, 'pod-b');
    for (const address of other.ips) assert.ok(reaches(netns, address), address);
    for (const [device, hostMac] of [
      ['eth0', first.hostMac],
      ['net1', second.hostMac],
    ] as const) {
      const before = droppedSources(node);
      for (const source of [...first.ips, ...second.ips, '10.77.0.99', 'fd77::99']) {
        const destination = other.ips[source.includes(':') ? 1 : 0]!;
        sendRaw(netns, device, { source, destination, sourceMac: hostMac, destinationMac: hostMac });
      }
      assert.equal(droppedSources(node), before + 2, device);
    }
  });

  it('may come from the addresses that the pod asked for, until its DEL', async () => {
    await using node = await CniNode.up();
    const ips = ['10.77.0.40', 'fd77::40'];
    const pod = await add(node, 'pod-a', node.addNetns(), 'eth0', {
      runtimeConfig: { ips, mac: '02:00:5e:00:53:01' },
    });
    const other = await add(node, 'pod-b');
    for (const address of other.ips) assert.ok(reaches(pod.netns, address), address);
    assert.match(ruleset(node), new RegExp(`"${pod.link}" \\. 10\\.77\\.0\\.40`));
    assert.equal((await node.call('DEL', 'pod-a', pod.netns)).exitCode, 0);
    assert.ok(!ruleset(node).includes(pod.link));
    assert.ok(ruleset(node).includes(other.link));
  });
});
