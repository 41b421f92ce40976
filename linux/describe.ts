// Names what a request is about, in the words of `ip`, for error messages. Pure.
import type { Device, NextHop, Request, RouteKey, RouteSpec, RuleSpec } from './kernel.ts';
import { MAIN_TABLE } from './kernel.ts';

export interface Description {
  /** 'add route' */
  readonly operation: string;
  /** '10.0.0.0/24 via 10.1.1.1 dev eth0 table 254' */
  readonly object: string;
}

export function describeRequest(request: Request): Description {
  switch (request.type) {
    case 'addLink': {
      const peer = request.peer === undefined ? '' : ` peer ${request.peer.name}`;
      return { operation: 'add link', object: `${request.name} type ${request.kind}${peer}` };
    }
    case 'deleteLink':
      return { operation: 'delete link', object: device(request.device) };
    case 'deleteLinkGroup':
      return { operation: 'delete links', object: `of group ${request.group}` };
    case 'setLink': {
      const { type: _, device: which, ...changes } = request;
      const words = Object.entries(changes).map(([name, value]) => `${name} ${value}`);
      return { operation: 'set link', object: [device(which), ...words].join(' ') };
    }
    case 'addAddress':
      return { operation: 'add address', object: `${request.address} dev ${device(request.device)}` };
    case 'deleteAddress':
      return { operation: 'delete address', object: `${request.address} dev ${device(request.device)}` };
    case 'addRoute':
      return {
        operation: request.replace ? 'replace route' : 'add route',
        object: describeRoute(request.route),
      };
    case 'deleteRoute':
      return { operation: 'delete route', object: describeRoute(request.route) };
    case 'addNeighbour':
      return {
        operation: 'add neighbour',
        object: `${request.address} lladdr ${request.mac} dev ${device(request.device)}`,
      };
    case 'deleteNeighbour':
      return { operation: 'delete neighbour', object: `${request.address} dev ${device(request.device)}` };
    case 'addRule':
      return { operation: 'add rule', object: describeRule(request.rule) };
    case 'deleteRule':
      return { operation: 'delete rule', object: describeRule(request.rule) };
  }
}

/** '10.0.0.0/24 via 10.1.1.1 dev eth0 table 254 metric 1024' */
export function describeRoute(route: RouteSpec | RouteKey): string {
  const type = route.type === undefined || route.type === 'unicast' ? '' : `${route.type} `;
  const hops = route.nextHops ?? [];
  const way = hops.length > 1 ? hops.map((hop) => ` nexthop${describeHop(hop)}`) : hops.map(describeHop);
  const metric = route.metric === undefined ? '' : ` metric ${route.metric}`;
  return `${type}${route.destination}${way.join('')} table ${route.table ?? MAIN_TABLE}${metric}`;
}

function describeHop(hop: NextHop): string {
  const via = hop.gateway === undefined ? '' : ` via ${hop.gateway}`;
  const which = hop.device ?? hop.deviceIndex;
  const weight = hop.weight === undefined ? '' : ` weight ${hop.weight}`;
  return `${via}${which === undefined ? '' : ` dev ${device(which)}`}${weight}${hop.onlink ? ' onlink' : ''}`;
}

function describeRule(rule: RuleSpec): string {
  const words = [`${rule.priority}: ${rule.family}`];
  if (rule.from !== undefined) words.push(`from ${rule.from}`);
  if (rule.to !== undefined) words.push(`to ${rule.to}`);
  if (rule.fwMark !== undefined) words.push(`fwmark ${rule.fwMark}`);
  if (rule.inputDevice !== undefined) words.push(`iif ${rule.inputDevice}`);
  if (rule.outputDevice !== undefined) words.push(`oif ${rule.outputDevice}`);
  words.push(rule.table === undefined ? (rule.action ?? 'lookup') : `lookup ${rule.table}`);
  return words.join(' ');
}

function device(which: Device): string {
  return typeof which === 'number' ? `#${which}` : which;
}
