// What the node expects of Locks, asked of real sockets and of those in memory.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LockedError } from '../outside.ts';
import { MemoryLocks } from '../testing/memory-locks.ts';
import { socketLocks } from './socket-locks.ts';

for (const [name, makeLocks] of [
  ['in memory', () => new MemoryLocks()],
  ['of this machine', () => socketLocks],
] as const) {
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
      const folders = [1, 2].map(() => mkdtempSync(join(tmpdir(), 'podroute-lock-')));
      const [one = '', two = ''] = folders;
      try {
        {
          await using _one = await locks.lockFolder(one, 'pid 77, node n1');
          await using _two = await locks.lockFolder(two, 'pid 78, node n2');
          await assert.rejects(locks.lockFolder(two, 'pid 79'), /pid 78, node n2/);
        }
        await using _again = await locks.lockFolder(one, 'pid 79');
      } finally {
        for (const folder of folders) rmSync(folder, { recursive: true });
      }
    });
  });
}

describe('a lock that is a socket', () => {
  it('answers also when its holder says nothing', async () => {
    const subject = `mute ${process.pid}`;
    const mute = createServer((socket) => socket.end());
    await new Promise<void>((done) => {
      mute.listen(`\0podroute/${subject}`, done);
    });
    await assert.rejects(socketLocks.lockHere(subject, 'x'), /does not say who it is/);
    mute.close();
  });

  it('of a folder survives its holder’s death only until somebody asks', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'podroute-lock-'));
    try {
      {
        await using _lock = await socketLocks.lockFolder(folder, 'pid 77, node n1');
        await assert.rejects(socketLocks.lockFolder(folder, 'pid 78'), /pid 77, node n1/);
      }
      // What a killed process leaves: the file of a socket that nobody listens on.
      writeFileSync(join(folder, 'agent.lock'), '');
      await using _again = await socketLocks.lockFolder(folder, 'pid 79');
      await assert.rejects(socketLocks.lockFolder(folder, 'pid 80'), /pid 79/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
