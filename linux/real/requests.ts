// Turns the door's requests into rtnetlink messages. Pure but for the device lookup that is handed in; what cannot be
// encoded (an address that is none, a device that is not there) is a KernelError before anything is sent.
import { familyOf, parseOctets, parsePrefixOctets, type PrefixOctets } from '#ip';
import { describeRequest } from '../describe.ts';
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import {
  type Device,
  MAIN_TABLE,
  type NextHop,
  PODROUTE_PROTOCOL,
  type Request,
  type RouteKey,
  type RouteSpec,
  type RuleSpec,
  type Scope,
} from '../kernel.ts';
import { encodeAddress } from '../netlink/address.ts';
import { nlmFlag, rtm } from '../netlink/constants.ts';
import { encodeLink, encodeNewLink, type LinkFields } from '../netlink/link.ts';
import { parseMac } from '../netlink/mac.ts';
import { isDeadEnd } from '../netlink/names.ts';
import { encodeNeighbour } from '../netlink/neighbour.ts';
import { encodeRoute, type HopFields } from '../netlink/route.ts';
import { encodeRule } from '../netlink/rule.ts';
import type { MessageWriter } from '../netlink/writer.ts';

/** The index of a device, undefined when there is none of that name. */
export type FindDevice = (name: string) => number | undefined;

const ACKED = nlmFlag.request | nlmFlag.ack;
const ADD = ACKED | nlmFlag.create | nlmFlag.exclusive;
const REPLACE = ACKED | nlmFlag.create | nlmFlag.replace;

/** Why a request cannot be encoded: errno and words. */
class Unencodable extends Error {
  readonly errno: number;
  constructor(errno: number, message: string) {
    super(message);
    this.errno = errno;
  }
}

/** Appends the request's message (moreFlags: further NLM_F_…); on an error the writer is as it was. */
export function encodeRequest(
  writer: MessageWriter,
  request: Request,
  sequence: number,
  find: FindDevice,
  moreFlags = 0,
): KernelError | undefined {
  const before = writer.length;
  try {
    write(writer, request, sequence, find, moreFlags);
    writer.end();
    return undefined;
  } catch (error) {
    if (!(error instanceof Unencodable)) throw error;
    writer.truncate(before);
    const { operation, object } = describeRequest(request);
    return new KernelError(operation, object, error.errno, error.message);
  }
}

function write(
  writer: MessageWriter,
  request: Request,
  sequence: number,
  find: FindDevice,
  moreFlags: number,
): void {
  const begin = (type: number, flags: number) => writer.begin(type, flags | moreFlags, sequence);
  switch (request.type) {
    case 'addLink': {
      const { peer } = request;
      begin(rtm.newLink, ADD);
      encodeNewLink(writer, {
        ...linkFields(request),
        name: request.name,
        kind: request.kind,
        ...(peer === undefined ? {} : { peer: { ...linkFields(peer), name: peer.name } }),
      });
      return;
    }
    case 'deleteLink':
      begin(rtm.deleteLink, ACKED);
      encodeLink(writer, { index: indexOf(request.device, find) });
      return;
    case 'deleteLinkGroup':
      if (request.group === 0)
        throw new Unencodable(errnos.EINVAL, 'group 0 is every link that has no group');
      begin(rtm.deleteLink, ACKED);
      encodeLink(writer, { group: request.group });
      return;
    case 'setLink':
      begin(rtm.setLink, ACKED);
      encodeLink(writer, {
        ...linkFields(request),
        index: indexOf(request.device, find),
        ...(request.name === undefined ? {} : { name: request.name }),
        ...(request.master === undefined ? {} : { master: request.master }),
      });
      return;
    case 'addAddress':
      begin(rtm.newAddress, request.replace ? REPLACE : ADD);
      encodeAddress(writer, {
        prefix: prefixOf(request.address),
        deviceIndex: indexOf(request.device, find),
        noDad: request.noDad,
        noPrefixRoute: request.noPrefixRoute,
        scope: request.scope,
      });
      return;
    case 'deleteAddress':
      begin(rtm.deleteAddress, ACKED);
      encodeAddress(writer, {
        prefix: prefixOf(request.address),
        deviceIndex: indexOf(request.device, find),
      });
      return;
    case 'addRoute':
      begin(rtm.newRoute, request.replace ? REPLACE : ADD);
      writeNewRoute(writer, request.route, find);
      return;
    case 'deleteRoute':
      begin(rtm.deleteRoute, ACKED);
      writeRouteKey(writer, request.route, find);
      return;
    case 'addNeighbour':
      begin(rtm.newNeighbour, request.replace ? REPLACE : ADD);
      encodeNeighbour(writer, indexOf(request.device, find), addressOf(request.address), macOf(request.mac));
      return;
    case 'deleteNeighbour':
      begin(rtm.deleteNeighbour, ACKED);
      encodeNeighbour(writer, indexOf(request.device, find), addressOf(request.address), undefined);
      return;
    case 'addRule':
      begin(rtm.newRule, ADD);
      writeRule(writer, request.rule);
      return;
    case 'deleteRule':
      begin(rtm.deleteRule, ACKED);
      writeRule(writer, request.rule);
      return;
  }
}

interface LinkWords {
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  readonly group?: number;
  readonly netnsFd?: number;
}

function linkFields(link: LinkWords): LinkFields {
  return {
    ...(link.up === undefined ? {} : { up: link.up }),
    ...(link.mtu === undefined ? {} : { mtu: link.mtu }),
    ...(link.mac === undefined ? {} : { mac: macOf(link.mac) }),
    ...(link.group === undefined ? {} : { group: link.group }),
    ...(link.netnsFd === undefined ? {} : { netnsFd: link.netnsFd }),
  };
}

function writeNewRoute(writer: MessageWriter, route: RouteSpec, find: FindDevice): void {
  const type = route.type ?? 'unicast';
  const hops = isDeadEnd(type) ? [] : hopsOf(route.nextHops ?? [], find);
  encodeRoute(writer, {
    destination: prefixOf(route.destination),
    type,
    table: route.table ?? MAIN_TABLE,
    protocol: route.protocol ?? PODROUTE_PROTOCOL,
    metric: route.metric ?? 0,
    scope: route.scope ?? defaultScope(route, hops),
    source: route.source === undefined ? undefined : addressOf(route.source),
    mtu: route.mtu,
    nextHops: hops,
  });
}

function writeRouteKey(writer: MessageWriter, route: RouteKey, find: FindDevice): void {
  encodeRoute(writer, {
    destination: prefixOf(route.destination),
    type: route.type ?? 'other',
    table: route.table ?? MAIN_TABLE,
    protocol: route.protocol ?? 0,
    metric: route.metric ?? 0,
    scope: 'nowhere',
    nextHops: hopsOf(route.nextHops ?? [], find),
  });
}

function defaultScope(route: RouteSpec, hops: readonly HopFields[]): Scope {
  if (route.type === 'local') return 'host';
  const isDirect =
    familyOf(route.destination) === 'ipv4' &&
    hops.length > 0 &&
    hops.every((hop) => hop.gateway === undefined);
  return isDirect ? 'link' : 'global';
}

/** Next hops with devices found and gateways in bytes. */
export function hopsOf(hops: readonly NextHop[], find: FindDevice): HopFields[] {
  return hops.map((hop) => {
    const weight = hop.weight ?? 1;
    if (!Number.isInteger(weight) || weight < 1 || weight > 256) {
      throw new Unencodable(errnos.EINVAL, `weight ${weight}: wanted 1 to 256`);
    }
    const device = hop.deviceIndex ?? hop.device;
    return {
      gateway: hop.gateway === undefined ? undefined : addressOf(hop.gateway),
      index: device === undefined ? 0 : indexOf(device, find),
      weight,
      onlink: hop.onlink ?? false,
    };
  });
}

function writeRule(writer: MessageWriter, rule: RuleSpec): void {
  encodeRule(writer, {
    family: rule.family,
    priority: rule.priority,
    action: rule.action ?? 'lookup',
    table: rule.table ?? 0,
    from: rule.from === undefined ? undefined : prefixOf(rule.from),
    to: rule.to === undefined ? undefined : prefixOf(rule.to),
    fwMark: rule.fwMark,
    fwMask: rule.fwMask,
    inputDevice: rule.inputDevice,
    outputDevice: rule.outputDevice,
    protocol: rule.protocol,
  });
}

function indexOf(device: Device, find: FindDevice): number {
  if (typeof device === 'number') return device;
  const index = find(device);
  if (index === undefined)
    throw new Unencodable(errnos.ENODEV, `no device ${device} in this network namespace`);
  return index;
}

function prefixOf(text: string): PrefixOctets {
  const prefix = parsePrefixOctets(text);
  if (prefix === undefined) throw new Unencodable(errnos.EINVAL, `'${text}' is no address with a length`);
  return prefix;
}

function addressOf(text: string): Uint8Array {
  const bytes = parseOctets(text);
  if (bytes === undefined) throw new Unencodable(errnos.EINVAL, `'${text}' is no IP address`);
  return bytes;
}

function macOf(text: string): Uint8Array {
  const mac = parseMac(text);
  if (mac === undefined) throw new Unencodable(errnos.EINVAL, `'${text}' is no MAC address`);
  return mac;
}
