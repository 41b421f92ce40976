// Deletes links off the main thread. The kernel waits for an RCU grace period (about 24 ms) in each deletion; so those asked for
// while one runs are gathered into a group and deleted together, which costs hardly more than one.
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import type { Ack } from '../netlink/ack.ts';
import { nlmFlag, rtm } from '../netlink/constants.ts';
import { encodeLink } from '../netlink/link.ts';
import type { NetlinkSocket } from '../native/netlink-socket.ts';
import { MessageWriter } from '../netlink/writer.ts';

/** IFLA_GROUP of links that are about to go: 'prDE' in ASCII, nobody else's. */
const DOOMED_GROUP = 0x70724445;
const MOST_AT_ONCE = 100;
const ACKED = nlmFlag.request | nlmFlag.ack;

interface Wanted {
  readonly name: string;
  readonly done: (result: KernelError | undefined) => void;
}

export class LinkRemover {
  readonly #socket: NetlinkSocket;
  readonly #writer = new MessageWriter();
  /** Bounded by the number of links there are: each is asked for once by its owner. */
  readonly #waiting: Wanted[] = [];
  #running: Promise<void> | undefined;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /** ENODEV when there is no such link. */
  remove(name: string): Promise<KernelError | undefined> {
    return new Promise((done) => {
      this.#waiting.push({ name, done });
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined;
      });
    });
  }

  removeGroup(group: number): Promise<KernelError | undefined> {
    const object = `of group ${group}`;
    if (group === 0) {
      const detail = 'group 0 is every link that has no group';
      return Promise.resolve(new KernelError('delete links', object, errnos.EINVAL, detail));
    }
    return this.#socket.exclusive(async () => {
      const sequence = this.#begin();
      this.#message(rtm.deleteLink, sequence, { group });
      const [ack] = await this.#socket.exchangeInBackground(this.#writer.bytes, sequence, 1);
      return errorOf('delete links', object, ack);
    });
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#socket.exclusive(() => this.#removeSome(this.#waiting.splice(0, MOST_AT_ONCE)));
    }
  }

  async #removeSome(wanted: readonly Wanted[]): Promise<void> {
    const sequence = this.#begin();
    const [only] = wanted;
    if (wanted.length === 1 && only !== undefined) {
      this.#message(rtm.deleteLink, sequence, { name: only.name });
    } else {
      for (const [i, { name }] of wanted.entries()) {
        this.#message(rtm.setLink, sequence + i, { name, group: DOOMED_GROUP });
      }
      this.#message(rtm.deleteLink, sequence + wanted.length, { group: DOOMED_GROUP });
    }
    const count = wanted.length === 1 ? 1 : wanted.length + 1;
    const acks = await this.#exchange(sequence, count);
    // The group's own result says nothing of a link that had gone before: that is in its first message's.
    const whole = wanted.length > 1 ? acks[wanted.length] : undefined;
    for (const [i, { name, done }] of wanted.entries()) {
      const own = acks[i];
      done(errorOf('delete link', name, own?.errno === 0 && whole !== undefined ? whole : own));
    }
  }

  /** A socket that fails is a result like any other. */
  async #exchange(sequence: number, count: number): Promise<Ack[]> {
    try {
      return await this.#socket.exchangeInBackground(this.#writer.bytes, sequence, count);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      return Array.from({ length: count }, () => ({ errno: error.errno, text: error.message }));
    }
  }

  #begin(): number {
    this.#writer.clear();
    return this.#socket.sequences(MOST_AT_ONCE + 1);
  }

  #message(type: number, sequence: number, link: Parameters<typeof encodeLink>[1]): void {
    this.#writer.begin(type, ACKED, sequence);
    encodeLink(this.#writer, link);
    this.#writer.end();
  }

  /** After what was asked for is done. */
  async close(): Promise<void> {
    await this.#running;
    await this.#socket.exclusive(async () => this.#socket.close());
  }
}

function errorOf(operation: string, object: string, ack: Ack | undefined): KernelError | undefined {
  if (ack === undefined || ack.errno === 0) return undefined;
  return new KernelError(operation, object, ack.errno, ack.text);
}
