// Makes and removes pod links. A pod's link is one message (the veth, with its other end born in the pod's namespace), one
// batch sent inside the pod's namespace and one on the host: three system calls that do work.
import { familyOf } from '#ip';
import { describeRequest } from '../describe.ts';
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import type { Link, Request } from '../kernel.ts';
import { LinkRemover } from './link-remover.ts';
import { addon } from '../native/addon.ts';
import type { Ack } from '../netlink/ack.ts';
import { nlmFlag, rtm } from '../netlink/constants.ts';
import { decodeLink, encodeLink, encodeLinkSwitches } from '../netlink/link.ts';
import { NetlinkSocket } from '../native/netlink-socket.ts';
import { MessageWriter } from '../netlink/writer.ts';
import { openNetns, withNetns, withNetnsFd } from '../native/netns.ts';
import {
  findMistake,
  hostRequests,
  linkRequest,
  podRequests,
  type PodWirer,
  type PodWiring,
  type WiredPod,
} from '../pod-wiring.ts';
import type { KernelOptions } from './real-kernel.ts';
import { encodeRequest } from './requests.ts';
import { writeSysctl } from './sysctl.ts';

/** Default: the calling thread's namespace. Throws KernelError when there is no such namespace. */
export function openPodWirer(options: KernelOptions = {}): PodWirer {
  return new NetlinkPodWirer(options);
}

class NetlinkPodWirer implements PodWirer {
  readonly #host: NetlinkSocket;
  readonly #remover: LinkRemover;
  readonly #writer = new MessageWriter();
  readonly #netns: KernelOptions['netns'];

  constructor(options: KernelOptions) {
    this.#netns = options.netns;
    this.#host = NetlinkSocket.open({ netns: options.netns });
    this.#remover = new LinkRemover(NetlinkSocket.open({ netns: options.netns }));
  }

  wire(spec: PodWiring): WiredPod | KernelError {
    const wrong = findMistake(spec);
    if (wrong !== undefined) return new KernelError('wire pod', spec.hostName, errnos.EINVAL, wrong);
    const netns = openNetns(spec.netns);
    if (netns instanceof KernelError) return netns;
    try {
      const link = this.#addLink(spec, netns);
      if (link instanceof KernelError) return link;
      const podIndex = link.peerIndex ?? 0;
      const error = this.#setUpPod(spec, netns, podIndex) ?? this.#setUpHost(spec, link.index);
      if (error === undefined) {
        return { hostIndex: link.index, podIndex, hostMac: spec.hostMac, podMac: spec.podMac };
      }
      // Nobody waits for this: the link's routes, addresses and other end go with it.
      void this.#remover.remove(spec.hostName);
      return error;
    } catch (error) {
      if (error instanceof KernelError) return error;
      throw error;
    } finally {
      addon().close(netns);
    }
  }

  /** The host's end is up at once; the pod's cannot be while it has no peer (ENOTCONN). */
  #addLink(spec: PodWiring, netnsFd: number): Link | KernelError {
    const request = linkRequest(spec, netnsFd);
    const sequence = this.#host.sequences(1);
    this.#writer.clear();
    const mistake = encodeRequest(this.#writer, request, sequence, () => undefined, nlmFlag.echo);
    if (mistake !== undefined) return mistake;
    let link: Link | undefined;
    const [ack] = this.#host.exchange(this.#writer.bytes, sequence, 1, (packet, start, end) => {
      link = decodeLink(packet, start, end);
    });
    if (ack === undefined || ack.errno !== 0) {
      const { operation, object } = describeRequest(request);
      const errno = ack?.errno ?? errnos.ENOBUFS;
      const detail = this.#hint(errno, spec) ?? ack?.text;
      return new KernelError(operation, `${object} in ${spec.netns}`, errno, detail);
    }
    return link ?? this.#getLink(spec.hostName);
  }

  #hint(errno: number, spec: PodWiring): string | undefined {
    if (errno === errnos.EINVAL) return `is ${spec.netns} a network namespace?`;
    if (errno !== errnos.EEXIST) return undefined;
    return addon().interfaceIndex(this.#host.fd, spec.hostName) > 0
      ? `the host has a link ${spec.hostName} already`
      : `the pod's namespace has a link ${spec.podName} already`;
  }

  /** Kernels before 6.2 do not echo RTM_NEWLINK. */
  #getLink(name: string): Link | KernelError {
    const sequence = this.#host.sequences(1);
    this.#writer.clear();
    this.#writer.begin(rtm.getLink, nlmFlag.request | nlmFlag.ack, sequence);
    encodeLink(this.#writer, { name });
    this.#writer.end();
    let link: Link | undefined;
    const [ack] = this.#host.exchange(this.#writer.bytes, sequence, 1, (packet, start, end) => {
      link = decodeLink(packet, start, end);
    });
    return link ?? new KernelError('read link', name, ack?.errno ?? errnos.ENODEV, ack?.text);
  }

  #setUpPod(spec: PodWiring, netnsFd: number, podIndex: number): KernelError | undefined {
    const socket = withNetnsFd(netnsFd, spec.netns, () => NetlinkSocket.open());
    try {
      const device = spec.podName;
      const error = this.#send(socket, podRequests(spec, false), device, podIndex, spec.netns);
      if (error?.errno !== errnos.EACCES || !spec.addresses.some((a) => familyOf(a) === 'ipv6')) return error;
      // Some container runtimes make namespaces with IPv6 off; to look first would cost every other pod the time.
      withNetnsFd(netnsFd, spec.netns, () => writeSysctl(`net/ipv6/conf/${device}/disable_ipv6`, 0));
      return this.#send(socket, podRequests(spec, true), device, podIndex, spec.netns);
    } finally {
      socket.close();
    }
  }

  #setUpHost(spec: PodWiring, hostIndex: number): KernelError | undefined {
    const device = spec.hostName;
    const switches = { forwarding: 1, rpFilter: spec.rpFilter ?? 1 };
    this.#refuseAdvertisements(device);
    return this.#send(this.#host, hostRequests(spec), device, hostIndex, undefined, switches);
  }

  /** Pods are no routers. Netlink has no such switch; where it cannot be set the agent has said so at its start. */
  #refuseAdvertisements(device: string): void {
    const write = () => writeSysctl(`net/ipv6/conf/${device}/accept_ra`, 0);
    try {
      if (this.#netns === undefined) write();
      else withNetns(this.#netns, write);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
    }
  }

  /** All in one send; the first error, or undefined. The device is the only one that the requests name. */
  #send(
    socket: NetlinkSocket,
    requests: readonly Request[],
    device: string,
    index: number,
    place: string | undefined,
    switches?: Parameters<typeof encodeLinkSwitches>[2],
  ): KernelError | undefined {
    const writer = this.#writer;
    const first = socket.sequences(requests.length + 2);
    writer.clear();
    for (const [i, request] of requests.entries()) {
      const mistake = encodeRequest(writer, request, first + i, () => index);
      if (mistake !== undefined) return mistake;
    }
    let count = requests.length;
    if (switches !== undefined) {
      writer.begin(rtm.setLink, nlmFlag.request | nlmFlag.ack, first + count++);
      encodeLinkSwitches(writer, { index }, switches);
      writer.end();
      // This end was up before its other end, and until the kernel's worker (linkwatch, at times a second later) has seen
      // the carrier, all that is sent by it is dropped. Linux 6.8 and later looks at once when it is asked for the link.
      writer.begin(rtm.getLink, nlmFlag.request | nlmFlag.ack, first + count++);
      encodeLink(writer, { index });
      writer.end();
    }
    const acks = socket.exchange(writer.bytes, first, count);
    const failed = acks.findIndex((ack) => ack.errno !== 0);
    if (failed < 0) return undefined;
    const { errno, text } = acks[failed] as Ack;
    const request = requests[failed];
    const { operation, object } =
      request === undefined
        ? { operation: 'set link', object: `${device} ${JSON.stringify(switches)}` }
        : describeRequest(request);
    return new KernelError(operation, place === undefined ? object : `${object} in ${place}`, errno, text);
  }

  unwire(hostName: string): Promise<KernelError | undefined> {
    return this.#remover.remove(hostName);
  }

  unwireGroup(group: number): Promise<KernelError | undefined> {
    return this.#remover.removeGroup(group);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#host.close();
    await this.#remover.close();
  }
}
