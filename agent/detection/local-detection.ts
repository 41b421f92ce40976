// BFD on the calling thread over the host's datagrams: which sockets there are, with the ports and TTLs of RFC 5881 and
// RFC 5883. One socket hears for all sessions of an address family and kind of hop; each session sends from its own.
import { type BfdChange, type BfdEnds, type BfdSender, BfdSessions } from '#bfd';
import { type Family, familyOf, splitZone } from '#ip';
import { type Datagram, type Datagrams, type DatagramSocket, KernelError } from '#linux';
import type { Clock, Random, Scheduler } from '#world';
import type { Detection } from './detection.ts';

export interface DetectionOutside {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** The system's: what is drawn must not be guessed. */
  readonly random: Random;
  readonly datagrams: Datagrams;
}

/** Where neighbours send to. */
const PORTS = { single: 3784, multi: 4784 } as const;
/** Where we send from, the same for the life of a session (RFC 5881 §4). */
const SOURCE_PORTS = { first: 49_152, last: 65_535 };
const TTL = 255;
/** What one hop can have left of it is all of it (RFC 5881 §5); over several, each session has its own least. */
const LEAST_TTL = { single: TTL, multi: 1 } as const;

/** Runs until it is disposed of. */
export function localDetection(outside: DetectionOutside): Detection {
  let listener: ((change: BfdChange) => void) | undefined;
  const receivers = new Receivers(outside.datagrams, (hops, { bytes, from, to, device, ttl }) =>
    sessions.receive(hops, bytes, from.address, to, device, ttl),
  );
  const sessions: BfdSessions = new BfdSessions({
    ...outside,
    open: (ends) => openSender(ends, outside.datagrams, receivers),
    changed: (change) => listener?.(change),
  });
  return {
    apply: (wanted) => sessions.apply(wanted),
    onChange: (heard) => void (listener = heard),
    status: (id) => sessions.status(id),
    unclaimed: () => sessions.unclaimed,
    async [Symbol.asyncDispose]() {
      sessions[Symbol.dispose]();
    },
  };
}

function openSender(ends: BfdEnds, datagrams: Datagrams, receivers: Receivers): BfdSender | string {
  const { local, remote, device, hops } = ends;
  const receiver = receivers.use(familyOf(splitZone(local).address), hops);
  if (receiver instanceof KernelError) return receiver.message;
  const socket = datagrams.bind({
    local: { address: local, port: 0 },
    ports: SOURCE_PORTS,
    ttl: TTL,
    isControl: true,
    ...(device === undefined ? {} : { device }),
  });
  if (socket instanceof KernelError) {
    receiver[Symbol.dispose]();
    return socket.message;
  }
  const neighbour = { address: remote, port: PORTS[hops] };
  return {
    send: (packet) => socket.send(packet, neighbour),
    [Symbol.dispose]() {
      socket[Symbol.dispose]();
      receiver[Symbol.dispose]();
    },
  };
}

/** Sockets that hear, each while a session uses it. Bound: two families, two kinds of hop. */
class Receivers {
  readonly #datagrams: Datagrams;
  readonly #heard: (hops: BfdEnds['hops'], datagram: Datagram) => void;
  readonly #open = new Map<string, { readonly socket: DatagramSocket; users: number }>();

  constructor(datagrams: Datagrams, heard: (hops: BfdEnds['hops'], datagram: Datagram) => void) {
    this.#datagrams = datagrams;
    this.#heard = heard;
  }

  use(family: Family, hops: BfdEnds['hops']): Disposable | KernelError {
    const key = `${family} ${hops}`;
    const receiver = this.#open.get(key) ?? this.#bind(family, hops);
    if (receiver instanceof KernelError) return receiver;
    this.#open.set(key, receiver);
    receiver.users++;
    return {
      [Symbol.dispose]: () => {
        if (--receiver.users > 0) return;
        this.#open.delete(key);
        receiver.socket[Symbol.dispose]();
      },
    };
  }

  #bind(family: Family, hops: BfdEnds['hops']) {
    const local = { address: family === 'ipv4' ? '0.0.0.0' : '::', port: PORTS[hops] };
    const socket = this.#datagrams.bind({ local, leastTtl: LEAST_TTL[hops] }, (datagram) =>
      this.#heard(hops, datagram),
    );
    return socket instanceof KernelError ? socket : { socket, users: 0 };
  }
}
