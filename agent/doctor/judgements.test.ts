// Facts in, findings out: one table for each check whose decision is more than a comparison.
import assert from 'node:assert/strict';
import { KernelError, type Link, type TcpListener } from '#linux';
import { judgeCniSocket, judgeDescriptors, judgePrivileges, judgeSessions } from './answering.ts';
import { judgeListeners } from './bgp-port.ts';
import { type ClockFacts, judgeClock, judgeDisk, judgeFeatures } from './clock-and-disk.ts';
import { judgeCniPlugin, judgeConflists, judgeStatus } from './cni-install.ts';
import type { Finding } from './finding.ts';
import { entriesIn, judgeConntrack, judgeNeighbours } from './full-tables.ts';
import { judgePacketFilter, legacyDrops, takesOf } from './packet-filter.ts';
import { judgePaths, judgePodMtu, sizesBetween } from './path-mtu.ts';
import { judgeAdvertisements, judgeForwarding, judgeMultipathHash, judgeReversePath } from './switches.ts';

/** Each row: what is so, what is found, and in which states (and what the words and commands have in them). */
function table(rows: readonly (readonly [string, Finding | readonly Finding[], string, RegExp?])[]): void {
  for (const [what, found, states, words = /./] of rows) {
    it(what, () => {
      const all = [found].flat();
      assert.equal(all.map(({ state }) => state).join(', '), states);
      assert.match(all.map((one) => [one.what, ...(one.mend ?? [])].join('\n')).join('\n'), words);
    });
  }
}

describe('the doctor finds of the agent', () => {
  const up = { id: 'a', state: 'Established' };
  const ALL = (1n << 12n) | (1n << 13n) | (1n << 10n) | (1n << 21n);
  table([
    ['that sessions are up', judgeSessions({ sessions: [up], problems: [] }), 'good'],
    [
      'that one is down',
      judgeSessions({ sessions: [up, { id: 'tor', state: 'Active' }], problems: [] }),
      'wrong',
      /1 of 2 .*: tor\npodroute status tor$/,
    ],
    ['problems', judgeSessions({ sessions: [], problems: [{}] }), 'wrong', /\npodroute status$/],
    ['a CNI socket that takes calls', judgeCniSocket('/s', undefined, false), 'good'],
    ['one that is root’s', judgeCniSocket('/s', 'EACCES', false), 'not tested', /root/],
    ['one that refuses root', judgeCniSocket('/s', 'EACCES', true), 'wrong', /EACCES/],
    ['a CNI socket left over', judgeCniSocket('/s', 'ECONNREFUSED', true), 'wrong', /has ended/],
    ['all privileges', judgePrivileges(ALL, 'the agent'), 'good'],
    [
      'a missing one',
      judgePrivileges(ALL & ~(1n << 12n), 'the agent'),
      'wrong',
      /lacks CAP_NET_ADMIN \(routes/,
    ],
    ['descriptors enough', judgeDescriptors(7, 40, 65_536), 'good'],
    ['no limit of them', judgeDescriptors(7, 40, Number.NaN), 'good'],
    ['few of them', judgeDescriptors(7, 40, 1024), 'warning', /prlimit --pid 7 --nofile=65536:65536/],
    ['nearly all in use', judgeDescriptors(7, 900, 1024), 'wrong', /900 .* 1024/],
  ]);
});

describe('the doctor finds of CNI', () => {
  const bytes = (text: string) => Buffer.from(text);
  table([
    ['the same executable', judgeCniPlugin('/p', bytes('a'), bytes('a'), '/b'), 'good'],
    ['another one', judgeCniPlugin('/p', bytes('a'), bytes('b'), '/b'), 'wrong', /install -D -m 755 \/b \/p/],
    ['none', judgeCniPlugin('/p', undefined, bytes('b'), '/b'), 'wrong', /install/],
    [
      'one whose version is not known',
      judgeCniPlugin('/p', bytes('a'), undefined, undefined),
      'good',
      /not known/,
    ],
    ['STATUS that is good', judgeStatus(0, ''), 'good'],
    ['STATUS without words', judgeStatus(3, ''), 'wrong', /exit code 3/],
    [
      'our conflist alone',
      judgeConflists('/c', ['10-podroute.conflist', '87-x.conflist', '00-readme']),
      'good',
    ],
    [
      'two before it',
      judgeConflists('/c', ['05-a.conf', '10-calico.conflist', '10-podroute.conflist']),
      'wrong, wrong',
      /mv \/c\/05-a\.conf \/c\/05-a\.conf\.off[^]*10-calico/,
    ],
    ['none of ours', judgeConflists('/c', []), 'warning', /is not there/],
  ]);
});

describe('the doctor finds of port 179', () => {
  const at = (pid: number | undefined, more: object = {}): TcpListener => ({
    ...{ address: '0.0.0.0', port: 179 },
    ...(pid === undefined ? {} : { process: { pid, name: 'bird', isInPod: false, ...more } }),
  });
  const own = [{ address: '::', port: 179 }];
  table([
    ['nobody', judgeListeners([], own, undefined, true), 'good', /no other/],
    [
      'the agent, on both addresses',
      judgeListeners([at(7)], [...own, ...own], 7, true),
      'good',
      /on port 179$/,
    ],
    ['the agent', judgeListeners([at(7)], own, 7, true), 'good', /the agent listens/],
    ['that the agent should', judgeListeners([], own, 7, true), 'wrong', /does not listen/],
    ['no session wanted', judgeListeners([], [], 7, true), 'good'],
    ['a process', judgeListeners([at(9)], own, 7, true), 'wrong', /bird \(pid 9\)[^]*\nkill 9$/],
    ['it once, on two addresses', judgeListeners([at(9), at(9)], own, 7, true), 'wrong'],
    [
      'a service',
      judgeListeners([at(9, { unit: 'frr.service' })], own, 7, true),
      'wrong',
      /systemctl disable --now frr\.service/,
    ],
    [
      'a pod',
      judgeListeners([at(9, { isInPod: true })], own, 7, true),
      'wrong',
      /Calico[^]*kubectl get daemonsets/,
    ],
    ['somebody, without root', judgeListeners([at(undefined)], own, undefined, false), 'not tested', /root/],
    [
      'an agent that hangs',
      judgeListeners([at(9, { name: 'podroute.js' })], own, undefined, true),
      'not tested',
    ],
  ]);
});

describe('the doctor finds of switches', () => {
  const v6 = { family: 'ipv6', all: '0', offFor: [], advertised: ['eth0'] } as const;
  table([
    ['forwarding on', judgeForwarding({ ...v6, all: '1' }), 'good'],
    [
      'IPv6 forwarding off: advertisements are kept first',
      judgeForwarding(v6),
      'wrong',
      /\nsysctl -w net\.ipv6\.conf\.eth0\.accept_ra=2\nsysctl -w net\.ipv6\.conf\.all\.forwarding=1$/,
    ],
    ['no IPv6', judgeForwarding({ ...v6, all: undefined }), 'wrong', /has no IPv6/],
    ['strict filters on the only way out', judgeReversePath(['eth0'], 1), 'good'],
    ['strict filters on one of two', judgeReversePath(['eth0'], 2), 'wrong', /eth0\.rp_filter=2/],
    ['advertisements ignored', judgeAdvertisements(true, ['eth0']), 'wrong', /eth0\.accept_ra=2/],
    ['advertisements without forwarding', judgeAdvertisements(false, ['eth0']), 'good'],
    [
      'equal paths by address',
      judgeMultipathHash('ipv6', '0'),
      'warning',
      /net\.ipv6\.fib_multipath_hash_policy=1/,
    ],
    ['equal paths by port', judgeMultipathHash('ipv4', '1'), 'good'],
  ]);
});

describe('the doctor finds of tables', () => {
  table([
    ['few connections', judgeConntrack(10, 1000), 'good'],
    ['many', judgeConntrack(800, 1000), 'warning', /nf_conntrack_max=262144/],
    ['all', judgeConntrack(600_000, 600_000), 'wrong', /nf_conntrack_max=2400000/],
    ['no limit', judgeConntrack(600_000, 0), 'good'],
    ['few neighbours', judgeNeighbours('ipv4', 'ARP', 10, 1024), 'good'],
    [
      'many',
      judgeNeighbours('ipv4', 'ARP', 800, 1024),
      'warning',
      /net\.ipv4\.neigh\.default\.gc_thresh3=8192/,
    ],
    [
      'as many as there is room for',
      judgeNeighbours('ipv6', 'ND', 5000, 5000),
      'wrong',
      /gc_thresh3=20000\n.*gc_thresh2=10000\n.*gc_thresh1=2500/,
    ],
  ]);

  it('by the first column of the kernel’s counters, which is hexadecimal', () => {
    assert.equal(entriesIn('entries  allocs\n00000190 000cd053\n00000190 000f0317\n'), 400);
    assert.equal(entriesIn(''), 0);
  });
});

describe('the doctor finds of packet filters', () => {
  const pods = ['10.244.0.0/16', 'fd77::/64'];
  const chain = {
    family: 'ip',
    table: 'filter',
    chain: 'FORWARD',
    kind: 'nft',
    hasUserChain: false,
  } as const;
  const [s, d] = (['saddr', 'daddr'] as const).map((side) => ({ side, prefix: '10.0.0.0/8' }));
  table([
    ['none', judgePacketFilter([], pods), 'good'],
    ['a chain that takes all', judgePacketFilter([{ ...chain, takes: [{ side: 'all' }] }], pods), 'good'],
    ['one that takes both directions', judgePacketFilter([{ ...chain, takes: [s!, d!] }], pods), 'good'],
    [
      'one that takes only one',
      judgePacketFilter([{ ...chain, takes: [s!] }], pods),
      'wrong',
      /10\.244\.0\.0\/16:/,
    ],
    [
      'one of both families',
      judgePacketFilter([{ ...chain, family: 'inet', table: 'fw', takes: [s!, d!] }], pods),
      'wrong',
      /pods' fd77::\/64:[^]*nft insert rule inet fw FORWARD ip6 saddr fd77::\/64 accept/,
    ],
    [
      'Docker’s, of the older iptables',
      judgePacketFilter(legacyDrops('ip', '-P FORWARD DROP\n-N DOCKER-USER\n'), pods),
      'wrong',
      /iptables -I DOCKER-USER -s 10\.244\.0\.0\/16 -j ACCEPT\niptables -I DOCKER-USER -d /,
    ],
    [
      'the same, mended',
      judgePacketFilter(
        legacyDrops(
          'ip',
          '-P FORWARD DROP\n-A FORWARD -s 10.244.0.0/16 -j ACCEPT\n-A FORWARD -d 10.0.0.0/8 -j ACCEPT\n',
        ),
        pods,
      ),
      'good',
    ],
    ['a policy that lets pass', judgePacketFilter(legacyDrops('ip', '-P FORWARD ACCEPT\n'), pods), 'good'],
  ]);

  it('which rules of nft take by a source or a destination alone', () => {
    const rule = (...expr: object[]) => ({ rule: { expr } });
    const match = (field: string, right: unknown, op = '==') => ({
      match: { op, left: { payload: { protocol: 'ip', field } }, right },
    });
    const prefix = { prefix: { addr: '10.244.0.0', len: 16 } };
    const accept = { accept: null };
    const nftables = [
      { metainfo: {} },
      rule(match('saddr', prefix), { counter: {} }, accept),
      rule(match('daddr', 'fd77::1'), accept),
      rule(match('saddr', prefix, '!='), accept),
      rule(match('saddr', prefix), match('dport', 80), accept),
      rule(match('saddr', prefix), { drop: null }),
      rule({ counter: {} }, accept),
    ];
    assert.deepEqual(takesOf(JSON.stringify({ nftables })), [
      { side: 'saddr', prefix: '10.244.0.0/16' },
      { side: 'daddr', prefix: 'fd77::1/128' },
      { side: 'all' },
    ]);
    assert.deepEqual(takesOf('no JSON'), []);
  });
});

describe('the doctor finds of MTUs', () => {
  const path = { address: '10.0.0.9', device: 'eth0', linkMtu: 9000 };
  const less = (mtu: number) => ({ ...path, path: { kind: 'less', mtu } }) as const;
  const link = (name: string, mtu: number) => ({ name, mtu }) as Link;
  const facts = {
    pods: [link('pr0123456789abc', 1500)],
    out: [link('eth0', 1500)],
    configured: undefined,
    file: '/c',
  };
  table([
    ['whole paths', judgePaths([{ ...path, path: { kind: 'whole' } }]), 'good', /10\.0\.0\.9 \(9000\)/],
    [
      'the smallest of a link',
      judgePaths([less(1500), less(1400)]),
      'wrong',
      /ip link set dev eth0 mtu 1400$/,
    ],
    ['silence', judgePaths([{ ...path, path: { kind: 'silent' } }]), 'not tested', /no ping is answered/],
    ['nobody', judgePaths([]), 'not tested', /no neighbour/],
    ['pods that fit', judgePodMtu(facts), 'good', /1500/],
    [
      'pods that are too large',
      judgePodMtu({ ...facts, out: [link('eth0', 1400)] }),
      'warning',
      /eth0 has 1400/,
    ],
    [
      'a conflist that is',
      judgePodMtu({ ...facts, configured: 9000 }),
      'wrong',
      /sed -i 's\/"mtu": \*9000\\b\/"mtu": 1500\/' \/c/,
    ],
    [
      'a conflist in a folder of two words',
      judgePodMtu({ ...facts, configured: 9000, file: '/c d/10' }),
      'wrong',
      / '\/c d\/10'/,
    ],
    [
      'two ways out that differ',
      judgePodMtu({ ...facts, out: [link('a', 1500), link('b', 9000)] }),
      'warning',
      /1500, 9000/,
    ],
    ['no way out', judgePodMtu({ ...facts, out: [] }), 'not tested'],
  ]);

  it('by sizes that lie between what fits and what does not', () => {
    assert.deepEqual(sizesBetween(10, 13), [11, 12]);
    const sizes = sizesBetween(64, 65_535);
    assert.equal(new Set(sizes).size, 12);
    assert.ok(sizes.every((size) => size > 64 && size < 65_535));
  });
});

describe('the doctor finds of the machine', () => {
  const clock: ClockFacts = {
    year: 2026,
    isSynchronised: false,
    leapSecondToday: false,
    timesync: undefined,
  };
  const disk = { folder: '/d', freeBytes: 2 ** 36, sizeBytes: 2 ** 37, freeInodes: 1e6, syncMs: 1 };
  const refused = new KernelError('make', 'a network namespace', 1);
  const no = new KernelError('set TCP MD5 key of', 'socket 3', 92);
  table([
    ['a clock that is kept', judgeClock({ ...clock, isSynchronised: true }), 'good'],
    ['a clock that timesyncd has set', judgeClock({ ...clock, timesync: true }), 'good'],
    ['a clock that it has not', judgeClock({ ...clock, timesync: false }), 'warning', /systemctl restart/],
    ['a clock of which nobody speaks', judgeClock(clock), 'not tested', /hypervisor/],
    ['a clock that may not be asked', judgeClock({ ...clock, isSynchronised: undefined }), 'not tested'],
    ['a clock of 1970', judgeClock({ ...clock, year: 1970 }), 'wrong', /1970/],
    [
      'a leap second',
      judgeClock({ ...clock, isSynchronised: true, leapSecondToday: true }),
      'not tested, good',
      /leap/,
    ],
    ['a disk', judgeDisk('/d', disk, true), 'good', /64\.0 GiB of 128\.0 GiB free, 1\.0 ms/],
    [
      'a state directory in memory',
      judgeDisk('/d', { ...disk, kind: 'tmpfs' }, true),
      'wrong',
      /--state-dir/,
    ],
    ['one of a container', judgeDisk('/d', { ...disk, kind: 'overlayfs' }, true), 'warning', /container/],
    ['one on a file server', judgeDisk('/d', { ...disk, kind: 'NFS' }, true), 'warning'],
    ['little space', judgeDisk('/d', { ...disk, freeBytes: 2 ** 29 }, true), 'warning', /du -xh/],
    ['none', judgeDisk('/d', { ...disk, freeBytes: 2 ** 20 }, true), 'wrong', /1 MiB/],
    ['few inodes', judgeDisk('/d', { ...disk, freeInodes: 5_000 }, true), 'warning'],
    ['none left', judgeDisk('/d', { ...disk, freeInodes: 9 }, true), 'wrong', /du -x --inodes/],
    ['a slow one', judgeDisk('/d', { ...disk, syncMs: 300 }, true), 'warning', /300 ms/],
    ['one that hardly writes', judgeDisk('/d', { ...disk, syncMs: 3_000 }, true), 'wrong'],
    ['one that is read-only', judgeDisk('/d', { ...disk, refusal: 'EROFS' }, true), 'wrong', /EROFS/],
    ['one that is root’s', judgeDisk('/d', { ...disk, refusal: 'EACCES' }, false), 'not tested', /root/],
    [
      'a kernel that can all',
      judgeFeatures({ 'veth pairs': undefined }, true),
      'good',
      /working: veth pairs$/,
    ],
    [
      'one that cannot what is needed',
      judgeFeatures({ 'TCP MD5 keys': no }, true),
      'wrong',
      /CONFIG_TCP_MD5SIG/,
    ],
    [
      'one that cannot what is spare',
      judgeFeatures({ nf_tables: no }, true),
      'warning',
      /modprobe nf_tables/,
    ],
    ['that it may not be tried', judgeFeatures({ 'network namespaces': refused }, false), 'not tested'],
    ['that root may not, either', judgeFeatures({ 'network namespaces': refused }, true), 'wrong', /EPERM/],
  ]);
});
