// ipam's journal on a real disk: append and fdatasync on libuv's pool, so that the event loop never waits for a disk.
import { constants, type FileHandle, mkdir, open, readFile, rename } from 'node:fs/promises';
import type { Disk, DiskFile } from '#ipam';

const { O_WRONLY, O_CREAT, O_APPEND, O_TRUNC } = constants;

export const journalDisk: Disk = {
  async read(path) {
    try {
      return await readFile(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  },

  async open(path, mode) {
    const flags = O_WRONLY | O_CREAT | O_APPEND | (mode === 'truncate' ? O_TRUNC : 0);
    return new JournalFile(await open(path, flags, 0o600));
  },

  rename: (from, to) => rename(from, to),

  async makeFolder(path) {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },

  async syncFolder(path) {
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
};

class JournalFile implements DiskFile {
  readonly #file: FileHandle;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      written += (await this.#file.write(bytes, written)).bytesWritten;
    }
  }

  sync(): Promise<void> {
    return this.#file.datasync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
