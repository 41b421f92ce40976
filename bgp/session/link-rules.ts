// Where a neighbour is found, and by which rules a connection with it is made, started and watched.
import type { PeerConfig } from '../config.ts';
import { contains, parseAddress, parsePrefix } from '#ip';
import type { Connection, DialOptions, OwnLink, Transport } from '../io.ts';
import type { FsmRules } from './fsm/fsm-types.ts';

/** Where a dynamic neighbour came from; an ordinary one dials its configured address. */
export interface PeerOrigin {
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly device: string | undefined;
  /** The id of the range. */
  readonly dynamicOf: string | undefined;
}

export function dialOptions(config: PeerConfig, origin: PeerOrigin): DialOptions {
  const { localAddress, md5Key, ttl, connectRetrySeconds } = config;
  const { address, port, device } = origin;
  return {
    remoteAddress: address,
    remotePort: port,
    ttl,
    connectTimeoutMs: Math.max(1000, connectRetrySeconds * 1000),
    ...(localAddress === undefined ? {} : { localAddress }),
    ...(device === undefined ? {} : { device }),
    ...(md5Key === undefined ? {} : { md5Key }),
  };
}

/** Whether a connection that was dialled by one may stay under the other. */
export function isBySameRules(asked: DialOptions, now: DialOptions): boolean {
  return asked.md5Key === now.md5Key && JSON.stringify(asked.ttl) === JSON.stringify(now.ttl);
}

/** For the session that we dial, or only wait with. */
export function diallerRules(config: PeerConfig, origin: PeerOrigin): FsmRules {
  return {
    ...timeRules(config),
    isPassive: config.passive || origin.dynamicOf !== undefined,
    isIncoming: false,
  };
}

/** For a session over a connection that the neighbour opened. */
export function incomingRules(config: PeerConfig): FsmRules {
  return { ...timeRules(config), isPassive: true, isIncoming: true };
}

function timeRules(config: PeerConfig): Pick<FsmRules, 'connectRetryMs' | 'delayOpenMs'> {
  return {
    connectRetryMs: config.connectRetrySeconds * 1000,
    delayOpenMs: (config.delayOpenSeconds ?? 0) * 1000,
  };
}

/** Its packets cross no router, so that both ends share a link. */
export function isSingleHop({ ttl }: PeerConfig): boolean {
  return ttl.kind === 'direct' || (ttl.kind === 'gtsm' && ttl.hops === 1);
}

/**
 * Our end of the link that we share with a neighbour in another AS: it is one hop away by its TTL rule, or its address
 * is on-link. Undefined also when the transport does not know.
 */
export function sharedLinkOf(
  config: PeerConfig,
  origin: PeerOrigin,
  transport: Transport,
  connection: Connection,
): OwnLink | undefined {
  const { localAddress, remoteAddress } = connection;
  const link = transport.linkOf?.(localAddress, connection.device ?? origin.device);
  if (link === undefined || isSingleHop(config)) return link;
  const network = parsePrefix(link.network);
  const remote = parseAddress(remoteAddress);
  const isOnLink = network !== undefined && remote !== undefined && contains(network, remote);
  return isOnLink ? link : undefined;
}

/**
 * The end of its link is the end of a session with a neighbour one hop away.
 *
 * @returns undefined when there is no such link, or it is not known
 */
export function watchLink(
  config: PeerConfig,
  origin: PeerOrigin,
  transport: Transport,
  connection: Connection,
  down: (device: string) => void,
): { cancel(): void } | undefined {
  if (!isSingleHop(config)) return undefined;
  const device = connection.device ?? origin.device ?? transport.linkOf?.(connection.localAddress)?.device;
  return device === undefined ? undefined : transport.watchLink?.(device, () => down(device));
}
