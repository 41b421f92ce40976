// Reads what comes to a datagram or raw socket: so much of a flood in one turn of the event loop, and the rest is left to
// the socket's receive buffer, which loses what is too much.
import { formatOctets } from '#ip';
import { AF_INET } from '../netlink/constants.ts';
import { LITTLE } from '../netlink/writer.ts';
import { addon, ARRIVAL_BYTES, type PollHandle } from './addon.ts';

export interface ReadingPace {
  /** So many are read in one turn of the event loop; when there may be more, the next look is after a rest. */
  readonly atOnce: number;
  readonly restMs: number;
  /** Longer ones do not come whole, and are not heard. */
  readonly longest: number;
}

export class DatagramReader implements Disposable {
  /** Of the datagram that `heard` is called for, as the addon's receiveFrom tells it. */
  readonly arrival = new Uint8Array(ARRIVAL_BYTES);
  readonly #view = new DataView(this.arrival.buffer);
  readonly #buffer: Uint8Array;
  readonly #fd: number;
  readonly #pace: ReadingPace;
  readonly #heard: (bytes: Uint8Array) => void;
  #poll: PollHandle | undefined;
  #rest: NodeJS.Timeout | undefined;
  #isOpen = true;

  /**
   * @param fd does not block; stays open until this is disposed of
   * @param heard gets bytes that are good until it returns; it may dispose of this
   */
  constructor(fd: number, pace: ReadingPace, heard: (bytes: Uint8Array) => void) {
    this.#fd = fd;
    this.#pace = pace;
    this.#heard = heard;
    this.#buffer = new Uint8Array(pace.longest);
    this.#listen();
  }

  get fromPort(): number {
    return this.#view.getUint16(2);
  }
  /** Without its scope. */
  get fromAddress(): string {
    return this.#isIPv4 ? formatOctets(this.arrival, 4, 4) : formatOctets(this.arrival, 8, 16);
  }
  /** sin6_scope_id: of a link-local sender its link; 0 with IPv4. */
  get scope(): number {
    return this.#isIPv4 ? 0 : this.#view.getUint32(24, LITTLE);
  }
  /** -1: not told */
  get hops(): number {
    return this.#view.getInt32(28, LITTLE);
  }
  /** 0: not told */
  get interfaceIndex(): number {
    return this.#view.getUint32(32, LITTLE);
  }
  /** Without its scope; only with IP_PKTINFO or IPV6_RECVPKTINFO. */
  get toAddress(): string {
    return formatOctets(this.arrival, 36, this.#isIPv4 ? 4 : 16);
  }

  get #isIPv4(): boolean {
    return this.#view.getUint16(0, LITTLE) === AF_INET;
  }

  /** Where no poll handle is to be had, it is tried again: the socket can send meanwhile. */
  #listen(): void {
    const poll = addon().pollStart(this.#fd, () => this.#readable());
    if (typeof poll === 'number') this.#restThen();
    else this.#poll = poll;
  }

  #restThen(): void {
    this.#rest = setTimeout(() => this.#listen(), this.#pace.restMs);
    this.#rest.unref();
  }

  #readable(): void {
    for (let left = this.#pace.atOnce; left > 0; left--) {
      const size = addon().receiveFrom(this.#fd, this.#buffer, this.arrival);
      if (size < 0) return;
      if (size <= this.#pace.longest) this.#heard(this.#buffer.subarray(0, size));
      if (!this.#isOpen) return;
    }
    this.#unlisten();
    this.#restThen();
  }

  #unlisten(): void {
    if (this.#poll !== undefined) addon().pollStop(this.#poll);
    this.#poll = undefined;
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#rest);
    this.#unlisten();
  }
}
