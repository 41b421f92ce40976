// The MTU of pods: that of the link that leads out of the node, followed as links change (and read now and then, for a
// default route that moved). Links made from then on have the new one; those that exist keep theirs.
import { POD_LINK } from '#ipam';
import { type Kernel, KernelError, type Link } from '#linux';

const WITHOUT_UPLINK = 1500;
/** Documentation addresses (RFC 5737, RFC 3849): nobody has a route of their own to them, so the default route answers. */
const OUTSIDE = ['192.0.2.1', '2001:db8::1'];

/**
 * The smallest MTU of the default routes' links; without such a route that of all links that may lead out. Pure.
 * defaults: indexes of the devices of the default routes.
 */
export function uplinkMtu(links: readonly Link[], defaults: readonly number[]): number {
  const uplinks = links.filter((link) => defaults.includes(link.index));
  const outward = links.filter((link) => link.up && !link.loopback && !POD_LINK.test(link.name));
  const candidates = uplinks.length > 0 ? uplinks : outward;
  return candidates.length === 0 ? WITHOUT_UPLINK : Math.min(...candidates.map((link) => link.mtu));
}

export class UplinkMtu implements Disposable {
  readonly #kernel: Kernel;
  readonly #watch: Disposable;
  #mtu = WITHOUT_UPLINK;
  #reading: Promise<void> | undefined;
  #isStale = false;

  /** Call refresh once before the first use. */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    // Links only: a new pod's own addresses would make every ADD read all links.
    this.#watch = kernel.watch(
      (event) => {
        if (event.type === 'link' && POD_LINK.test(event.link.name)) return;
        void this.refresh();
      },
      { kinds: ['link'] },
    );
  }

  get value(): number {
    return this.#mtu;
  }

  /** Reads it again; a change while that runs makes it run once more. The last value stays when the kernel refuses. */
  refresh(): Promise<void> {
    this.#isStale = true;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      try {
        const ways = await Promise.all(OUTSIDE.map((address) => this.#kernel.lookup(address)));
        const defaults = ways.flatMap((way) => (way instanceof KernelError ? [] : (way.deviceIndex ?? [])));
        this.#mtu = uplinkMtu(await this.#kernel.links(), defaults);
      } catch {
        return;
      }
    }
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }
}
