// Tells sessions when the link under them goes down, so that they need not wait for their hold timer. Follows the
// kernel's links and addresses. Bound: the links and addresses of the host.
import type { Kernel, KernelEvent, Link } from '#linux';
import type { Log } from '../log.ts';

export class LinkWatch implements Disposable {
  readonly #kernel: Kernel;
  readonly #log: Log;
  readonly #isUp = new Map<number, boolean>();
  readonly #names = new Map<number, string>();
  /** Address without length → link index. */
  readonly #linkByAddress = new Map<string, number>();
  readonly #listeners = new Map<string, Set<() => void>>();
  #watch: Disposable | undefined;

  constructor(kernel: Kernel, log: Log) {
    this.#kernel = kernel;
    this.#log = log;
  }

  async start(): Promise<void> {
    this.#watch = this.#kernel.watch((event) => this.#heard(event), { kinds: ['link', 'address'] });
    await this.#read();
  }

  /** The link that carries the address; undefined: not known, or none that can go down (lo). */
  linkOf(address: string): string | undefined {
    const index = this.#linkByAddress.get(address);
    return index === undefined ? undefined : this.#names.get(index);
  }

  watchLink(device: string, down: () => void): { cancel(): void } {
    let listeners = this.#listeners.get(device);
    if (listeners === undefined) this.#listeners.set(device, (listeners = new Set()));
    const known = listeners;
    // One entry a call, also when the same function comes twice.
    const entry = () => down();
    known.add(entry);
    return {
      cancel: () => {
        known.delete(entry);
        if (known.size === 0 && this.#listeners.get(device) === known) this.#listeners.delete(device);
      },
    };
  }

  async #read(): Promise<void> {
    const [links, addresses] = await Promise.all([this.#kernel.links(), this.#kernel.addresses()]);
    for (const link of links) this.#note(link);
    this.#linkByAddress.clear();
    for (const { address, deviceIndex } of addresses) this.#linkByAddress.set(bare(address), deviceIndex);
  }

  #heard(event: KernelEvent): void {
    switch (event.type) {
      case 'link':
        if (event.change === 'new') this.#note(event.link);
        else this.#gone(event.link);
        break;
      case 'address': {
        const { address, deviceIndex } = event.address;
        if (event.change === 'new') this.#linkByAddress.set(bare(address), deviceIndex);
        else if (this.#linkByAddress.get(bare(address)) === deviceIndex)
          this.#linkByAddress.delete(bare(address));
        break;
      }
      case 'overrun':
        this.#read().catch((error: unknown) => {
          this.#log.warn(
            { error: String(error) },
            'cannot read the links again: link failures are noticed by hold timer',
          );
        });
        break;
      case 'route':
      case 'neighbour':
      case 'rule':
        break;
    }
  }

  #note(link: Link): void {
    if (link.loopback) return;
    const isUp = link.up && link.carrier;
    const wasUp = this.#isUp.get(link.index);
    this.#isUp.set(link.index, isUp);
    this.#names.set(link.index, link.name);
    if (wasUp === true && !isUp) this.#tell(link.name);
  }

  #gone(link: Link): void {
    const wasUp = this.#isUp.get(link.index);
    this.#isUp.delete(link.index);
    this.#names.delete(link.index);
    if (wasUp === true) this.#tell(link.name);
  }

  #tell(device: string): void {
    for (const listener of Array.from(this.#listeners.get(device) ?? [])) listener();
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
  }
}

function bare(address: string): string {
  const slash = address.indexOf('/');
  return slash < 0 ? address : address.slice(0, slash);
}
