// DELs that came while no agent answered: the executable wrote each, as the request it would have sent, to
// STATE_DIR/del-queue/CONTAINERID@IFNAME. Done at start, now and then, and before an ADD for the same attachment.
import { ownerKey } from '#ipam';
import type { Disk } from '#world';
import type { CallOrder } from './call-order.ts';
import { CniError, codes, toCniError } from './request/cni-error.ts';
import { readEnvironment } from './request/environment.ts';
import { decodeRequest } from './request/call-frame.ts';
import type { Attachment } from './request/network-config.ts';
import { del } from './verbs/del.ts';
import type { VerbIo } from './verbs/verb-io.ts';

export class DelQueue {
  readonly #disk: Disk;
  readonly #folder: string;

  constructor(disk: Disk, stateDir: string) {
    this.#disk = disk;
    this.#folder = `${stateDir}/del-queue`;
  }

  /** A DEL that was queued for an attachment is of its life before the ADD that comes now. Throws CniError. */
  async finish(attachment: Attachment, io: VerbIo): Promise<void> {
    const name = `${attachment.containerId}@${attachment.ifname}`;
    if (this.#has(name)) await this.#do(name, attachment, io);
  }

  /** Does what the queue holds. What cannot be done stays there, and is said. */
  async drain(order: CallOrder, io: VerbIo): Promise<void> {
    for (const name of await this.#names()) {
      const bytes = await this.#disk.read(`${this.#folder}/${name}`);
      if (bytes === undefined) continue;
      try {
        // As its executable would have sent it, without the length.
        const request = decodeRequest(bytes);
        if (request === undefined) throw new CniError(codes.decoding, 'it is not a request');
        const call = readEnvironment(request.environment);
        await order.run(ownerKey(call), async () => {
          if (this.#has(name)) await this.#do(name, call, io);
        });
        io.log.info(name, 'DEL done that came while the agent was down');
      } catch (error) {
        io.log.error(name, `queued DEL cannot be done: ${toCniError(error).message}`);
      }
    }
  }

  async #do(name: string, { containerId, ifname }: Attachment, io: VerbIo): Promise<void> {
    await del({ containerId, ifname, network: '' }, io);
    await this.#disk.remove(`${this.#folder}/${name}`);
  }

  #has(name: string): boolean {
    return this.#disk.exists(`${this.#folder}/${name}`);
  }

  /** Temporary files begin with a dot. */
  async #names(): Promise<string[]> {
    const files = (await this.#disk.list(this.#folder)) ?? [];
    return files.map(({ path }) => path).filter((name) => !name.startsWith('.') && !name.includes('/'));
  }
}
