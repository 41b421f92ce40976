// What a folder's disk is like. The write is tried on a file that never has a name (O_TMPFILE): nothing is left of it.
import { constants } from 'node:fs';
import { type FileHandle, open, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** O_DIRECTORY, which differs between architectures, and the bit of its own. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
const KINDS: Readonly<Record<number, string>> = {
  0x01021994: 'tmpfs',
  0x858458f6: 'ramfs',
  0x794c7630: 'overlayfs',
  0x6969: 'NFS',
};
const PAGE = 4096;

export interface DiskTrial {
  /** The folder itself, or the nearest one above that is there. */
  readonly folder: string;
  /** 'tmpfs', …; undefined: an ordinary one */
  readonly kind?: string;
  readonly freeBytes: number;
  readonly sizeBytes: number;
  /** Undefined on file systems that make them as needed. */
  readonly freeInodes?: number;
  /** How long 4 KB took to be on the disk; undefined: this file system has no files without a name. */
  readonly syncMs?: number;
  /** Errno's name, when nothing can be written there. */
  readonly refusal?: string;
}

export async function tryDisk(path: string): Promise<DiskTrial> {
  const folder = await nearestFolder(path);
  const { type, bavail, blocks, bsize, files, ffree } = await statfs(folder);
  const kind = KINDS[type];
  return {
    folder,
    ...(kind === undefined ? {} : { kind }),
    freeBytes: bavail * bsize,
    sizeBytes: blocks * bsize,
    ...(files === 0 ? {} : { freeInodes: ffree }),
    ...(await tryToWrite(folder)),
  };
}

async function nearestFolder(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = await stat(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (found !== undefined || folder === dirname(folder)) return folder;
  }
}

async function tryToWrite(folder: string): Promise<Pick<DiskTrial, 'syncMs' | 'refusal'>> {
  let file: FileHandle | undefined;
  try {
    file = await open(folder, constants.O_RDWR | O_TMPFILE, 0o600);
    const begin = performance.now();
    await file.write(new Uint8Array(PAGE).fill(1));
    await file.sync();
    return { syncMs: performance.now() - begin };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // No file without a name there: that says nothing of one with a name.
    if (code === 'EOPNOTSUPP' || code === 'ENOTSUP' || code === 'EISDIR') return {};
    return { refusal: code ?? String(error) };
  } finally {
    await file?.close();
  }
}
