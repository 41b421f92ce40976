// A lock between processes of one machine: flock(2) on a file. The kernel lets it go when its holder dies.
import { constants } from 'node:fs';
import { errnoName } from '../errno.ts';
import { addon } from '../native/addon.ts';

const LOCK_EX = 2;
const LOCK_NB = 4;
const EAGAIN = -11;
const EINTR = -4;
const FIRST_WAIT_MS = 1;
const LONGEST_WAIT_MS = 20;

/**
 * Takes the lock of `path` (made when missing), waiting while another holds it. Not fair: waiters look again every
 * 1 to 20 ms. Dispose of it to let go. Throws with the path and the errno's name when the file cannot be opened, and
 * after timeoutMs.
 */
export async function lockFile(path: string, timeoutMs = 10_000): Promise<Disposable> {
  const system = addon();
  const fd = system.open(path, constants.O_RDWR | constants.O_CREAT);
  if (fd < 0) throw new Error(`lock ${path}: ${errnoName(-fd)}`);
  const deadline = performance.now() + timeoutMs;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
    const result = system.flock(fd, LOCK_EX | LOCK_NB);
    if (result === 0) return { [Symbol.dispose]: () => void system.close(fd) };
    if ((result !== EAGAIN && result !== EINTR) || performance.now() > deadline) {
      system.close(fd);
      const why = result === EAGAIN ? `another process held it for ${timeoutMs} ms` : errnoName(-result);
      throw new Error(`lock ${path}: ${why}`);
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}
