// For tests: namespaces that are always taken away again, and a reason to skip where none can be made. What a run that
// was killed leaves is taken away by the next one, which knows the dead owner by the pid in the name (as lab/hosts.ts).
import { existsSync } from 'node:fs';
import { createNetns, deleteNetns, listNetns } from '../native/netns.ts';
import { writeSysctl } from '../real/sysctl.ts';

/** Skips every test of the suite, with the reason shown, when this process may not make network namespaces. */
export function needNamespaces(suite: Mocha.Suite): void {
  suite.beforeAll('needs network namespaces', function () {
    const name = `pr-linux-probe-${process.pid}`;
    try {
      createNetns(name);
    } catch (error) {
      console.log(`      skipped: ${(error as Error).message}`);
      this.skip();
    }
    deleteNetns(name);
  });
}

/** Takes those away whose process has ended. */
export function sweepNetns(): void {
  for (const name of listNetns()) {
    const owner = /^pr-linux-(\d+)-\d+$/.exec(name)?.[1];
    if (owner === undefined || existsSync(`/proc/${owner}`)) continue;
    try {
      deleteNetns(name);
    } catch {
      // Another run has swept it, or it is not ours to delete.
    }
  }
}

/** A fresh namespace until disposed. */
export class TestNetns implements Disposable {
  static #count = 0;
  readonly name = TestNetns.#newName();
  readonly path = createNetns(this.name);

  static #newName(): string {
    if (TestNetns.#count === 0) sweepNetns();
    return `pr-linux-${process.pid}-${TestNetns.#count++}`;
  }

  [Symbol.dispose](): void {
    deleteNetns(this.name);
  }
}

/** What makes a namespace route packets between its links, in both families. */
export const FORWARDING = ['net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding'];

/** For the calling thread's namespace. */
export function enableForwarding(): void {
  for (const name of FORWARDING) writeSysctl(name, 1);
}
