// Datagrams over node:dgram, in the network namespace that the calling thread is in at bind.
import { createSocket } from 'node:dgram';
import { familyOf } from '#ip';
import type { Datagrams, DatagramSocket } from '../datagrams.ts';
import { KernelError } from '../kernel-error.ts';

const DEFAULT_TTL = 64;

export const udp: Datagrams = {
  bind({ local, ttl = DEFAULT_TTL }, received) {
    const socket = createSocket({
      type: familyOf(local.address) === 'ipv6' ? 'udp6' : 'udp4',
      // Addresses need no name server; answered at once, so that bind is done when it returns.
      lookup: (name, _options, done) => done(null, name, 0),
    });
    let failed: KernelError | undefined;
    // What the kernel says later (a neighbour's ICMP) is loss like any other.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      failed ??= new KernelError('bind', `UDP ${local.address} port ${local.port}`, -(error.errno ?? 0));
    });
    socket.bind({ address: local.address, port: local.port, exclusive: true });
    if (failed !== undefined) {
      socket.close();
      return failed;
    }
    socket.setTTL(ttl);
    socket.on('message', (bytes, from) => received(bytes, { address: from.address, port: from.port }));
    let isOpen = true;
    return {
      local: { address: local.address, port: socket.address().port },
      send(bytes, to) {
        if (isOpen) socket.send(Uint8Array.from(bytes), to.port, to.address, () => undefined);
      },
      [Symbol.dispose]() {
        if (isOpen) socket.close();
        isOpen = false;
      },
    } satisfies DatagramSocket;
  },
};
