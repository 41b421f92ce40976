// DELs that came while no agent answered: the executable wrote each, as the request it would have sent, to
// STATE_DIR/del-queue/CONTAINERID@IFNAME. Done at start, now and then, and before an ADD for the same attachment.
import type { CniDisk } from '../outside.ts';

export class DelQueue {
  readonly #disk: CniDisk;
  readonly #folder: string;

  constructor(disk: CniDisk, stateDir: string) {
    this.#disk = disk;
    this.#folder = `${stateDir}/del-queue`;
  }

  /** Attachments with a DEL in the queue; temporary files begin with a dot. */
  async names(): Promise<string[]> {
    return (await this.#disk.list(this.#folder)).filter((name) => !name.startsWith('.'));
  }

  nameOf(containerId: string, ifname: string): string {
    return `${containerId}@${ifname}`;
  }

  has(name: string): boolean {
    return this.#disk.exists(`${this.#folder}/${name}`);
  }

  /** The request as its executable would have sent it, without the length; undefined when it is gone. */
  read(name: string): Promise<Uint8Array | undefined> {
    return this.#disk.read(`${this.#folder}/${name}`);
  }

  remove(name: string): Promise<void> {
    return this.#disk.remove(`${this.#folder}/${name}`);
  }
}
