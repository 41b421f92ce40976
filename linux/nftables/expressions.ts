// What rules are made of: each function gives one expression, which the kernel runs in order until one does not match.
// Pure. A rule is a list of them, as `nft --debug=netlink` shows it:
//
//   [ meta load iifname => reg 1 ]  [ lookup reg 1 set links ]  [ immediate reg 0 accept ]
import type { MessageWriter } from '../netlink/writer.ts';
import {
  COMPARE_EQUAL,
  LOOKUP_INVERTED,
  metaKey,
  NFT_OBJECT_COUNTER,
  NFTA_LIST_ELEMENT,
  NFTA_VERDICT_CODE,
  nftaBitwise,
  nftaCompare,
  nftaData,
  nftaExpression,
  nftaImmediate,
  nftaLookup,
  nftaMeta,
  nftaObjectReference,
  nftaPayload,
  payloadBase,
  type Register,
  VERDICT_REGISTER,
  verdictCode,
} from './numbers.ts';

export type Expression = (writer: MessageWriter) => void;

export function loadMeta(key: keyof typeof metaKey, to: Register): Expression {
  return expression('meta', (writer) => {
    writer.attributeBig32(nftaMeta.key, metaKey[key]);
    writer.attributeBig32(nftaMeta.destination, to);
  });
}

/** Octets of the packet, counted from the begin of that header. */
export function loadPayload(
  base: keyof typeof payloadBase,
  offset: number,
  length: number,
  to: Register,
): Expression {
  return expression('payload', (writer) => {
    writer.attributeBig32(nftaPayload.destination, to);
    writer.attributeBig32(nftaPayload.base, payloadBase[base]);
    writer.attributeBig32(nftaPayload.offset, offset);
    writer.attributeBig32(nftaPayload.length, length);
  });
}

export function equals(register: Register, value: Uint8Array): Expression {
  return expression('cmp', (writer) => {
    writer.attributeBig32(nftaCompare.source, register);
    writer.attributeBig32(nftaCompare.operation, COMPARE_EQUAL);
    data(writer, nftaCompare.data, value);
  });
}

/** Keeps the bits of the mask, in place. */
export function masked(register: Register, mask: Uint8Array): Expression {
  return expression('bitwise', (writer) => {
    writer.attributeBig32(nftaBitwise.source, register);
    writer.attributeBig32(nftaBitwise.destination, register);
    writer.attributeBig32(nftaBitwise.length, mask.length);
    data(writer, nftaBitwise.mask, mask);
    data(writer, nftaBitwise.xor, new Uint8Array(mask.length));
  });
}

/** What the registers hold from this one on is a key of that set of the table. */
export function isIn(set: string, register: Register): Expression {
  return lookup(set, register, false);
}

export function isNotIn(set: string, register: Register): Expression {
  return lookup(set, register, true);
}

function lookup(set: string, register: Register, isInverted: boolean): Expression {
  return expression('lookup', (writer) => {
    writer.attributeBig32(nftaLookup.source, register);
    writer.attributeText(nftaLookup.set, set);
    if (isInverted) writer.attributeBig32(nftaLookup.flags, LOOKUP_INVERTED);
  });
}

/** Counts the packet in a counter of this table. */
export function count(counter: string): Expression {
  return expression('objref', (writer) => {
    writer.attributeBig32(nftaObjectReference.type, NFT_OBJECT_COUNTER);
    writer.attributeText(nftaObjectReference.name, counter);
  });
}

export function verdict(code: keyof typeof verdictCode): Expression {
  return expression('immediate', (writer) => {
    writer.attributeBig32(nftaImmediate.destination, VERDICT_REGISTER);
    const outer = writer.nested(nftaImmediate.data);
    const inner = writer.nested(nftaData.verdict);
    writer.attributeBig32(NFTA_VERDICT_CODE, verdictCode[code]);
    writer.endNest(inner);
    writer.endNest(outer);
  });
}

function expression(name: string, body: Expression): Expression {
  return (writer) => {
    const element = writer.nested(NFTA_LIST_ELEMENT);
    writer.attributeText(nftaExpression.name, name);
    const inner = writer.nested(nftaExpression.data);
    body(writer);
    writer.endNest(inner);
    writer.endNest(element);
  };
}

function data(writer: MessageWriter, type: number, value: Uint8Array): void {
  const outer = writer.nested(type);
  writer.attribute(nftaData.value, value);
  writer.endNest(outer);
}
