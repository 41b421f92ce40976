// Policy rules on the wire (RTM_NEWRULE and company, struct fib_rule_hdr). Pure.
//
//   | family 1 | dst length 1 | src length 1 | tos 1 | table 1 | pad 2 | action 1 | flags 4 | attributes FRA_*
import { type Family, formatOctets, type PrefixOctets } from '#ip';
import type { Rule, RuleAction } from '../kernel.ts';
import { fra } from './constants.ts';
import { familyName, familyNumber, ruleActionName, ruleActionNumber } from './names.ts';
import { Attributes, type Packet } from './packet.ts';
import { HEADER_BYTES, type MessageWriter } from './writer.ts';

const FIB_RULE_BYTES = 12;

/** undefined when it is no rule of IPv4 or IPv6. */
export function decodeRule(packet: Packet, start: number, end: number): Rule | undefined {
  const at = start + HEADER_BYTES;
  const family = familyName(packet.u8(at));
  if (family === undefined) return undefined;
  const attributes = new Attributes(packet, at + FIB_RULE_BYTES, end);
  const size = family === 'ipv4' ? 4 : 16;
  const prefix = (type: number, length: number) =>
    attributes.has(type)
      ? `${formatOctets(packet.bytes, attributes.start(type), size)}/${length}`
      : undefined;
  const to = prefix(fra.destination, packet.u8(at + 1));
  const from = prefix(fra.source, packet.u8(at + 2));
  const fwMark = attributes.u32(fra.fwMark);
  const fwMask = attributes.u32(fra.fwMask);
  const inputDevice = attributes.text(fra.inputName);
  const outputDevice = attributes.text(fra.outputName);
  const protocol = attributes.u8(fra.protocol);
  return {
    family,
    priority: attributes.u32(fra.priority) ?? 0,
    action: ruleActionName(packet.u8(at + 7)),
    table: attributes.u32(fra.table) ?? packet.u8(at + 4),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(fwMark === undefined ? {} : { fwMark }),
    ...(fwMask === undefined ? {} : { fwMask }),
    ...(inputDevice === undefined ? {} : { inputDevice }),
    ...(outputDevice === undefined ? {} : { outputDevice }),
    ...(protocol === undefined ? {} : { protocol }),
  };
}

export interface RuleFields {
  readonly family: Family;
  readonly priority: number;
  readonly action: RuleAction;
  readonly table: number;
  readonly from: PrefixOctets | undefined;
  readonly to: PrefixOctets | undefined;
  readonly fwMark: number | undefined;
  readonly fwMask: number | undefined;
  readonly inputDevice: string | undefined;
  readonly outputDevice: string | undefined;
  readonly protocol: number | undefined;
}

/** The body of RTM_NEWRULE and RTM_DELRULE. */
export function encodeRule(writer: MessageWriter, rule: RuleFields): void {
  writer.u8(familyNumber(rule.family));
  writer.u8(rule.to?.length ?? 0);
  writer.u8(rule.from?.length ?? 0);
  writer.u8(0);
  writer.u8(rule.table < 256 ? rule.table : 0);
  writer.u16(0);
  writer.u8(ruleActionNumber(rule.action));
  writer.u32(0);
  if (rule.to !== undefined) writer.attribute(fra.destination, rule.to.bytes);
  if (rule.from !== undefined) writer.attribute(fra.source, rule.from.bytes);
  if (rule.fwMark !== undefined) writer.attributeU32(fra.fwMark, rule.fwMark);
  if (rule.fwMask !== undefined) writer.attributeU32(fra.fwMask, rule.fwMask);
  if (rule.table > 255) writer.attributeU32(fra.table, rule.table);
  writer.attributeU32(fra.priority, rule.priority);
  if (rule.inputDevice !== undefined) writer.attributeText(fra.inputName, rule.inputDevice);
  if (rule.outputDevice !== undefined) writer.attributeText(fra.outputName, rule.outputDevice);
  if (rule.protocol !== undefined) writer.attributeU8(fra.protocol, rule.protocol);
}
