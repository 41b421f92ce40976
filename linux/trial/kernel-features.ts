// What this kernel can do of what we need, tried in a network namespace without a name that ends with its descriptor:
// nothing of it is left, whatever happens meanwhile.
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import type { Request } from '../kernel.ts';
import { addon } from '../native/addon.ts';
import { NetlinkSocket } from '../native/netlink-socket.ts';
import { withNetns } from '../native/netns.ts';
import { openKernel } from '../real/real-kernel.ts';
import { tcpSockets } from '../real/tcp-sockets.ts';

export const KERNEL_FEATURES = [
  'network namespaces',
  'veth pairs',
  'IPv6',
  'multipath routes',
  'IPv4 routes over IPv6 next hops',
  'TCP MD5 keys',
  'next-hop objects',
  'nf_tables',
] as const;
export type KernelFeature = (typeof KERNEL_FEATURES)[number];

/** undefined: it works; else why not. Features that need a namespace are left out where none can be made. */
export type TriedFeatures = Partial<Record<KernelFeature, KernelError | undefined>>;

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_NETFILTER = 12;
const RTM_GETNEXTHOP = 106;

const veth: Request = {
  type: 'addLink',
  kind: 'veth',
  name: 'a',
  up: true,
  peer: { name: 'b' },
};
const withIPv4: readonly Request[] = [
  { type: 'setLink', device: 'b', up: true },
  { type: 'addAddress', device: 'a', address: '192.0.2.1/24' },
];
const withIPv6: Request = { type: 'addAddress', device: 'a', address: '2001:db8::1/64', noDad: true };
const hops = (...gateways: readonly string[]): Request => ({
  type: 'addRoute',
  route: {
    destination: '198.51.100.0/24',
    nextHops: gateways.map((gateway) => ({ gateway, device: 'a', onlink: true })),
  },
  replace: true,
});

export async function tryKernelFeatures(): Promise<TriedFeatures> {
  const fd = addon().unnamedNetns();
  if (fd < 0) return { 'network namespaces': new KernelError('make', 'a network namespace', -fd) };
  const netns = `/proc/self/fd/${fd}`;
  try {
    const tried: { -readonly [name in KernelFeature]?: KernelError | undefined } = {
      'network namespaces': undefined,
    };
    await using kernel = await openKernel({ netns });
    const [madeVeth] = await kernel.apply([veth]);
    tried['veth pairs'] = madeVeth;
    if (madeVeth === undefined) {
      await kernel.apply(withIPv4);
      tried['IPv6'] = (await kernel.apply([withIPv6]))[0];
      tried['multipath routes'] = (await kernel.apply([hops('192.0.2.2', '192.0.2.3')]))[0];
      tried['IPv4 routes over IPv6 next hops'] = (await kernel.apply([hops('2001:db8::2')]))[0];
    }
    tried['next-hop objects'] = await nextHopObjects(netns);
    tried['TCP MD5 keys'] = withNetns(netns, tcpMd5);
    tried['nf_tables'] = withNetns(netns, nfTables);
    return tried;
  } finally {
    addon().close(fd);
  }
}

function tcpMd5(): KernelError | undefined {
  try {
    const md5 = [{ prefix: '192.0.2.2', key: 'k' }];
    tcpSockets.closeSocket(tcpSockets.openTcpSocket({ family: 'ipv4', md5 }));
    return undefined;
  } catch (error) {
    if (error instanceof KernelError) return error;
    throw error;
  }
}

/** A kernel without them does not know the question. */
async function nextHopObjects(netns: string): Promise<KernelError | undefined> {
  const socket = NetlinkSocket.open({ netns });
  try {
    const header = (writer: { u32(value: number): unknown }) => {
      writer.u32(0);
      writer.u32(0);
    };
    await socket.dump('next-hop objects', RTM_GETNEXTHOP, header, () => undefined);
    return undefined;
  } catch (error) {
    if (error instanceof KernelError) return error;
    throw error;
  } finally {
    socket.close();
  }
}

/** Asks for the generation of the ruleset: nlmsghdr 16 | family, version 2 | resource id 2. */
function nfTables(): KernelError | undefined {
  const native = addon();
  const fd = native.socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
  if (fd < 0) return new KernelError('open', 'nfnetlink', -fd);
  try {
    const message = new Uint8Array(20);
    const view = new DataView(message.buffer);
    view.setUint32(0, message.length, true);
    // NFT_MSG_GETGEN of NFNL_SUBSYS_NFTABLES, NLM_F_REQUEST
    view.setUint16(4, (10 << 8) | 16, true);
    view.setUint16(6, 1, true);
    const sent = native.send(fd, message, 0, message.length);
    if (sent < 0) return new KernelError('send to', 'nf_tables', -sent);
    const answer = new Uint8Array(8192);
    // The kernel has answered inside send.
    const length = native.recv(fd, answer, 0, answer.length, 0x40);
    if (length < 0) return new KernelError('hear from', 'nf_tables', -length);
    const reply = new DataView(answer.buffer);
    const errno = reply.getUint16(4, true) === 2 ? -reply.getInt32(16, true) : 0;
    return errno === 0 ? undefined : new KernelError('ask', 'nf_tables', errno || errnos.EOPNOTSUPP);
  } finally {
    native.close(fd);
  }
}
