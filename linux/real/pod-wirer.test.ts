// What only Linux does with a pod's link: that it carries frames from the moment that wire returns.
import assert from 'node:assert/strict';
import { KernelError } from '../kernel-error.ts';
import { formatMac } from '../netlink/mac.ts';
import { sendRaw } from '../testing/raw-frames.ts';
import { needNamespaces, TestNetns } from '../testing/temporary-netns.ts';
import { openPacketSocket } from './packet-socket.ts';
import { openPodWirer } from './pod-wirer.ts';

const LINKS = 60;
const macOf = (end: 'host' | 'pod', i: number) =>
  `0${end === 'pod' ? 2 : 6}:00:00:00:01:${i.toString(16).padStart(2, '0')}`;

/** IPv4 alone: Linux sends of its own accord in IPv6. */
const framesFrom = (mac: string, frames: readonly Uint8Array[]): number =>
  frames.filter((f) => f[12] === 8 && f[13] === 0 && formatMac(f, 6, 6) === mac).length;

describe('pod links of Linux', function () {
  needNamespaces(this);

  it('carry the first frame in both directions, before the kernel has come to look at their carrier', async () => {
    using host = new TestNetns();
    using pod = new TestNetns();
    await using wirer = openPodWirer({ netns: host.path });
    using atHost = openPacketSocket(host.path);
    using atPod = openPacketSocket(pod.path);
    const came = { host: 0, pod: 0 };
    // All in one turn: what looks at new carriers (linkwatch, on a worker) has hardly begun when wire returns.
    for (let i = 0; i < LINKS; i++) {
      const [hostName, podName, hostMac, podMac] = [`pr${i}`, `eth${i}`, macOf('host', i), macOf('pod', i)];
      const wired = wirer.wire({
        ...{ netns: pod.path, hostName, podName, hostMac, podMac, mtu: 1450 },
        ...{ addresses: [], gateways: { ipv4: '169.254.1.1', ipv6: 'fe80::1' } },
      });
      assert.ok(!(wired instanceof KernelError), wired instanceof KernelError ? wired.message : undefined);
      const ends = { source: '10.0.0.1', destination: '10.0.0.2' };
      sendRaw(host.path, hostName, { ...ends, sourceMac: hostMac, destinationMac: podMac });
      sendRaw(pod.path, podName, { ...ends, sourceMac: podMac, destinationMac: hostMac });
      came.pod += framesFrom(hostMac, atPod.take());
      came.host += framesFrom(podMac, atHost.take());
    }
    assert.deepEqual(came, { host: LINKS, pod: LINKS });
  });
});
