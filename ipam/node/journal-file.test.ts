// The journal by itself: what is on disk when an append has resolved, whatever fails or loses power on the way.
import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { SeededRandom } from '#world';
import { MemoryDisk } from '#world/testing';
import { Journal, readJournal } from './journal.ts';
import { decodeRecord, encodeRecord, type JournalRecord, RECORD_BYTES } from './journal-record.ts';
import type { Owner } from './types.ts';

const PATH = '/state/ipam.journal';

const block = (n: number): JournalRecord => ({
  type: 'holdBlock',
  cidr: `10.0.${n}.0/26`,
  pool: 'v4',
  atMs: n,
});
const numbersOf = (bytes: Uint8Array | undefined): number[] =>
  bytes === undefined ? [] : readJournal(bytes).records.map(({ atMs }) => atMs);

interface Bench {
  readonly disk: MemoryDisk;
  readonly journal: Journal;
  /** What the owner of the journal has in memory. */
  readonly state: JournalRecord[];
  readonly problems: (string | undefined)[];
  readonly add: (n: number) => Promise<Error | undefined>;
}

function bench(disk = new MemoryDisk(), rewriteAt = 1000): Bench {
  const state: JournalRecord[] = [];
  const problems: (string | undefined)[] = [];
  const journal = new Journal(disk, {
    path: PATH,
    snapshot: () => [...state],
    rewriteAt,
    changed: (problem) => problems.push(problem),
  });
  const add = (n: number): Promise<Error | undefined> => {
    state.push(block(n));
    return journal.append([block(n)], () =>
      state.splice(
        state.findIndex(({ atMs }) => atMs === n),
        1,
      ),
    );
  };
  return { disk, journal, state, problems, add };
}

describe('the journal as a file', () => {
  it('has everything that it confirmed after a loss of power, at whatever step of the disk that comes', async () => {
    for (let step = 0; step < 40; step++) {
      for (let seed = 0; seed < 6; seed++) {
        // Rewritten early and often, so that power is lost inside of that as well.
        const { disk, journal, add, state } = bench(new MemoryDisk(), 3);
        await journal.replay();
        disk.crashAfter(step);
        const confirmed: number[] = [];
        for (let n = 1; n <= 12; n++) {
          if (n > 2) state.splice(0, 1);
          if ((await add(n)) === undefined) confirmed.push(n);
        }
        const found = numbersOf(disk.recover(new SeededRandom(seed)).contents(PATH));
        const last = confirmed.at(-1);
        assert.ok(last === undefined || found.includes(last), `step ${step}, seed ${seed}: ${last} is lost`);
      }
    }
  });

  it('is appended to by the next start, and not made again', async () => {
    const first = bench();
    await first.journal.replay();
    for (const n of [1, 2, 3]) await first.add(n);
    await first.journal.close();
    const second = bench(first.disk);
    const replay = await second.journal.replay();
    assert.deepEqual([replay.records.length, replay.damage, replay.unreadable], [3, undefined, undefined]);
    second.state.push(...replay.records);
    const before = second.disk.steps;
    assert.equal(await second.add(4), undefined);
    assert.equal(second.disk.steps - before, 2, 'an append and a sync');
    assert.deepEqual(numbersOf(second.disk.contents(PATH)), [1, 2, 3, 4]);
  });

  it('that is empty or not there says nothing and is made by the first record', async () => {
    for (const contents of [undefined, new Uint8Array()]) {
      const disk = new MemoryDisk();
      if (contents !== undefined) disk.put(PATH, contents);
      const { journal, add, problems } = bench(disk);
      assert.deepEqual(await journal.replay(), { records: [] });
      assert.equal(await add(1), undefined);
      assert.deepEqual(numbersOf(disk.contents(PATH)), [1]);
      assert.deepEqual(problems, []);
    }
  });

  it('is made anew when it is four times what is needed and above the least size, not one record earlier', async () => {
    const { disk, journal, state, add } = bench(new MemoryDisk(), 10);
    await journal.replay();
    const sizes: number[] = [];
    for (let n = 1; n <= 30; n++) {
      if (state.length === 2) state.splice(0, 1);
      await add(n);
      sizes.push(disk.contents(PATH)!.length / RECORD_BYTES);
    }
    // The first record makes the file; from then on eleven records are one too many.
    assert.deepEqual(sizes.slice(0, 14), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 2, 3, 4]);
    assert.equal(Math.max(...sizes), 11);
    const large = bench(new MemoryDisk(), 1);
    await large.journal.replay();
    large.state.push(...[101, 102, 103].map(block));
    await large.add(104);
    const at: number[] = [];
    for (let n = 1; n <= 15; n++) {
      const waiting = large.journal.append([block(n)]);
      await waiting;
      at.push(large.disk.contents(PATH)!.length / RECORD_BYTES);
    }
    assert.deepEqual(at.slice(10), [15, 16, 17, 4, 5], 'four records are needed, seventeen are too many');
  });

  it('counts what was there at the start', async () => {
    const first = bench();
    await first.journal.replay();
    for (let n = 1; n <= 12; n++) await first.add(n);
    await first.journal.close();
    const second = bench(first.disk, 10);
    await second.journal.replay();
    await second.add(13);
    assert.deepEqual(numbersOf(second.disk.contents(PATH)), [13]);
  });

  it('takes a refused record back before the next one is written, and tells of a problem once', async () => {
    const { disk, journal, state, problems, add } = bench();
    await journal.replay();
    await add(1);
    disk.failure = 'ENOSPC: no space';
    const refused = await Promise.all([add(2), add(3)]);
    const message = `journal ${PATH}: cannot be written: ENOSPC: no space`;
    assert.deepEqual(
      refused.map((error) => error?.message),
      [message, message],
    );
    assert.equal((refused[0]!.cause as Error).message, 'ENOSPC: no space');
    await add(4);
    assert.deepEqual(
      state.map(({ atMs }) => atMs),
      [1],
    );
    assert.deepEqual(problems, [message]);
    assert.equal(journal.problem, message);
    disk.failure = undefined;
    assert.equal(await add(5), undefined);
    assert.deepEqual(numbersOf(disk.contents(PATH)), [1, 5]);
    assert.deepEqual(problems, [message, undefined]);
  });

  it('answers a call without records when all of before is on disk, and writes nothing for it', async () => {
    const { disk, journal, add } = bench();
    await journal.replay();
    await add(1);
    const before = disk.steps;
    assert.equal(await journal.append([]), undefined);
    assert.equal(disk.steps, before);
    const [, second] = await Promise.all([journal.append([]), add(2)]);
    assert.equal(second, undefined);
    assert.deepEqual(numbersOf(disk.contents(PATH)), [1, 2]);
  });

  it('shares one append and one sync among the records of one turn', async () => {
    const { disk, journal, add } = bench();
    await journal.replay();
    await add(1);
    const before = disk.steps;
    await Promise.all([add(2), add(3), add(4)]);
    assert.equal(disk.steps - before, 2);
    assert.deepEqual(numbersOf(disk.contents(PATH)), [1, 2, 3, 4]);
  });

  it('that could not be read takes nothing, takes records back at once, and stays as it is', async () => {
    const { disk, journal, state, problems, add } = bench();
    disk.put(PATH, new Uint8Array(RECORD_BYTES));
    disk.damaged.set(PATH, 'EIO: i/o error');
    assert.match((await journal.replay()).unreadable!, /EIO: i\/o error/);
    const written = add(1);
    assert.deepEqual(state, []);
    assert.match((await written)!.message, /EIO: i\/o error/);
    assert.equal(problems.length, 1);
    assert.deepEqual(disk.contents(PATH), new Uint8Array(RECORD_BYTES));
  });

  it('that was closed waits for what was appended, and takes nothing more', async () => {
    const { disk, journal, add } = bench();
    await journal.replay();
    const written = add(1);
    await journal.close();
    assert.deepEqual(numbersOf(disk.contents(PATH)), [1]);
    assert.equal(await written, undefined);
    assert.match((await add(2))!.message, /ipam\.journal: closed$/);
    assert.deepEqual(numbersOf(disk.contents(PATH)), [1]);
  });

  it('tells a torn end from a damaged middle', () => {
    const bytes = new Uint8Array(3 * RECORD_BYTES);
    for (const n of [0, 1, 2]) encodeRecord(block(n), bytes, n * RECORD_BYTES);
    const broken = (n: number): Uint8Array => bytes.map((byte, i) => (i === n * RECORD_BYTES ? 0 : byte));
    assert.match(
      readJournal(broken(2)).damage!,
      /^torn at its end \(1 of 3 records unreadable, the first at byte 1024\)/,
    );
    assert.match(
      readJournal(broken(1)).damage!,
      /^damaged \(1 of 3 records unreadable, the first at byte 512\)/,
    );
    assert.deepEqual(
      readJournal(broken(1)).records.map(({ atMs }) => atMs),
      [0, 2],
    );
    assert.match(
      readJournal(new Uint8Array(3 * RECORD_BYTES)).damage!,
      /^damaged \(3 of 3 records unreadable/,
    );
  });
});

describe('octets of a journal record', () => {
  const bytes = new Uint8Array(2 * RECORD_BYTES);
  const owner = { containerId: 'c1', ifname: 'eth0', network: 'net' };
  const allocate: JournalRecord = {
    type: 'allocate',
    key: '000102030405060708090a0b0c0d0e0f',
    owner,
    addresses: { ipv4: '10.0.0.9' },
    atMs: 0x0102030405,
  };
  encodeRecord(allocate, bytes, RECORD_BYTES);
  const record = Buffer.from(bytes.subarray(RECORD_BYTES));

  it('stand where the figure says, so that an older or newer version reads them', () => {
    assert.equal(
      record.subarray(0, 16).toString('hex'),
      '50524a31' + '02' + '01' + '0000' + '0000000102030405',
    );
    assert.equal(record.subarray(16, 36).toString('hex'), '0a000009' + '00'.repeat(16));
    assert.equal(record.subarray(36, 64).toString('hex'), allocate.key + '00'.repeat(12));
    assert.equal(record.subarray(64, 81).toString('latin1'), '\x02c1\x04eth0\x03net\0\0\0\0\0');
    assert.deepEqual(decodeRecord(bytes, RECORD_BYTES), allocate);
    assert.equal(decodeRecord(bytes.subarray(1), RECORD_BYTES), undefined, 'cut short by one octet');
    const block = new Uint8Array(RECORD_BYTES);
    encodeRecord({ type: 'holdBlock', cidr: 'fd00::40/122', pool: 'p', atMs: -1.5 }, block, 0);
    assert.equal(Buffer.from(block.subarray(4, 16)).toString('hex'), '04027a00' + '00'.repeat(8));
    assert.equal(Buffer.from(block.subarray(16, 36)).toString('hex'), `00000000fd00${'00'.repeat(13)}40`);
    assert.equal(Buffer.from(block.subarray(64, 66)).toString('latin1'), '\x01p');
  });

  it('have the type that the figure says, and a record of another format is none', () => {
    const held = { cidr: '10.0.0.0/26', pool: 'p', atMs: 1 };
    const types: JournalRecord[] = [
      { type: 'head', node: 'n', atMs: 1 },
      allocate,
      { ...allocate, type: 'release' },
      { type: 'holdBlock', ...held },
      { type: 'returnBlock', ...held },
    ];
    types.forEach((one, i) => {
      const out = new Uint8Array(RECORD_BYTES);
      encodeRecord(one, out, 0);
      assert.equal(out[4], i + 1);
      out[3] = 0x32;
      new DataView(out.buffer).setUint32(RECORD_BYTES - 4, crc32(out.subarray(0, RECORD_BYTES - 4)));
      assert.equal(decodeRecord(out, 0), undefined);
    });
  });

  it('hold texts of 255 octets each, and of the last as much as there is room for', () => {
    const long = { containerId: 'c'.repeat(255), ifname: 'i'.repeat(188), network: 'n' };
    const whole = new Uint8Array(RECORD_BYTES);
    // 64 + 256 + 187 = 507: a length, and not one octet of text behind it.
    encodeRecord({ ...allocate, owner: { ...long, ifname: 'i'.repeat(186) } } as JournalRecord, whole, 0);
    const read = decodeRecord(whole, 0);
    assert.ok(read?.type === 'allocate');
    assert.deepEqual(
      [read.owner.containerId.length, read.owner.ifname.length, read.owner.network],
      [255, 186, ''],
    );
    const cut = new Uint8Array(RECORD_BYTES);
    encodeRecord({ ...allocate, owner: long } as JournalRecord, cut, 0);
    const back = decodeRecord(cut, 0);
    assert.ok(back?.type === 'allocate');
    assert.equal(back.owner.ifname.length, 187);
    assert.equal(back.owner.network, '');
    const longer = new Uint8Array(RECORD_BYTES);
    encodeRecord({ ...allocate, owner: { ...owner, network: 'n'.repeat(300) } } as JournalRecord, longer, 0);
    const read2 = decodeRecord(longer, 0);
    assert.ok(read2?.type === 'allocate');
    assert.equal(read2.owner.network, 'n'.repeat(255));
  });

  it('name the namespace of a pod whose name is not known, and the other way round', () => {
    for (const known of [{ podNamespace: 'ns' }, { podName: 'pod' }]) {
      const out = new Uint8Array(RECORD_BYTES);
      encodeRecord({ ...allocate, owner: { ...owner, ...known } } as JournalRecord, out, 0);
      const read = decodeRecord(out, 0);
      assert.ok(read?.type === 'allocate');
      assert.deepEqual(read.owner, { ...owner, ...known });
    }
  });

  it('say which Pod it is wholly, or not at all', () => {
    const read = (pod: object): Owner => {
      const out = new Uint8Array(RECORD_BYTES);
      encodeRecord({ ...allocate, owner: { ...owner, ...pod } } as JournalRecord, out, 0);
      const record = decodeRecord(out, 0);
      assert.ok(record?.type === 'allocate');
      return record.owner;
    };
    const pod = { podNamespace: 'n'.repeat(63), podName: 'p'.repeat(253), podUid: 'u'.repeat(36) };
    assert.deepEqual(read(pod), { ...owner, ...pod });
    // 64 + 3 + 5 + 4 + 64 + 254 = 394: 113 octets of text are left.
    assert.equal(read({ ...pod, podUid: 'u'.repeat(113) }).podUid?.length, 113);
    assert.equal(read({ ...pod, podUid: 'u'.repeat(114) }).podUid, undefined);
    const { podName } = read({ ...pod, network: 'w'.repeat(200) });
    assert.equal(podName, undefined, 'not another name');
  });

  it('are not made of what is no address or block', () => {
    const out = new Uint8Array(RECORD_BYTES);
    assert.throws(
      () => encodeRecord({ ...allocate, addresses: { ipv4: 'x' } } as JournalRecord, out, 0),
      /x is not an IP address/,
    );
    assert.throws(
      () => encodeRecord({ type: 'holdBlock', cidr: '10.0.0.0', pool: 'p', atMs: 0 }, out, 0),
      /block 10\.0\.0\.0 is not a CIDR/,
    );
  });
});
