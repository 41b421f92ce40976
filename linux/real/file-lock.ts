// Locks between processes of one machine: flock(2) on a file. The kernel lets it go when its holder dies, and nobody who
// may not open the file can hold it. Whatever may wait for a disk or a file server runs off the main thread.
import { constants } from 'node:fs';
import { type FileHandle, open, stat, unlink } from 'node:fs/promises';
import { errnoName, errnos } from '../errno.ts';
import { addon } from '../native/addon.ts';

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants;
const LOCK_EX = 2;
const LOCK_NB = 4;
const FIRST_WAIT_MS = 1;
const LONGEST_WAIT_MS = 20;
const MOST_HOLDER_BYTES = 1024;
/** A holder says who it is right after it has taken the lock: it is waited for so long. */
const SAYS_WITHIN_MS = 500;

/** Somebody else has the lock. */
export interface HeldByAnother {
  /** As it says who it is; empty when it does not. */
  readonly heldBy: string;
}

/**
 * Takes the lock of `path` (made when missing), waiting while another holds it. Not fair: waiters look again every
 * 1 to 20 ms. Dispose of it to let go. Rejects with the path and the errno's name when the file cannot be opened, and
 * after timeoutMs.
 */
export async function lockFile(path: string, timeoutMs = 10_000): Promise<AsyncDisposable> {
  const file = await openToLock(path);
  const deadline = performance.now() + timeoutMs;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    const errno = await flock(file);
    if (errno === 0) return file;
    if (errno !== errnos.EAGAIN || performance.now() > deadline) {
      await file.close();
      const why = errno === errnos.EAGAIN ? `another process held it for ${timeoutMs} ms` : errnoName(errno);
      throw new Error(`lock ${path}: ${why}`);
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

/**
 * Takes the lock of `path` for as long as the process lives, or says who has it. The file is there while it is held, and
 * names the holder. Rejects when it cannot be opened.
 */
export async function claimFile(path: string, holder: string): Promise<AsyncDisposable | HeldByAnother> {
  for (;;) {
    const file = await openToLock(path);
    const errno = await flock(file);
    if (errno === errnos.EAGAIN) return { heldBy: await holderIn(file) };
    if (errno !== 0) {
      await file.close();
      throw new Error(`lock ${path}: ${errnoName(errno)}`);
    }
    // The holder before may have deleted it since it was opened: a lock that nobody else would find.
    if (await isStillAt(file, path)) {
      await file.truncate().catch(ignored);
      await file.write(holder, 0).catch(ignored);
      return claim(file, path);
    }
    await file.close();
  }
}

function claim(file: FileHandle, path: string): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      await unlink(path).catch(ignored);
      await file.close();
    },
  };
}

/** A link is not followed, and a pipe is not waited for. */
async function openToLock(path: string): Promise<FileHandle> {
  const how = O_NOFOLLOW | O_NONBLOCK;
  try {
    return await open(path, O_RDWR | O_CREAT | how, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // A file that is there can be locked on a read-only file system, too.
    const file = code === 'EROFS' ? await open(path, O_RDONLY | how).catch(ignored) : undefined;
    if (file !== undefined) return file;
    throw new Error(`lock ${path}: ${code ?? String(error)}`, { cause: error });
  }
}

/** 0 or an errno; EAGAIN: another has it. */
function flock({ fd }: FileHandle): Promise<number> {
  return new Promise((done) => {
    const started = addon().flockInBackground(fd, LOCK_EX | LOCK_NB, (result) => done(-result));
    if (started < 0) done(-started);
  });
}

async function isStillAt(file: FileHandle, path: string): Promise<boolean> {
  const [opened, named] = await Promise.all([
    file.stat({ bigint: true }),
    stat(path, { bigint: true }).catch(ignored),
  ]);
  return opened.ino === named?.ino && opened.dev === named.dev;
}

async function holderIn(file: FileHandle): Promise<string> {
  try {
    for (const deadline = performance.now() + SAYS_WITHIN_MS; ; ) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_HOLDER_BYTES), 0, MOST_HOLDER_BYTES, 0);
      if (bytesRead > 0 || performance.now() > deadline) return buffer.toString('utf8', 0, bytesRead);
      await new Promise((resolve) => setTimeout(resolve, LONGEST_WAIT_MS));
    }
  } finally {
    await file.close();
  }
}

/** Of what nothing depends on. */
const ignored = (): undefined => undefined;
