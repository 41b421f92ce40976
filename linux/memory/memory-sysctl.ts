// The kernel switches of a namespace in memory: of net/ipv4 and net/ipv6 those that routing and pods' links need. As in
// Linux a link has switches of its own, which begin as `default` says; `all` of forwarding and disable_ipv6 sets them all.
import type { Family } from '#ip';
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import type { Sysctl } from '../kernel.ts';

const SWITCHES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ipv4: { forwarding: '0', rp_filter: '0' },
  ipv6: { forwarding: '0', accept_ra: '1', disable_ipv6: '0' },
};
const FOR_ALL = ['ipv4 forwarding', 'ipv6 forwarding', 'ipv6 disable_ipv6'];

export class MemorySysctl implements Sysctl {
  readonly #values = new Map<string, string>();

  constructor() {
    for (const [family, switches] of Object.entries(SWITCHES)) {
      for (const [key, value] of Object.entries(switches)) {
        for (const place of ['all', 'default']) this.#values.set(nameOf(family, place, key), value);
      }
    }
  }

  read(name: string): string {
    const value = this.#values.get(pathOf(name));
    if (value === undefined) throw new KernelError('read sysctl', name, errnos.ENOENT);
    return value;
  }

  write(name: string, value: string): void {
    const path = pathOf(name);
    if (!this.#values.has(path)) throw new KernelError('write sysctl', `${name} = ${value}`, errnos.ENOENT);
    this.#values.set(path, value);
    const [, family = '', , place, key = ''] = path.split('/');
    if (place !== 'all' || !FOR_ALL.includes(`${family} ${key}`)) return;
    const isOfAll = (other: string) => other.startsWith(`net/${family}/conf/`) && other.endsWith(`/${key}`);
    for (const other of this.#values.keys()) if (isOfAll(other)) this.#values.set(other, value);
  }

  /** IPv4 asks the link that the packet came in by, IPv6 the namespace. */
  isForwarding(family: Family, link: string): boolean {
    return this.#values.get(nameOf(family, family === 'ipv4' ? link : 'all', 'forwarding')) === '1';
  }

  hasNoIPv6(link: string): boolean {
    return this.#values.get(nameOf('ipv6', link, 'disable_ipv6')) === '1';
  }

  linkAdded(link: string): void {
    for (const [family, switches] of Object.entries(SWITCHES)) {
      for (const key of Object.keys(switches)) {
        this.#values.set(nameOf(family, link, key), this.#values.get(nameOf(family, 'default', key))!);
      }
    }
  }

  linkRemoved(link: string): void {
    for (const [family, switches] of Object.entries(SWITCHES)) {
      for (const key of Object.keys(switches)) this.#values.delete(nameOf(family, link, key));
    }
  }
}

const nameOf = (family: string, place: string, key: string): string => `net/${family}/conf/${place}/${key}`;

function pathOf(name: string): string {
  return name === 'net/ipv4/ip_forward' ? nameOf('ipv4', 'all', 'forwarding') : name;
}
