// Next-hop groups as the bytes of their netlink attributes, each once, by number. Bounded: 65,536 groups.
import { constants } from 'node:os';
import { describeRoute } from '../describe.ts';
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import type { NextHop, RouteType } from '../kernel.ts';
import { RTNH_F_ONLINK } from '../netlink/constants.ts';
import { routeTypeNumber, scopeNumber } from '../netlink/names.ts';
import { encodeNextHops } from '../netlink/route.ts';
import { MessageWriter } from '../netlink/writer.ts';
import { type FindDevice, hopsOf } from './requests.ts';

const MAX_GROUPS = 65536;

/** What a route needs to know of its next hops. */
export interface Group {
  /** 0, 1, or -1 for both */
  readonly family: number;
  readonly attributes: Uint32Array;
  readonly type: number;
  readonly scope: number;
  /** rtm_flags */
  readonly flags: number;
  readonly key: string;
}

export class NextHopPool {
  readonly #groups: (Group | undefined)[] = [];
  readonly #ids = new Map<string, number>();
  readonly #free: number[] = [];
  readonly #writer = new MessageWriter();

  /** Throws KernelError: ENODEV, EINVAL, ENOSPC. */
  intern(family: 0 | 1, nextHops: readonly NextHop[], find: FindDevice): number {
    const describe = () => describeRoute({ destination: 'routes', nextHops });
    let hops: ReturnType<typeof hopsOf>;
    try {
      hops = hopsOf(nextHops, find);
    } catch (error) {
      const errno = (error as { errno?: number }).errno ?? errnos.EINVAL;
      throw new KernelError('encode next hops of', describe(), errno, (error as Error).message);
    }
    if (hops.length === 0)
      throw new KernelError('encode next hops of', describe(), errnos.EINVAL, 'there are none');
    const writer = this.#writer;
    writer.clear();
    encodeNextHops(writer, family === 0 ? 'ipv4' : 'ipv6', hops);
    const isDirect = family === 0 && hops.every((hop) => hop.gateway === undefined);
    const flags = hops.length === 1 && hops[0]?.onlink ? RTNH_F_ONLINK : 0;
    const bytes = writer.bytes.slice();
    return this.#give({
      family,
      attributes: new Uint32Array(bytes.buffer),
      type: routeTypeNumber('unicast'),
      scope: scopeNumber(isDirect ? 'link' : 'global'),
      flags,
      key: `${family} ${flags} ${Buffer.from(bytes).toString('latin1')}`,
    });
  }

  internType(type: RouteType): number {
    return this.#give({
      family: -1,
      attributes: new Uint32Array(0),
      type: routeTypeNumber(type),
      scope: scopeNumber('global'),
      flags: 0,
      key: type,
    });
  }

  /** undefined for a number that was never given or was released. */
  get(id: number): Group | undefined {
    return this.#groups[id];
  }

  release(id: number): void {
    const group = this.#groups[id];
    if (group === undefined) return;
    this.#groups[id] = undefined;
    this.#ids.delete(group.key);
    this.#free.push(id);
  }

  #give(group: Group): number {
    const known = this.#ids.get(group.key);
    if (known !== undefined) return known;
    const id = this.#free.pop() ?? this.#groups.length;
    if (id >= MAX_GROUPS) {
      throw new KernelError(
        'encode next hops of',
        'routes',
        constants.errno.ENOSPC,
        `${MAX_GROUPS} groups are in use`,
      );
    }
    this.#groups[id] = group;
    this.#ids.set(group.key, id);
    return id;
  }
}
