import assert from 'node:assert/strict';
import { MemoryDisk } from '#world/testing';
import { readJournal } from './journal.ts';
import { decodeRecord, encodeRecord, type JournalRecord, RECORD_BYTES } from './journal-record.ts';
import { ownerKey } from './owner-key.ts';
import { owner, startNode, inputs, pool } from './testing/ipam-node.ts';

const PATH = '/state/ipam.journal';
const POOLS = inputs([pool('v4', '10.0.0.0/24', 26), pool('v6', 'fd00::/112', 122)]);

const RECORDS: JournalRecord[] = [
  { type: 'head', node: 'node-1', atMs: 1_700_000_000_000 },
  { type: 'holdBlock', cidr: '10.0.0.64/26', pool: 'v4', atMs: 1 },
  { type: 'returnBlock', cidr: 'fd00::40/122', pool: undefined, atMs: 2 },
  ...(['allocate', 'release'] as const).map((type) => ({
    type,
    key: ownerKey(owner(1)),
    owner: owner(1),
    addresses: { ipv4: '10.0.0.65', ipv6: 'fd00::41' },
    atMs: 3,
  })),
  { type: 'allocate', key: ownerKey(owner(2)), owner: owner(2), addresses: { ipv6: 'fd00::42' }, atMs: 4 },
];

function encode(record: JournalRecord): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES);
  encodeRecord(record, bytes, 0);
  return bytes;
}

describe('journal records', () => {
  for (const record of RECORDS) {
    it(`reads back ${record.type}`, () => {
      assert.deepEqual(decodeRecord(encode(record), 0), record);
    });
  }

  it('refuses a record with any byte changed', () => {
    const good = encode(RECORDS[3]!);
    for (let at = 0; at < RECORD_BYTES; at++) {
      const bad = good.slice();
      bad[at]! ^= 0x10;
      assert.equal(decodeRecord(bad, 0), undefined, `byte ${at}`);
    }
  });

  it('cuts texts that do not fit, never the identity', () => {
    const long = { ...owner(1), podName: 'p'.repeat(400), podNamespace: 'n'.repeat(400) };
    const record = decodeRecord(encode({ ...RECORDS[3]!, owner: long } as JournalRecord), 0);
    assert.ok(record?.type === 'allocate');
    assert.equal(record.key, ownerKey(long));
    assert.equal(record.owner.containerId, 'c1');
  });
});

describe('journal', () => {
  it('is readable when it was cut at any byte: every whole record is kept', async () => {
    const { ipam, disk } = await startNode(POOLS);
    for (let i = 0; i < 3; i++) await ipam.allocate(owner(i), ['ipv4', 'ipv6']);
    const whole = disk.contents(PATH)!;
    const all = readJournal(whole);
    assert.equal(all.damage, undefined);
    for (let cut = 0; cut <= whole.length; cut += 7) {
      const { records, damage } = readJournal(whole.subarray(0, cut));
      assert.deepEqual(records, all.records.slice(0, Math.floor(cut / RECORD_BYTES)));
      if (cut % RECORD_BYTES === 0) assert.equal(damage, undefined);
      else assert.match(damage!, /^torn at its end/);
    }
  });

  it('says so, goes on and writes a clean file when its end is torn', async () => {
    const first = await startNode(POOLS);
    const told = await first.ipam.allocate(owner(1), ['ipv4', 'ipv6']);
    await first.ipam[Symbol.asyncDispose]();
    const bytes = first.disk.contents(PATH)!;
    const disk = new MemoryDisk();
    disk.put(PATH, Buffer.concat([bytes, Buffer.alloc(200, 7)]));
    const { ipam, log } = await startNode(POOLS, { disk, store: first.store });
    assert.deepEqual(ipam.allocationOf(owner(1)), told);
    assert.match(log.join('\n'), /journal: .*torn at its end \(1 of \d+ records unreadable/);
    assert.match(ipam.usage().problems.join(), /torn at its end/);
    assert.equal(readJournal(disk.contents(PATH)!).damage, undefined);
  });

  it('that lost a release gives the address to who got it last, and to him alone', async () => {
    const disk = new MemoryDisk();
    const records: JournalRecord[] = [
      { type: 'head', node: 'n1', atMs: 1 },
      { type: 'holdBlock', cidr: '10.9.0.0/29', pool: undefined, atMs: 2 },
      ...[1, 2].map(
        (n) =>
          ({
            type: 'allocate',
            key: ownerKey(owner(n)),
            owner: owner(n),
            addresses: { ipv4: '10.9.0.3' },
            atMs: 3,
          }) as const,
      ),
    ];
    disk.put(PATH, Buffer.concat(records.map(encode)));
    const { ipam } = await startNode(inputs([], { podCidrs: ['10.9.0.0/29'] }), { disk });
    assert.equal(ipam.allocationOf(owner(1)), undefined);
    assert.equal(ipam.allocationOf(owner(2))?.addresses.ipv4, '10.9.0.3');
    assert.equal(ipam.usage().blocks[0]?.used, 1);
  });

  it("refuses another node's file", async () => {
    const { disk } = await startNode(POOLS, { name: 'n1' });
    await assert.rejects(
      startNode(POOLS, { name: 'n2', disk }),
      /ipam\.journal is of node n1, not n2: give each node its own --state-dir/,
    );
  });

  it('is rewritten when most of it is of the past', async () => {
    const { ipam, disk } = await startNode(POOLS, { tuning: { journalRewriteAt: 50 } });
    for (let i = 0; i < 500; i++) {
      await ipam.allocate(owner(i), ['ipv4']);
      await ipam.release(owner(i));
    }
    const length = disk.contents(PATH)!.length / RECORD_BYTES;
    assert.ok(length < 4 * 600, `${length} records`);
  });

  it('shares one sync among allocations that wait together', async () => {
    const { ipam, disk } = await startNode(POOLS);
    await ipam.allocate(owner('first'), ['ipv4']);
    const before = disk.steps;
    await Promise.all(Array.from({ length: 40 }, (_, i) => ipam.allocate(owner(i), ['ipv4'])));
    assert.ok(disk.steps - before <= 8, `${disk.steps - before} calls for 40 allocations`);
  });

  it('frees the addresses again and says why when the disk is full, and recovers', async () => {
    const { ipam, disk } = await startNode(POOLS);
    disk.failure = 'ENOSPC: no space left on device';
    const refused = await ipam.allocate(owner(1), ['ipv4', 'ipv6']);
    assert.ok('kind' in refused);
    assert.equal(refused.code, 104);
    assert.match(refused.message, /journal \/state\/ipam\.journal: cannot be written: ENOSPC/);
    assert.equal(ipam.allocationOf(owner(1)), undefined);
    disk.failure = undefined;
    assert.ok(!('kind' in (await ipam.allocate(owner(1), ['ipv4', 'ipv6']))));
    assert.equal(readJournal(disk.contents(PATH)!).damage, undefined);
  });

  it('that cannot be written from the start on gives no address, keeps what there is, and says why until it can', async () => {
    const first = await startNode(POOLS);
    const told = await first.ipam.allocate(owner(1), ['ipv4', 'ipv6']);
    await first.ipam[Symbol.asyncDispose]();
    const bytes = first.disk.contents(PATH)!;
    // Whole, torn (so that it has to be written anew at the start), and not there.
    for (const found of [bytes, Buffer.concat([bytes, Buffer.alloc(200, 7)]), undefined]) {
      const disk = new MemoryDisk();
      if (found !== undefined) disk.put(PATH, found);
      disk.failure = 'EROFS: read-only file system';
      const { ipam, clock } = await startNode(POOLS, { disk, store: first.store });
      assert.deepEqual(
        ipam.blocks(),
        first.ipam.blocks().map(({ family, cidr, pool: from }) => ({ family, cidr, pool: from })),
        'its routes stand',
      );
      if (found !== undefined) assert.deepEqual(ipam.allocationOf(owner(1)), told);
      const refused = await ipam.allocate(owner(2), ['ipv4']);
      assert.equal('kind' in refused && refused.code, 104);
      assert.match(ipam.whyUnready() ?? '', /ipam\.journal: cannot be written: EROFS/);
      assert.match(ipam.usage().problems.join('\n'), /ipam\.journal: cannot be written: EROFS/);
      let changes = 0;
      ipam.subscribe(() => changes++);
      disk.failure = undefined;
      await clock.run(6_000);
      await ipam.settled();
      assert.equal(ipam.whyUnready(), undefined);
      assert.ok(changes > 0, 'it was told');
      assert.doesNotMatch(ipam.usage().problems.join('\n'), /EROFS/);
      assert.ok('addresses' in (await ipam.allocate(owner(2), ['ipv4'])));
      assert.equal(readJournal(disk.contents(PATH)!).damage, undefined);
    }
  });

  it('that cannot be read is not written over; blocks come from the store', async () => {
    const first = await startNode(POOLS);
    await first.ipam.allocate(owner(1), ['ipv4']);
    await first.ipam[Symbol.asyncDispose]();
    const bytes = first.disk.contents(PATH)!;
    const disk = new MemoryDisk();
    disk.put(PATH, bytes);
    disk.damaged.set(PATH, 'EIO: i/o error');
    const { ipam, clock } = await startNode(POOLS, { disk, store: first.store });
    assert.equal(ipam.blocks().length, 2);
    const refused = await ipam.allocate(owner(2), ['ipv4']);
    assert.equal('kind' in refused && refused.code, 104);
    assert.ok((await ipam.release(owner(1))) instanceof Error, 'a DEL is to be tried again');
    await clock.run(120_000);
    assert.match(ipam.whyUnready() ?? '', /cannot be read: EIO: i\/o error; restart the agent when it can/);
    assert.deepEqual(disk.contents(PATH), bytes);
  });
});
