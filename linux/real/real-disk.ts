// Files of the real machine. Those that are appended to are opened O_DSYNC, so that one write is one trip to the thread
// pool and for good when it returns.
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type Disk, type DiskFile, type FileEntry, tooLarge } from '#world';
import { lockFile } from './file-lock.ts';
import { watchFolders } from './watch-folders.ts';

const { O_APPEND, O_CREAT, O_DSYNC, O_TRUNC, O_WRONLY } = constants;

export const realDisk: Disk = {
  async read(path, { mostBytes = Number.POSITIVE_INFINITY } = {}) {
    // Below what is no folder there is no file, either.
    const found = await absent(stat(path), 'ENOTDIR');
    if (found === undefined || !found.isFile()) return undefined;
    if (found.size > mostBytes) throw tooLarge(found.size, mostBytes);
    return absent(readFile(path));
  },

  async open(path, mode) {
    const how = mode === 'append' ? O_APPEND : O_TRUNC | O_APPEND;
    return diskFile(await open(path, O_WRONLY | O_CREAT | O_DSYNC | how, 0o600));
  },

  rename,

  async remove(path) {
    return (await absent(unlink(path).then(() => true))) ?? false;
  },

  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o755 });
  },

  async syncFolder(path) {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },

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

  async replace(path, bytes) {
    const folder = dirname(path);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // One name for all: what a killed process left is written over.
    const temporary = join(folder, '.new');
    const file = await open(temporary, 'w', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await realDisk.syncFolder(folder);
  },

  async locked(lockPath, action) {
    await mkdir(dirname(lockPath), { recursive: true, mode: 0o700 });
    await using _held = await lockFile(lockPath);
    return await action();
  },

  watch: watchFolders,
};

function diskFile(handle: FileHandle): DiskFile {
  return {
    async append(bytes) {
      for (let at = 0; at < bytes.length; ) {
        at += (await handle.write(bytes, at, bytes.length - at)).bytesWritten;
      }
    },
    // O_DSYNC: done when append resolved.
    sync: () => Promise.resolve(),
    close: () => handle.close(),
  };
}

const stampOf = ({ mtimeNs, size, ino }: BigIntStats): string => `${mtimeNs} ${size} ${ino}`;

/** Undefined instead of ENOENT, or of another code that means as much. */
async function absent<T>(promise: Promise<T>, alike = 'ENOENT'): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === alike) return undefined;
    throw error;
  }
}
