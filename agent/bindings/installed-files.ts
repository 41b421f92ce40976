// Files and folders that podroute has put on a node, for taking them away. A container has folders of the host mounted
// instead of the paths themselves: those are emptied.
import { lstat, readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { UninstallIo } from '../uninstall.ts';

/** What rmdir(2) says to the folder itself; the second where what it stands in cannot be written. */
const MOUNTED_ON = ['EBUSY', 'EROFS'];

export const installedFiles: UninstallIo['files'] = {
  async isThere(path) {
    const names = await namesIn(path);
    return names === undefined ? false : names === 'file' || names.length > 0;
  },

  async remove(path) {
    const names = await namesIn(path);
    if (names === undefined) return;
    if (names === 'file') return rm(path, { force: true });
    for (const name of names) await rm(join(path, name), { recursive: true, force: true });
    await rmdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === undefined || !MOUNTED_ON.includes(error.code)) throw error;
    });
  },
};

/** Undefined: there is nothing of that name. */
async function namesIn(path: string): Promise<readonly string[] | 'file' | undefined> {
  try {
    return (await lstat(path)).isDirectory() ? await readdir(path) : 'file';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
