// What the adapters of foreign daemons repeat: a process that is started in its host, waited for, read and stopped.
import { waitUntil } from '#world';
import { join } from 'node:path';
import type { HostProcess, SpawnOptions } from '#lab';
import type { DaemonConfig } from './daemon.ts';

const LOG_TAIL = 3000;

export abstract class DaemonProcess implements AsyncDisposable {
  protected config: DaemonConfig;
  readonly #process: HostProcess;

  constructor(config: DaemonConfig, command: readonly string[], options: SpawnOptions = {}) {
    this.config = config;
    this.#process = config.host.spawn(command, options);
  }

  get pid(): number {
    return this.#process.pid;
  }

  log(): string {
    return this.#process.output;
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#process.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
  }

  /** Waits until it takes commands. Throws with the end of its log when it ended, or is not ready in time. */
  protected async ready(timeoutMs: number, isReady: () => boolean): Promise<void> {
    const { command } = this.#process;
    try {
      await waitUntil(`${command} to be ready`, timeoutMs, () => {
        if (!this.#process.running) throw new Error(`${command} ended at once`);
        return isReady();
      });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.log().slice(-LOG_TAIL)}`, { cause: error });
    }
  }

  protected file(name: string): string {
    return join(this.config.folder, name);
  }

  /** Runs its tool in its host, and gives what that prints. Throws when it fails. */
  protected run(...command: string[]): string {
    return this.config.host.run(command);
  }

  /** Whether the tool reaches it. */
  protected answers(...command: string[]): boolean {
    try {
      this.run(...command);
      return true;
    } catch {
      return false;
    }
  }
}
