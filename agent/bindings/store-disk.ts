// The directory store's files, for real.
import type { BigIntStats } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, relative, join } from 'node:path';
import { lockFile } from '#linux';
import type { FileEntry, StoreDisk } from '#store';
import { watchFolders } from './watch-folders.ts';

export const storeDisk: StoreDisk = {
  async list(folder) {
    const found = await absent(readdir(folder, { withFileTypes: true, recursive: true }));
    if (found === undefined) return undefined;
    const entries: FileEntry[] = [];
    for (const entry of found) {
      if (!entry.isFile() && !entry.isSymbolicLink()) continue;
      const path = join(entry.parentPath, entry.name);
      // Through links, as Kubernetes makes in mounted ConfigMaps.
      const file = await absent(stat(path, { bigint: true }));
      if (file?.isFile()) entries.push({ path: relative(folder, path), stamp: stampOf(file) });
    }
    return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  },

  async readText(path) {
    const found = await absent(stat(path));
    if (found === undefined || !found.isFile()) return undefined;
    return absent(readFile(path, 'utf8'));
  },

  async replace(path, text) {
    const folder = dirname(path);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // One name for all: whoever is here holds the lock, and what a killed process left is written over.
    const temporary = join(folder, '.new');
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
    const isGone = (await absent(unlink(path).then(() => true))) ?? false;
    if (isGone) await syncFolder(dirname(path));
    return isGone;
  },

  async locked(lockPath, action) {
    await mkdir(dirname(lockPath), { recursive: true, mode: 0o700 });
    using _held = await lockFile(lockPath);
    return await action();
  },

  watch: watchFolders,
};

const stampOf = ({ mtimeNs, size, ino }: BigIntStats): string => `${mtimeNs} ${size} ${ino}`;

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
