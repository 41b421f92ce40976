// PodSources over nf_tables: no program and no library is called. Two sockets, opened at their first use, since a kernel
// may be without netfilter: one for changes and questions, one a turn, and one that hears of others' changes.
import { Turns } from '#world';
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import { addon } from '../native/addon.ts';
import { NetlinkSocket } from '../native/netlink-socket.ts';
import type { NetnsReference } from '../native/netns.ts';
import { decodeAck } from '../netlink/ack.ts';
import { nlmFlag, nlmsg } from '../netlink/constants.ts';
import { MessageWriter } from '../netlink/writer.ts';
import type { DroppedPackets, PodSource, PodSources, SourceChange, TableNews } from '../pod-sources.ts';
import {
  decodeCounter,
  decodeElements,
  encodeChainName,
  encodeCounterName,
  encodeSetName,
  isAboutTable,
} from './answers.ts';
import { Batch } from './batch.ts';
import { NETLINK_NETFILTER, nft, NFTABLES_GROUP } from './numbers.ts';
import { CHAIN, COUNTERS, POD_TABLE, readTable, RULES, SETS, writeChanges, writeTable } from './pod-table.ts';

/** A whole table goes in one send: room for about 20,000 pods with two addresses. */
const SEND_BYTES = 4 << 20;
/** Others (kube-proxy) change tens of thousands of elements at once. */
const RECEIVE_BYTES = 8 << 20;
/** Messages handled before the event loop gets its turn. */
const SLICE = 1000;

/** @param netns default: that of the thread which first uses it */
export function openPodSources(netns?: NetnsReference): PodSources {
  return new KernelPodSources(netns);
}

class KernelPodSources implements PodSources {
  readonly #netns: NetnsReference | undefined;
  readonly #batch = new Batch(POD_TABLE);
  readonly #turns = new Turns();
  #socket: NetlinkSocket | undefined;

  constructor(netns: NetnsReference | undefined) {
    this.#netns = netns;
  }

  replace(sources: readonly PodSource[]): Promise<KernelError | undefined> {
    return this.#commit((batch) => writeTable(batch, sources));
  }

  remove(): Promise<KernelError | undefined> {
    return this.#commit((batch) => {
      // To delete one that is not there would be an error.
      batch.addTable();
      batch.deleteTable();
    });
  }

  change(changes: readonly SourceChange[]): Promise<KernelError | undefined> {
    return this.#commit((batch) => writeChanges(batch, changes));
  }

  /** On a pool thread: the kernel makes it wait while somebody else (kube-proxy) commits a large batch. */
  #commit(write: (batch: Batch) => void): Promise<KernelError | undefined> {
    return this.#asked(async (socket) => {
      const batch = this.#batch.begin(socket.sequences(1));
      write(batch);
      const { bytes, first, messages } = batch.end();
      if (messages.length === 0) return undefined;
      socket.sequences(messages.length + 1);
      await socket.sendInBackground(bytes, 0, bytes.length);
      return firstError(socket, first, messages);
    });
  }

  async list(): Promise<readonly PodSource[] | KernelError> {
    let found: readonly PodSource[] = [];
    const error = await this.#asked(async (socket) => {
      const elementsOf = async (set: string): Promise<Uint8Array[]> => {
        const name = (writer: MessageWriter) => encodeSetName(writer, POD_TABLE, set);
        const what = `set ${set} of ${tableText}`;
        return (await socket.dump(what, nft.getElements, name, decodeElements)).flat();
      };
      const chain = (writer: MessageWriter) => encodeChainName(writer, POD_TABLE, CHAIN);
      const rules = await socket.dump(`rules of ${tableText}`, nft.getRule, chain, () => true);
      found = readTable(await elementsOf(SETS.links), [
        ...(await elementsOf(SETS.ipv4)),
        ...(await elementsOf(SETS.ipv6)),
      ]);
      if (rules.length === RULES.length) return undefined;
      const detail = `chain ${CHAIN} has ${rules.length} rules of ${RULES.length}`;
      return new KernelError('list', `rules of ${tableText}`, errnos.ENOENT, detail);
    });
    return error ?? found;
  }

  async dropped(): Promise<DroppedPackets | KernelError> {
    const found: { -readonly [name in keyof DroppedPackets]: number } = {
      source: 0,
      advertisement: 0,
      linkLocal: 0,
    };
    const error = await this.#asked(async (socket) => {
      const writer = new MessageWriter();
      const first = socket.sequences(COUNTERS.length);
      for (const [i, name] of COUNTERS.entries()) {
        writer.begin(nft.getObject, nlmFlag.request | nlmFlag.ack, first + i);
        encodeCounterName(writer, POD_TABLE, name);
        writer.end();
      }
      const acks = socket.exchange(writer.bytes, first, COUNTERS.length, (packet, start, end, i) => {
        found[COUNTERS[i]!] = decodeCounter(packet, start, end) ?? 0;
      });
      const failed = acks.find(({ errno }) => errno !== 0);
      return failed && new KernelError('read counters of', tableText, failed.errno, failed.text);
    });
    return error ?? found;
  }

  /** One exchange after the other; what the socket itself fails with is a result. */
  #asked(ask: (socket: NetlinkSocket) => Promise<KernelError | undefined>): Promise<KernelError | undefined> {
    return this.#turns.run(async () => {
      try {
        this.#socket ??= NetlinkSocket.open({
          netns: this.#netns,
          protocol: NETLINK_NETFILTER,
          sendBytes: SEND_BYTES,
        });
        return await ask(this.#socket);
      } catch (error) {
        if (error instanceof KernelError) return error;
        throw error;
      }
    });
  }

  watch(heard: (news: TableNews) => void): Disposable {
    const socket = NetlinkSocket.open({
      netns: this.#netns,
      protocol: NETLINK_NETFILTER,
      groups: NFTABLES_GROUP,
      receiveBytes: RECEIVE_BYTES,
    });
    const readable = (): void => {
      let left = SLICE;
      let isOurs = false;
      const lost = socket.read((packet, start, end) => {
        const isOwn = packet.u32(start + 12) === this.#socket?.port;
        isOurs ||= !isOwn && isAboutTable(packet, start, end, POD_TABLE);
        return --left > 0;
      });
      if (isOurs) heard('changed');
      else if (lost) heard('lost');
    };
    const poll = addon().pollStart(socket.fd, readable);
    if (typeof poll === 'number') {
      socket.close();
      throw new KernelError('watch', tableText, -poll);
    }
    let isOpen = true;
    return {
      [Symbol.dispose]() {
        if (!isOpen) return;
        isOpen = false;
        addon().pollStop(poll);
        socket.close();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#turns.run(async () => {
      this.#socket?.close();
      this.#socket = undefined;
    });
  }
}

const tableText = `nftables table inet ${POD_TABLE}`;

/**
 * Each message has an answer, unless the kernel refused the whole, which is answered to the batch's begin. A batch
 * has been dealt with when send returns.
 */
function firstError(
  socket: NetlinkSocket,
  first: number,
  messages: readonly string[],
): KernelError | undefined {
  let answered = 0;
  let error: KernelError | undefined;
  const lost = socket.read((packet, start, end) => {
    const message = packet.u32(start + 8) - first;
    if (message < -1 || message > messages.length || packet.u16(start + 4) !== nlmsg.error) return true;
    const { errno, text } = decodeAck(packet, start, end);
    answered++;
    if (errno !== 0) error ??= new KernelError(messages[message] ?? 'commit', `in ${tableText}`, errno, text);
    return true;
  });
  if (error !== undefined || (!lost && answered >= messages.length)) return error;
  return new KernelError('commit', `in ${tableText}`, errnos.ENOBUFS, 'the answer was lost');
}
