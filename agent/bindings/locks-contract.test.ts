// What the node expects of Locks, asked of real files and of those in memory.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimFile } from '#linux';
import { LockedError, type Locks } from '../outside.ts';
import { MemoryLocks } from '../testing/memory-locks.ts';
import { fileLocks as locksWith } from './file-locks.ts';

const store = mkdtempSync(join(tmpdir(), 'podroute-lock-store-'));
const fileLocks = locksWith(store);
after(() => rmSync(store, { recursive: true }));

for (const [name, makeLocks] of [
  ['in memory', () => new MemoryLocks()],
  ['of this machine', () => fileLocks],
] as const satisfies [string, () => Locks][]) {
  describe(`locks ${name}`, () => {
    const locks = makeLocks();

    it('are one agent’s at a time, and tell others whose', async () => {
      const subject = `test ${process.pid}`;
      {
        await using _lock = await locks.lockHere(subject, 'pid 77, node n1');
        await assert.rejects(locks.lockHere(subject, 'pid 78'), (error: Error) => {
          return (
            error instanceof LockedError &&
            error.message === `${subject} has an agent already: pid 77, node n1; stop that one first`
          );
        });
        await using _other = await locks.lockHere(`other ${subject}`, 'pid 78');
      }
      await using _again = await locks.lockHere(subject, 'pid 78');
    });

    it('of folders are each folder’s own', async () => {
      const [one = '', two = ''] = [1, 2].map(() => mkdtempSync(join(tmpdir(), 'podroute-lock-')));
      try {
        {
          await using _one = await locks.lockFolder(one, 'pid 77, node n1');
          await using _two = await locks.lockFolder(two, 'pid 78, node n2');
          await assert.rejects(locks.lockFolder(two, 'pid 79'), /pid 78, node n2/);
        }
        await using _again = await locks.lockFolder(one, 'pid 79');
      } finally {
        for (const folder of [one, two]) rmSync(folder, { recursive: true });
      }
    });

    it('of a node’s name are one agent’s of all that share the store', async () => {
      {
        await using _lock = await locks.lockName('n1', 'pid 77');
        await using _other = await locks.lockName('n2', 'pid 78');
        await assert.rejects(locks.lockName('n1', 'pid 79'), /n1.* has an agent already: pid 77/);
      }
      await using _again = await locks.lockName('n1', 'pid 79');
    });

    it('are taken for a node whose name is as long as Kubernetes allows', async () => {
      const name = 'n'.repeat(253);
      const subject = `node ${name}`;
      await using _name = await locks.lockName(name, 'pid 77');
      await using _lock = await locks.lockHere(subject, `pid 77, ${subject}`);
      await assert.rejects(locks.lockHere(subject, 'pid 78'), {
        name: 'LockedError',
        message: /pid 77, node n{253};/,
      });
    });

    it('are held by one of many that ask at once, round after round', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'podroute-lock-'));
      try {
        for (let round = 0; round < 20; round++) {
          const asked = await Promise.allSettled(
            Array.from({ length: 12 }, (_, i) => locks.lockFolder(folder, `pid ${i}`)),
          );
          const held = asked.filter((one) => one.status === 'fulfilled');
          assert.equal(held.length, 1, `round ${round}`);
          // Others ask while it is let go: one of them may have it, and no more.
          const [, ...later] = await Promise.allSettled([
            held[0]?.value[Symbol.asyncDispose](),
            ...Array.from({ length: 12 }, (_, i) => locks.lockFolder(folder, `late ${i}`)),
          ]);
          const heldLater = later.filter((one) => one.status === 'fulfilled');
          assert.ok(heldLater.length <= 1, `round ${round}: ${heldLater.length} hold it`);
          for (const one of heldLater) await one.value?.[Symbol.asyncDispose]();
        }
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });
}

describe('a lock that is a file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'podroute-lock-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is let go when its holder is killed', async () => {
    const door = join(import.meta.dirname, 'file-locks.ts');
    const code = `
      const { fileLocks } = await import(${JSON.stringify(door)});
      await fileLocks('/nowhere').lockFolder(${JSON.stringify(folder)}, 'pid 77, node n1');
      console.log('held');
      setInterval(() => undefined, 1000);`;
    const holder = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', code], {
      cwd: join(import.meta.dirname, '..', '..'),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(holder.stdout, 'data');
    await assert.rejects(fileLocks.lockFolder(folder, 'pid 78'), /pid 77, node n1/);
    holder.kill('SIGKILL');
    await once(holder, 'close');
    await using _again = await fileLocks.lockFolder(folder, 'pid 79');
    await assert.rejects(fileLocks.lockFolder(folder, 'pid 80'), /pid 79/);
  });

  it('names a holder that has not said yet who it is', async () => {
    const path = join(folder, 'lock');
    const taken = await claimFile(path, '');
    assert.ok(!('heldBy' in taken));
    await using _taken = taken;
    const says = setTimeout(() => writeFileSync(path, 'pid 81, node n1'), 100);
    await assert.rejects(fileLocks.lockFolder(folder, 'pid 82'), /pid 81, node n1/);
    clearTimeout(says);
  });

  it('cannot be kept from root by who listens on abstract sockets of its names', async () => {
    const subject = `squatted ${process.pid}`;
    const server = createServer();
    await new Promise<void>((done) => {
      server.listen(`\0podroute/${subject}`, done);
    });
    try {
      await using _lock = await fileLocks.lockHere(subject, 'pid 77');
    } finally {
      server.close();
    }
  });

  it('follows no link that somebody has put in its place', async () => {
    const elsewhere = join(folder, 'elsewhere');
    writeFileSync(elsewhere, 'not to be written over');
    symlinkSync(elsewhere, join(folder, 'lock'));
    await assert.rejects(fileLocks.lockFolder(folder, 'pid 77'), /lock .*\/lock: ELOOP/);
  });
});
