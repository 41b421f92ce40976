// For this room's tests: namespaces that are always taken away again, and a reason to skip where none can be made.
import { createNetns, deleteNetns } from '../native/netns.ts';
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

/** A fresh namespace until disposed. */
export class TestNetns implements Disposable {
  static #count = 0;
  readonly name = `pr-linux-${process.pid}-${TestNetns.#count++}`;
  readonly path = createNetns(this.name);

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
