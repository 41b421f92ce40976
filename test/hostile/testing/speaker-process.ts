// A whole speaker in a process of its own, on real sockets, so that its event loop and memory are measured and
// not those of whoever torments it. The parent gives orders over IPC; see speaker-under-fire.ts.
import { readdirSync } from 'node:fs';
import { Speaker, TcpTransport, type Origination } from '#bgp';
import { tcpSockets } from '#linux';
import { type Clock, systemClock, systemRandom } from '#world';
import type { Figures, Order, Reply } from './orders.ts';

const HEARTBEAT_MS = 4;

/** How late timers are: by the wall, and by this thread's own processor time (what others took is not our stall). */
class Heartbeat {
  #late: number[] = [];
  #maxWallMs = 0;
  #maxBusyMs = 0;
  #before = performance.now();
  #cpuBefore = cpuMs();

  constructor() {
    setInterval(() => this.#beat(), HEARTBEAT_MS);
  }

  reset(): void {
    this.#late = [];
    this.#maxWallMs = 0;
    this.#maxBusyMs = 0;
    this.#before = performance.now();
    this.#cpuBefore = cpuMs();
  }

  read(): { maxWallMs: number; maxBusyMs: number; p99WallMs: number } {
    const sorted = this.#late.toSorted((a, b) => a - b);
    return {
      maxWallMs: this.#maxWallMs,
      maxBusyMs: this.#maxBusyMs,
      p99WallMs: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    };
  }

  #beat(): void {
    const now = performance.now();
    const cpu = cpuMs();
    const late = Math.max(0, now - this.#before - HEARTBEAT_MS);
    this.#late.push(late);
    if (late > this.#maxWallMs) this.#maxWallMs = late;
    const busy = Math.min(late, cpu - this.#cpuBefore);
    if (busy > this.#maxBusyMs) this.#maxBusyMs = busy;
    this.#before = now;
    this.#cpuBefore = cpu;
  }
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** Time that runs `speed` times as fast, for timers of minutes. */
function fastClock(speed: number): Clock {
  return {
    now: () => performance.now() * speed,
    wall: () => Date.now(),
    setTimer: (delayMs, callback) => systemClock.setTimer(delayMs / speed, callback),
  };
}

let speaker: Speaker | undefined;
const heartbeat = new Heartbeat();
const log: string[] = [];
let lines = 0;

function note(fields: object, text: string): void {
  lines++;
  if (log.length < 2000) log.push(`${JSON.stringify(fields)} ${text}`);
}

async function obey(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'start': {
      const clock = order.clockSpeed === undefined ? systemClock : fastClock(order.clockSpeed);
      const transport = new TcpTransport({ socketOptions: tcpSockets });
      speaker = new Speaker(order.config, {
        clock,
        random: systemRandom,
        transport,
        log: { debug: note, info: note, warn: note },
      });
      for (const peer of order.peers) speaker.addPeer(peer);
      await speaker.start();
      return undefined;
    }
    case 'originate':
      await originate(order.count, order.perSet, order.aCall ?? 1000);
      return undefined;
    case 'addPeer':
      for (const peer of order.peers) speaker!.addPeer(peer);
      return undefined;
    case 'updatePeer':
      for (const peer of order.peers) speaker!.updatePeer(peer);
      return undefined;
    case 'removePeer':
      for (const id of order.ids) speaker!.removePeer(id);
      return undefined;
    case 'measure':
      globalThis.gc?.();
      heartbeat.reset();
      return figures();
    case 'figures':
      return figures();
    case 'log':
      return { lines, log };
    case 'routes':
      return speaker!.rib
        .routes({ view: 'best', limit: order.limit })
        .routes.map((route) => `${route.prefix} ${route.asPath}`);
  }
}

/** Nobody gives more while so many changes wait, as neighbours are not read from (bgp/rib/in/reading-pace.ts). */
const MOST_WAITING = 4096;

/** Own routes, `perSet` of each attribute set, in pieces: the loop must not stall for what the test wants. */
async function originate(count: number, perSet: number, aCall: number): Promise<void> {
  for (let first = 0; first < count; first += aCall) {
    const routes: Origination[] = [];
    for (let i = first; i < Math.min(count, first + aCall); i++) {
      routes.push({
        prefix: `${100 + (i >>> 16)}.${(i >>> 8) & 255}.${i & 255}.0/24`,
        med: Math.floor(i / perSet),
        largeCommunities: [`64500:1:${Math.floor(i / perSet)}`],
        why: 'test',
      });
    }
    speaker!.originate(routes);
    do await new Promise((resolve) => setImmediate(resolve));
    while (speaker!.rib.sizes().changesWaiting > MOST_WAITING);
  }
}

function figures(): Figures {
  const status = speaker?.status();
  const { rss, heapUsed, arrayBuffers, external } = process.memoryUsage();
  return {
    ...heartbeat.read(),
    rssBytes: rss,
    heapBytes: heapUsed + external,
    arrayBufferBytes: arrayBuffers,
    ribBytes: status?.rib.bytes ?? 0,
    openFiles: readdirSync('/proc/self/fd').length,
    peers: status?.peers ?? [],
    strangersRefused: status?.strangersRefused ?? 0,
  };
}

process.on('message', (message) => {
  const { id, order } = message as { id: number; order: Order };
  void obey(order).then(
    (value) => process.send?.({ id, value } satisfies Reply),
    (error: unknown) => process.send?.({ id, error: String(error) } satisfies Reply),
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.({ id: 0 } satisfies Reply);
