// Changes that the kernel takes as one: all of them at one moment, or none. Pure: sequence numbers in, bytes out. Each
// function is one message; tables, chains and sets are those of the family inet.
//
//   | batch begin | message | message | … | batch end |     message: | nlmsghdr 16 | family 1 | version 1 | res_id 2 | attributes |
import { nlmFlag } from '../netlink/constants.ts';
import { LITTLE, MessageWriter } from '../netlink/writer.ts';
import type { Expression } from './expressions.ts';
import {
  BATCH_OF_NFTABLES,
  batchMessage,
  nft,
  NFPROTO_INET,
  NFT_OBJECT_COUNTER,
  NFTA_LIST_ELEMENT,
  nftaChain,
  nftaData,
  nftaElement,
  nftaElements,
  nftaHook,
  nftaObject,
  nftaRule,
  nftaSet,
  nftaTable,
  verdictCode,
} from './numbers.ts';

export interface SetShape {
  readonly name: string;
  /** For `nft list` only. */
  readonly keyType: number;
  /** In octets; each part takes a multiple of four. */
  readonly keyLength: number;
  /** For `nft list` only: a key of one part that is not in network order, as names of links are. */
  readonly isHostOrder?: true;
}

export interface BaseChain {
  readonly name: string;
  readonly hook: number;
  readonly priority: number;
  readonly policy: keyof typeof verdictCode;
}

/** An attribute has 16 bits for its length: elements come in messages of at most so many octets. */
const MOST_ELEMENT_BYTES = 32_000;
/** nft's own note (type 0, length 4, value 1): the order of a key's octets. */
const HOST_ORDER = Uint8Array.of(0, 4, ...(LITTLE ? [1, 0, 0, 0] : [0, 0, 0, 1]));
const ACKED = nlmFlag.request | nlmFlag.ack;

export class Batch {
  readonly #writer: MessageWriter;
  readonly #table: string;
  #first = 0;
  #messages: string[] = [];

  /** @param writer reused from batch to batch */
  constructor(table: string, writer = new MessageWriter()) {
    this.#table = table;
    this.#writer = writer;
  }

  begin(sequence: number): this {
    this.#first = sequence;
    this.#messages = [];
    this.#writer.clear();
    this.#mark(batchMessage.begin, sequence);
    return this;
  }

  /** Valid until the next begin. Its messages are numbered from `first` on, the begin of the batch is before them. */
  end(): { readonly bytes: Uint8Array; readonly first: number; readonly messages: readonly string[] } {
    this.#mark(batchMessage.end, this.#first + this.#messages.length + 1);
    return { bytes: this.#writer.bytes, first: this.#first + 1, messages: this.#messages };
  }

  /** One that is there already is no error, and stays as it is. */
  addTable(): void {
    this.#message(nft.newTable, nlmFlag.create, `add table inet ${this.#table}`, (writer) => {
      writer.attributeText(nftaTable.name, this.#table);
      writer.attributeBig32(nftaTable.flags, 0);
    });
  }

  /** With all that is in it. */
  deleteTable(): void {
    this.#message(nft.deleteTable, 0, `delete table inet ${this.#table}`, (writer) => {
      writer.attributeText(nftaTable.name, this.#table);
    });
  }

  addChain(chain: BaseChain): void {
    this.#message(nft.newChain, nlmFlag.create, `add chain ${chain.name}`, (writer) => {
      writer.attributeText(nftaChain.table, this.#table);
      writer.attributeText(nftaChain.name, chain.name);
      writer.attributeText(nftaChain.type, 'filter');
      writer.attributeBig32(nftaChain.policy, verdictCode[chain.policy]);
      const hook = writer.nested(nftaChain.hook);
      writer.attributeBig32(nftaHook.number, chain.hook);
      writer.attributeBig32(nftaHook.priority, chain.priority);
      writer.endNest(hook);
    });
  }

  addCounter(name: string): void {
    this.#message(nft.newObject, nlmFlag.create, `add counter ${name}`, (writer) => {
      writer.attributeText(nftaObject.table, this.#table);
      writer.attributeText(nftaObject.name, name);
      writer.attributeBig32(nftaObject.type, NFT_OBJECT_COUNTER);
      writer.endNest(writer.nested(nftaObject.data));
    });
  }

  addSet(set: SetShape): void {
    this.#message(nft.newSet, nlmFlag.create, `add set ${set.name}`, (writer) => {
      writer.attributeText(nftaSet.table, this.#table);
      writer.attributeText(nftaSet.name, set.name);
      writer.attributeBig32(nftaSet.flags, 0);
      writer.attributeBig32(nftaSet.keyType, set.keyType);
      writer.attributeBig32(nftaSet.keyLength, set.keyLength);
      writer.attributeBig32(nftaSet.id, this.#messages.length);
      if (set.isHostOrder) writer.attribute(nftaSet.userData, HOST_ORDER);
    });
  }

  /** Those that are there already are no error. */
  addElements(set: SetShape, keys: readonly Uint8Array[]): void {
    this.#elements(nft.newElements, nlmFlag.create, 'add', set, keys);
  }

  /** One that is not there is ENOENT. */
  deleteElements(set: SetShape, keys: readonly Uint8Array[]): void {
    this.#elements(nft.deleteElements, 0, 'delete', set, keys);
  }

  /** At the chain's end. */
  addRule(chain: string, rule: readonly Expression[]): void {
    const flags = nlmFlag.create | nlmFlag.append;
    this.#message(nft.newRule, flags, `add rule to ${chain}`, (writer) => {
      writer.attributeText(nftaRule.table, this.#table);
      writer.attributeText(nftaRule.chain, chain);
      const list = writer.nested(nftaRule.expressions);
      for (const expression of rule) expression(writer);
      writer.endNest(list);
    });
  }

  #elements(type: number, flags: number, verb: string, set: SetShape, keys: readonly Uint8Array[]): void {
    // Key, its attribute, and the two nests around it.
    const most = Math.floor(MOST_ELEMENT_BYTES / (set.keyLength + 12));
    for (let from = 0; from < keys.length; from += most) {
      this.#message(type, flags, `${verb} elements of set ${set.name}`, (writer) => {
        writer.attributeText(nftaElements.table, this.#table);
        writer.attributeText(nftaElements.set, set.name);
        const list = writer.nested(nftaElements.elements);
        for (const key of keys.slice(from, from + most)) {
          const element = writer.nested(NFTA_LIST_ELEMENT);
          const inner = writer.nested(nftaElement.key);
          writer.attribute(nftaData.value, key);
          writer.endNest(inner);
          writer.endNest(element);
        }
        writer.endNest(list);
      });
    }
  }

  #message(type: number, flags: number, what: string, body: Expression): void {
    const writer = this.#writer;
    this.#messages.push(what);
    writer.begin(type, ACKED | flags, this.#first + this.#messages.length);
    netfilterHeader(writer, NFPROTO_INET, 0);
    body(writer);
    writer.end();
  }

  #mark(type: number, sequence: number): void {
    this.#writer.begin(type, nlmFlag.request, sequence);
    netfilterHeader(this.#writer, 0, BATCH_OF_NFTABLES);
    this.#writer.end();
  }
}

/** struct nfgenmsg; resource in network order. */
export function netfilterHeader(writer: MessageWriter, family: number, resource: number): void {
  writer.u8(family);
  writer.u8(0);
  writer.u8(resource >> 8);
  writer.u8(resource & 0xff);
}
