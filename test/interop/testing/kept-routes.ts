// Which routes somebody has: once, in the end, and all the time.
import assert from 'node:assert/strict';
import { FAMILIES } from '#ip';
import type { Host } from '#lab';
import type { Announcement, Daemon, Route } from '../daemons/daemon.ts';
import { eventually, type Stage } from './fixture.ts';

const WATCH_MS = 200;

/** Who can say which prefixes it has. */
export interface Holder {
  readonly name: string;
  prefixes(): Promise<ReadonlySet<string>>;
}

export function holder(who: Daemon): Holder {
  return {
    name: who.name,
    prefixes: async () => new Set((await routesOf(who)).map(({ prefix }) => prefix)),
  };
}

/** What our agent has put into the kernel there. */
export function kernelOf(host: Host): Holder {
  const routes = (family: string) => host.run(['ip', family, 'route', 'show', 'proto', '179']);
  const prefixes = async () =>
    new Set(['-4', '-6'].flatMap((family) => [...routes(family).matchAll(/^\S+\/\d+/gm)].map(([p]) => p)));
  return { name: 'the kernel', prefixes };
}

/** Looks again and again that none of these is ever missing. */
export class Watch {
  readonly #who: Holder;
  readonly #wanted: readonly Announcement[];
  readonly #done: Promise<string[]>;
  #isOn = true;

  constructor(who: Holder, wanted: readonly Announcement[]) {
    this.#who = who;
    this.#wanted = wanted;
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    assert.deepEqual(await this.end(), [], `gone at ${this.#who.name} for a while`);
  }

  /** Those that were missing for a while. */
  end(): Promise<string[]> {
    this.#isOn = false;
    return this.#done;
  }

  async #run(): Promise<string[]> {
    const gone = new Set<string>();
    while (this.#isOn) {
      // Not at all while it does not run.
      const known = await this.#who.prefixes().catch(() => undefined);
      for (const { prefix } of this.#wanted) if (known?.has(prefix) === false) gone.add(prefix);
      await sleep(WATCH_MS);
    }
    return [...gone];
  }
}

export function announced(hops: { ipv4: string; ipv6: string }, ipv4: string, ipv6: string): Announcement[] {
  return [
    { prefix: ipv4, nextHop: hops.ipv4 },
    { prefix: ipv6, nextHop: hops.ipv6 },
  ];
}

export async function routesOf(who: Daemon): Promise<Route[]> {
  const all: Route[] = [];
  for (const family of FAMILIES) all.push(...(await who.routes(family)));
  return all;
}

export async function has(who: Holder, wanted: readonly Announcement[], timeoutMs = 6000): Promise<void> {
  const isThere = (known: ReadonlySet<string>) => wanted.every(({ prefix }) => known.has(prefix));
  const known = await eventually(() => who.prefixes(), isThere, timeoutMs);
  assert.deepEqual(
    wanted.map(({ prefix }) => prefix).filter((prefix) => !known.has(prefix)),
    [],
    `${who.name} does not have them`,
  );
}

export async function hasNone(
  who: Holder,
  unwanted: readonly Announcement[],
  timeoutMs: number,
): Promise<void> {
  const isGone = (known: ReadonlySet<string>) => unwanted.every(({ prefix }) => !known.has(prefix));
  const known = await eventually(() => who.prefixes(), isGone, timeoutMs);
  assert.deepEqual(
    unwanted.map(({ prefix }) => prefix).filter((prefix) => known.has(prefix)),
    [],
    `${who.name} still has them`,
  );
}

/** Before that a restart of the neighbour finds us still in the first transfer. */
export async function endOfRib(s: Stage): Promise<void> {
  await eventually(
    () => s.podroute.status(),
    ({ sessions }) => sessions.every(({ prefixes }) => prefixes.endOfRibReceived.length > 0),
  );
}

export function sleep(ms: number): Promise<void> {
  return new Promise((wake) => setTimeout(wake, ms));
}
