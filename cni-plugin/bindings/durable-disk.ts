// Files of the real machine. They are opened O_DSYNC, so that one write is one trip to the thread pool and on disk when
// it returns.
import { closeSync, constants, existsSync, fsyncSync, openSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import type { DiskFile } from '#ipam';
import type { CniDisk } from '../outside.ts';

const { O_APPEND, O_CREAT, O_DSYNC, O_TRUNC, O_WRONLY } = constants;

export const realDisk: CniDisk = {
  async read(path) {
    return unlessMissing(readFile(path), undefined);
  },
  async open(path, mode) {
    const how = mode === 'append' ? O_APPEND : O_TRUNC | O_APPEND;
    return diskFile(await open(path, O_WRONLY | O_CREAT | O_DSYNC | how, 0o600));
  },
  rename,
  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o755 });
  },
  async syncFolder(path) {
    const fd = openSync(path, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  },
  async list(folder) {
    return unlessMissing(readdir(folder), []);
  },
  exists: existsSync,
  async remove(path) {
    await rm(path, { force: true });
  },
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

async function unlessMissing<T, U>(work: Promise<T>, instead: U): Promise<T | U> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return instead;
    throw error;
  }
}
