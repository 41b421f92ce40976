// DELs that came while no agent answered: the executable wrote each, as the request it would have sent, to
// STATE_DIR/del-queue/CONTAINERID@IFNAME. Done at start, now and then, and before an ADD for the same attachment.
import { ownerKey } from '#ipam';
import type { Disk } from '#world';
import type { CallOrder } from './call-order.ts';
import { CniError, codes, toCniError } from './cni-error.ts';
import { decodeRequest, readEnvironment } from './call.ts';
import type { Attachment } from './network-config.ts';
import { del } from './verbs/del.ts';
import type { VerbIo } from './verbs/verb-io.ts';

export class DelQueue {
  readonly #disk: Disk;
  readonly #folder: string;
  /** Path → why. */
  #problems: ReadonlyMap<string, string> = new Map();

  constructor(disk: Disk, stateDir: string) {
    this.#disk = disk;
    this.#folder = `${stateDir}/del-queue`;
  }

  /** What of the queue cannot be done, and why. Bounded by the files in it. */
  problems(): string[] {
    return [...this.#problems].map(([path, why]) => `queued DEL ${path}: ${why}`);
  }

  /** A DEL that was queued for an attachment is of its life before the ADD that comes now. Throws CniError. */
  async finish(attachment: Attachment, io: VerbIo): Promise<void> {
    const name = `${attachment.containerId}@${attachment.ifname}`;
    let queued: Uint8Array | undefined;
    try {
      queued = await this.#read(name);
    } catch (error) {
      throw new CniError(codes.storeNotReady, `DEL queue ${this.#folder}: ${toCniError(error).message}`);
    }
    if (queued !== undefined) await this.#do(name, attachment, io);
  }

  /** Does what the queue holds. What cannot be done stays there, and is said once. Never rejects. */
  async drain(order: CallOrder, io: VerbIo): Promise<void> {
    const failed = new Map<string, string>();
    for (const name of await this.#names(failed)) {
      try {
        // As its executable would have sent it, without the length.
        const bytes = await this.#read(name);
        if (bytes === undefined) continue;
        const request = decodeRequest(bytes);
        if (request === undefined) throw new CniError(codes.decoding, 'it is not a request: delete it');
        const call = readEnvironment(request.environment);
        await order.run(ownerKey(call), async () => {
          if ((await this.#read(name)) !== undefined) await this.#do(name, call, io);
        });
        io.log.info(name, 'DEL done that came while the agent was down');
      } catch (error) {
        failed.set(`${this.#folder}/${name}`, toCniError(error).message);
      }
    }
    for (const [path, why] of failed) {
      if (this.#problems.get(path) !== why) io.log.error(path, `queued DEL cannot be done: ${why}`);
    }
    this.#problems = failed;
  }

  async #do(name: string, { containerId, ifname }: Attachment, io: VerbIo): Promise<void> {
    await del({ containerId, ifname, network: '' }, io);
    await this.#disk.remove(`${this.#folder}/${name}`);
  }

  /** Undefined for what is no file. */
  #read(name: string): Promise<Uint8Array | undefined> {
    return this.#disk.read(`${this.#folder}/${name}`);
  }

  /** Temporary files begin with a dot. */
  async #names(failed: Map<string, string>): Promise<string[]> {
    try {
      const files = (await this.#disk.list(this.#folder)) ?? [];
      return files.map(({ path }) => path).filter((name) => !name.startsWith('.') && !name.includes('/'));
    } catch (error) {
      failed.set(this.#folder, toCniError(error).message);
      return [];
    }
  }
}
