// One end of a connection in memory. Bytes move: queue of the writer → kernel of the reader → data().
import type { Clock, Timer } from '#world';
import type { Connection, ConnectionHandler, LifeSigns, TtlRule } from '../io.ts';

/** What got lost is sent again after this, then after twice as long each time. */
const RETRANSMIT_MS = 200;
const LONGEST_RETRANSMIT_MS = 60_000;

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** What lies between the two ends. */
export interface MemoryWire {
  readonly clock: Clock;
  readonly latencyMs: number;
  /** Queued bytes from which on a writer must wait. */
  readonly highWaterBytes: number;
  /** Unread bytes that the kernel of the reader holds. */
  readonly windowBytes: number;
  /** Bytes that are read at once, at most. */
  readonly chunkBytes: number;
  /** Nobody reads. */
  readonly isFrozen: boolean;
  opened(connection: MemoryConnection): void;
  closed(connection: MemoryConnection): void;
  /** Do packets arrive? */
  carries(from: string, to: string): boolean;
}

export class MemoryConnection implements Connection {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly device?: string;
  ttl: TtlRule = { kind: 'multihop', hops: 64 };
  md5Key: string | undefined;
  /** Of the packet that asked for it. */
  arrivedTtl = 255;
  totalBytesAccepted = 0;
  isDestroyed = false;
  /** What is sent over it gets lost from now on, as behind a firewall that has forgotten it. */
  isForgotten = false;
  /** It ended and the other end was not told: who sends to it is told that there is no such connection. */
  #hasVanished = false;
  #retransmitMs = RETRANSMIT_MS;
  #answeredAt: number;
  readonly #network: MemoryWire;
  #other: MemoryConnection | undefined;
  #handler: ConnectionHandler | undefined;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** Bytes in this end's kernel, not read yet. */
  #unread: Uint8Array = new Uint8Array(0);
  #isPaused = false;
  #corks = 0;
  #wantsDrain = false;
  #isEnding = false;
  /** The other end has closed (undefined text) or broken; told once all its bytes are read. */
  #closing: { readonly error: string | undefined } | undefined;
  #delivery: Timer | undefined;
  #pumping: Timer | undefined;
  #ending: Timer | undefined;

  constructor(network: MemoryWire, local: Endpoint, remote: Endpoint, device: string | undefined) {
    this.#network = network;
    this.localAddress = local.address;
    this.localPort = local.port;
    this.remoteAddress = remote.address;
    this.remotePort = remote.port;
    if (device !== undefined) this.device = device;
    this.#answeredAt = network.clock.now();
    network.opened(this);
  }

  join(other: MemoryConnection): void {
    this.#other = other;
    other.#other = this;
  }

  setHandler(handler: ConnectionHandler): void {
    this.#handler = handler;
    this.deliverSoon();
  }

  write(bytes: Uint8Array): boolean {
    if (this.isDestroyed || this.#isEnding) return false;
    this.#queue.push(bytes);
    this.#queuedBytes += bytes.length;
    if (this.#corks === 0) this.#pumpSoon();
    if (this.#queuedBytes <= this.#network.highWaterBytes) return true;
    this.#wantsDrain = true;
    return false;
  }

  cork(): void {
    this.#corks++;
  }

  uncork(): void {
    if (this.#corks > 0) this.#corks--;
    if (this.#corks === 0) this.#pumpSoon();
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.deliverSoon();
  }

  hasUnreadBytes(): boolean {
    return this.#unread.length > 0;
  }

  lifeSigns(): LifeSigns {
    return {
      isClosed: this.isDestroyed || this.#closing !== undefined,
      answeredAgoMs: this.#network.clock.now() - this.#answeredAt,
      isShut: false,
    };
  }

  end(afterMs: number): void {
    if (this.isDestroyed || this.#isEnding) return;
    this.#isEnding = true;
    this.#handler = undefined;
    this.#corks = 0;
    this.#ending = this.#network.clock.setTimer(afterMs, () => this.destroy());
    this.#pumpSoon();
  }

  destroy(): void {
    this.#close(
      this.#queue.length > 0 || this.#unread.length > 0 ? 'connection reset by the other end' : undefined,
    );
  }

  /** Ends without a word, as when its machine dies. No handler call follows. */
  vanish(): void {
    this.#hasVanished = true;
    this.#close(undefined);
  }

  /** As when the network between the ends breaks or a host resets: both sides see the error. */
  cut(error = 'connection reset by the other end'): void {
    const handler = this.#handler;
    const wasOpen = !this.isDestroyed;
    this.#close(error);
    if (wasOpen) handler?.closed(error, 'ECONNRESET');
  }

  deliverSoon(): void {
    if (this.#delivery !== undefined || this.isDestroyed) return;
    this.#delivery = this.#network.clock.setTimer(0, () => {
      this.#delivery = undefined;
      this.#deliver();
    });
  }

  #close(errorForOther: string | undefined): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.#handler = undefined;
    this.#ending?.cancel();
    this.#delivery?.cancel();
    this.#pumping?.cancel();
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#unread = new Uint8Array(0);
    this.#network.closed(this);
    const other = this.#other;
    this.#hasVanished ||= !this.#network.carries(this.localAddress, this.remoteAddress);
    if (this.#hasVanished) return;
    if (other !== undefined && !other.isDestroyed && other.#closing === undefined) {
      other.#closing = { error: errorForOther };
      if (errorForOther !== undefined) other.#unread = new Uint8Array(0);
      other.deliverSoon();
    }
  }

  #pumpSoon(afterMs = this.#network.latencyMs): void {
    if (this.#pumping !== undefined || this.isDestroyed) return;
    this.#pumping = this.#network.clock.setTimer(afterMs, () => {
      this.#pumping = undefined;
      this.#pump();
    });
  }

  /** From this queue into the other end's kernel, as far as its window goes. */
  #pump(): void {
    const other = this.#other;
    if (this.isDestroyed || other === undefined) return;
    if ((this.#queue.length > 0 || this.#isEnding) && this.#isLost()) return;
    if (other.isDestroyed) {
      if (other.#hasVanished && this.#queue.length > 0) this.cut();
      return;
    }
    this.#answeredAt = this.#network.clock.now();
    other.#answeredAt = this.#answeredAt;
    let room = this.#network.windowBytes - other.#unread.length;
    const taken: Uint8Array[] = [other.#unread];
    while (room > 0 && this.#queue.length > 0) {
      const first = this.#queue[0]!;
      const count = Math.min(room, first.length);
      taken.push(first.subarray(0, count));
      if (count === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(count);
      room -= count;
      this.#queuedBytes -= count;
      this.totalBytesAccepted += count;
    }
    if (taken.length > 1) {
      other.#unread = Buffer.concat(taken);
      other.deliverSoon();
    }
    if (this.#queue.length > 0) return;
    if (this.#isEnding) this.#close(undefined);
    else if (this.#wantsDrain) {
      this.#wantsDrain = false;
      this.#handler?.drained();
    }
  }

  /** What is sent now does not arrive: it is sent again later. */
  #isLost(): boolean {
    const isForgotten = this.isForgotten || this.#other?.isForgotten === true;
    if (!isForgotten && this.#network.carries(this.localAddress, this.remoteAddress)) {
      this.#retransmitMs = RETRANSMIT_MS;
      return false;
    }
    this.#pumpSoon(this.#retransmitMs);
    this.#retransmitMs = Math.min(this.#retransmitMs * 2, LONGEST_RETRANSMIT_MS);
    return true;
  }

  /** Out of this end's kernel to the reader, in pieces. */
  #deliver(): void {
    if (this.#isEnding) this.#unread = new Uint8Array(0);
    while (this.#unread.length > 0) {
      if (this.isDestroyed || this.#handler === undefined || this.#isPaused || this.#network.isFrozen) return;
      const piece = Uint8Array.from(this.#unread.subarray(0, this.#network.chunkBytes));
      this.#unread = this.#unread.subarray(piece.length);
      this.#handler.data(piece, 0, piece.length);
      // Whoever kept a reference reads rubbish, as with a reused receive buffer.
      piece.fill(0xee);
      if (this.#other !== undefined) this.#other.#pumpSoon();
    }
    if (this.isDestroyed || this.#closing === undefined) return;
    if (this.#network.isFrozen || (this.#handler === undefined && !this.#isEnding)) return;
    const { error } = this.#closing;
    const handler = this.#handler;
    this.#close(undefined);
    if (error === undefined) handler?.closed(undefined);
    else handler?.closed(error, 'ECONNRESET');
  }
}
