// Which links the kernel is told to look at, and what comes in by them: a kernel in memory, simulated time.
import assert from 'node:assert/strict';
import { type Addresses, hostLinkName, type Ipam, type Owner, ownerKey } from '#ipam';
import { MemoryKernel, MemoryPodSources } from '#linux';
import { FakeClock } from '#world/testing';
import { SourceGuard } from './source-guard.ts';

type Usage = ReturnType<Ipam['usage']>;

const owner = (containerId: string, ifname = 'eth0'): Owner => ({ containerId, ifname, network: 'n' });
const linkOf = (of: Owner) => hostLinkName(ownerKey(of));
const WEB = owner('web');
const WEB_ADDRESSES = { ipv4: '10.77.0.1', ipv6: 'fd77::1' };
const ADOPTED = { address: 'fd77::9', link: 'pr00000000000aa' };
const EPERM = 1;

class Bench implements AsyncDisposable {
  readonly clock = new FakeClock();
  readonly table = new MemoryKernel().podTable;
  readonly log: string[] = [];
  readonly allocations = new Map<Owner, Addresses>([[WEB, WEB_ADDRESSES]]);
  adopted = [ADOPTED];
  guard: SourceGuard;

  constructor() {
    this.guard = this.#newGuard();
  }

  #newGuard(): SourceGuard {
    const write = (_: string, message: string): void => void this.log.push(message);
    return new SourceGuard({
      clock: this.clock,
      sources: new MemoryPodSources(this.table),
      ipam: { usage: () => this.#usage() },
      log: { debug: write, info: write, warn: write, error: write },
    });
  }

  #usage(): Usage {
    const allocations = [...this.allocations].map(([of, addresses]) => ({ owner: of, addresses }));
    return { blocks: [], allocations, adopted: this.adopted, problems: [] } as unknown as Usage;
  }

  async restart(): Promise<void> {
    await this.guard[Symbol.asyncDispose]();
    this.guard = this.#newGuard();
    await this.guard.start();
  }

  async add(of: Owner, addresses: Addresses): Promise<void> {
    this.allocations.set(of, addresses);
    await this.guard.admit(of, addresses);
  }

  async remove(of: Owner): Promise<void> {
    await this.guard.forget(of);
    this.allocations.delete(of);
  }

  /** Of these addresses those that come in by the link. */
  comeIn(link: string, ...addresses: readonly string[]): string {
    const to = (address: string) => (address.includes(':') ? 'fd77::ff' : '10.77.0.99');
    return addresses.filter((address) => this.table.take(link, address, to(address)) === undefined).join(' ');
  }

  /** Lets what hangs on the timers that are due be done. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    for (let i = 0; i < 20; i++) await Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.guard[Symbol.asyncDispose]();
  }
}

describe('the guard of pods’ source addresses', () => {
  const FORGED = ['10.77.0.2', 'fd77::2'];
  let bench: Bench;
  beforeEach(async () => {
    bench = new Bench();
    await bench.guard.start();
  });
  afterEach(() => bench[Symbol.asyncDispose]());

  it('at start takes in every pod that there is, also those that the journal does not know', async () => {
    const all = ['10.77.0.1', 'fd77::1', 'fd77::9', ...FORGED];
    assert.equal(bench.comeIn(linkOf(WEB), ...all), '10.77.0.1 fd77::1');
    assert.equal(bench.comeIn(ADOPTED.link, ...all), 'fd77::9');
    // Of a pod that went while no agent ran nothing stays.
    bench.adopted = [];
    await bench.restart();
    assert.equal(bench.table.looksAt(ADOPTED.link), false);
    assert.equal(bench.comeIn(linkOf(WEB), ...all), '10.77.0.1 fd77::1');
  });

  it('follows ADD and DEL', async () => {
    const db = owner('db');
    await bench.add(db, { ipv6: 'fd77::2' });
    assert.equal(bench.comeIn(linkOf(db), '10.77.0.1', 'fd77::1', ...FORGED), 'fd77::2');
    assert.equal(bench.comeIn(linkOf(WEB), ...FORGED), '');
    await bench.add(db, { ipv6: 'fd77::3' });
    assert.equal(bench.comeIn(linkOf(db), 'fd77::2', 'fd77::3'), 'fd77::3');
    await bench.remove(db);
    assert.equal(bench.table.looksAt(linkOf(db)), false);
    await bench.remove(db);
    assert.ok(bench.table.looksAt(linkOf(WEB)));
  });

  it('lets a pod with several links send from each of its addresses by each of them', async () => {
    const second = owner('web', 'net1');
    await bench.add(second, { ipv4: '10.77.0.2', ipv6: 'fd77::2' });
    const all = ['10.77.0.1', '10.77.0.2', 'fd77::1', 'fd77::2'];
    for (const link of [linkOf(WEB), linkOf(second)])
      assert.equal(bench.comeIn(link, ...all, 'fd77::9'), all.join(' '));
    await bench.remove(WEB);
    assert.equal(bench.table.looksAt(linkOf(WEB)), false);
    assert.equal(bench.comeIn(linkOf(second), ...all), '10.77.0.2 fd77::2');
  });

  it('puts back within a second what somebody else took away, and says so once a minute', async () => {
    for (let times = 0; times < 5; times++) {
      bench.table.flush();
      await bench.pass(0);
      assert.equal(bench.comeIn(linkOf(WEB), ...FORGED), FORGED.join(' '));
      await bench.pass(1000);
      assert.equal(bench.comeIn(linkOf(WEB), ...FORGED), '');
    }
    const lines = () => bench.log.filter((line) => /changed by somebody else: put back/.test(line)).length;
    assert.equal(lines(), 1);
    await bench.pass(60_000);
    bench.table.flush();
    await bench.pass(0);
    await bench.pass(1000);
    assert.equal(lines(), 2);
  });

  it('makes all anew when news were lost, and blames nobody', async () => {
    bench.comeIn(linkOf(WEB), ...FORGED);
    bench.table.overrun();
    await bench.pass(0);
    await bench.pass(1000);
    await bench.guard.look();
    assert.deepEqual(bench.guard.dropped, { source: 0, advertisement: 0, linkLocal: 0 });
    assert.deepEqual(bench.log, []);
  });

  it('does not give an ADD a table that is gone', async () => {
    const db = owner('db');
    bench.table.flush();
    await bench.add(db, { ipv6: 'fd77::2' });
    assert.equal(bench.comeIn(linkOf(db), 'fd77::1', 'fd77::2'), 'fd77::2');
    assert.equal(bench.comeIn(linkOf(WEB), ...FORGED), '');
  });

  it('finds on its own what it did not hear of', async () => {
    bench.allocations.set(owner('db'), { ipv6: 'fd77::2' });
    await bench.guard.look();
    assert.equal(bench.comeIn(linkOf(owner('db')), 'fd77::1', 'fd77::2'), 'fd77::2');
    bench.comeIn(linkOf(WEB), ...FORGED);
    await bench.guard.look();
    // Nothing was to be done: the table and its counters are the same.
    assert.deepEqual(bench.guard.dropped, { source: 3, advertisement: 0, linkLocal: 0 });
  });

  it('tells CHECK what is missing or wrong, and nothing where the kernel cannot check', async () => {
    const link = linkOf(WEB);
    const sources = new MemoryPodSources(bench.table);
    assert.deepEqual(await bench.guard.missing(WEB), []);
    const [first, second] = [WEB_ADDRESSES.ipv4, WEB_ADDRESSES.ipv6];
    await sources.change([{ link, before: [first, second], after: [first, 'fd77::2'] }]);
    assert.deepEqual(await bench.guard.missing(WEB), [
      `nftables table inet podroute lacks ${link} . fd77::1: it cannot send from it`,
      `nftables table inet podroute has ${link} . fd77::2, which is not its address`,
    ]);
    await sources.change([{ link, before: [first] }]);
    assert.deepEqual(await bench.guard.missing(WEB), [
      `nftables table inet podroute lacks ${link}: what it sends is not checked`,
    ]);
    bench.table.flush();
    const [gone] = await bench.guard.missing(WEB);
    assert.match(gone!, /^what it sends is not checked: list .*inet podroute.*ENOENT/);
    bench.table.refuse = EPERM;
    await bench.restart();
    assert.deepEqual(await bench.guard.missing(WEB), []);
  });

  it('lets pods run where the kernel cannot check, says what is missing, and goes on trying', async () => {
    bench.table.flush();
    bench.table.refuse = EPERM;
    await bench.restart();
    assert.match(
      bench.guard.problems().join(),
      /^the kernel does not check from which addresses pods send: .*EPERM; IPv4 is left to rp_filter/,
    );
    assert.equal(bench.guard.dropped, undefined);
    await bench.add(owner('db'), { ipv6: 'fd77::2' });
    await bench.guard.look();
    assert.equal(bench.guard.problems().length, 1);
    bench.table.refuse = undefined;
    await bench.guard.look();
    assert.deepEqual(bench.guard.problems(), []);
    assert.equal(bench.comeIn(linkOf(owner('db')), 'fd77::1', 'fd77::2'), 'fd77::2');
    bench.table.flush();
    await bench.pass(0);
    await bench.pass(1000);
    assert.equal(bench.comeIn(linkOf(WEB), ...FORGED), '');
  });
});
