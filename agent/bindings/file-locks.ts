// The agent's locks as files that it holds by flock(2): in a folder that only root may enter, so that no other user can
// hold or keep one. One of the network namespace carries its number in the name, as do the kernel routes that two agents
// would fight over; one of a folder stands in it, as does the journal; one of a node's name stands in the store.
import { createHash } from 'node:crypto';
import { lstat, mkdir, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { claimFile } from '#linux';
import { LockedError, type Locks } from '../outside.ts';

const LOCK_FOLDER = '/run/podroute/locks';
const OTHERS_MAY_WRITE = 0o022;

/**
 * @param storeFolder of a directory store, for the lock of the node's name in it; undefined: in a cluster a DaemonSet sees
 * to it that a node has one agent
 */
export function fileLocks(storeFolder: string | undefined): Locks {
  return {
    async lockHere(subject, holder) {
      await makePrivateFolder(LOCK_FOLDER);
      // 'net:[4026531840]'
      const netns = (await readlink('/proc/self/ns/net')).replaceAll(/\D/g, '');
      // A node's name may be as long as a file's; what is locked is in the file, for people.
      const digest = createHash('sha256').update(subject).digest('hex').slice(0, 32);
      return take(subject, `${LOCK_FOLDER}/${netns}-${digest}`, holder);
    },

    lockFolder: (folder, holder) => take(folder, `${folder}/lock`, holder),

    async lockName(node, holder) {
      if (storeFolder === undefined) return new AsyncDisposableStack();
      const folder = join(storeFolder, '.podroute', 'agents');
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const subject = `node ${node} of the store ${storeFolder}`;
      return take(subject, join(folder, node), `${holder}, on host ${hostname()}`);
    },
  };
}

async function take(subject: string, path: string, holder: string): Promise<AsyncDisposable> {
  const taken = await claimFile(path, holder);
  if (!('heldBy' in taken)) return taken;
  throw new LockedError(subject, taken.heldBy === '' ? 'it does not say who it is' : taken.heldBy);
}

/** Rejects when another user could put files there. */
async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true, mode: 0o755 });
  await mkdir(folder, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(folder);
  if (found.isDirectory() && found.uid === process.geteuid?.() && (found.mode & OTHERS_MAY_WRITE) === 0)
    return;
  throw new Error(
    `lock folder ${folder}: it has to be a folder of the agent's user that nobody else can write: ` +
      `remove it, the agent makes it anew`,
  );
}
