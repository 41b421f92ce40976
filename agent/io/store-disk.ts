// The directory store's files, for real.
import { mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, relative, join } from 'node:path';
import { lockFile } from '#linux';
import type { StoreDisk } from '../store/index.ts';
import { watchFolders } from './watch-folders.ts';

export const storeDisk: StoreDisk = {
  async list(folder) {
    const entries = await absent(readdir(folder, { withFileTypes: true, recursive: true }));
    const files = entries?.filter((entry) => entry.isFile() || entry.isSymbolicLink());
    return files?.map((entry) => relative(folder, join(entry.parentPath, entry.name))).sort();
  },

  async readText(path) {
    const found = await absent(stat(path));
    // A link to a folder, as Kubernetes makes in mounted ConfigMaps.
    if (found === undefined || !found.isFile()) return undefined;
    return absent(readFile(path, 'utf8'));
  },

  async replace(path, text) {
    const folder = dirname(path);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const temporary = join(folder, `.new-${process.pid}`);
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(folder);
  },

  async remove(path) {
    return (await absent(unlink(path).then(() => true))) ?? false;
  },

  async locked(lockPath, action) {
    await mkdir(dirname(lockPath), { recursive: true, mode: 0o700 });
    using _held = await lockFile(lockPath);
    return await action();
  },

  watch: watchFolders,
};

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Undefined instead of ENOENT. */
async function absent<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
