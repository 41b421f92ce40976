// Watches a folder and all folders below it: one inotify watch a folder. Node's own recursive watch keeps one a file
// and loses a file that another is renamed over. Folders are looked at off the main thread, one after the other: a file
// server that does not answer keeps nobody else waiting.
import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';

/**
 * Calls back after a file below `root` changed, with its path relative to `root`; with undefined when many may have,
 * because a folder came or went, and once when the watch has begun. Bound: one watch a folder.
 */
export function watchFolders(root: string, changed: (path: string | undefined) => void): Disposable {
  const watchers = new Map<string, FSWatcher>();
  let isClosed = false;
  let work = Promise.resolve();
  const soon = (job: () => Promise<void>) => {
    work = work.then(() => (isClosed ? undefined : job()));
  };
  const tell = (path: string | undefined) => {
    if (!isClosed) changed(path);
  };

  const follow = async (folder: string): Promise<void> => {
    if (isClosed || watchers.has(folder) || !(await isFolder(folder)) || isClosed) return;
    try {
      const watcher = watch(folder, { persistent: false }, (event, name) => onEvent(folder, event, name));
      watcher.on('error', () => forget(folder));
      watchers.set(folder, watcher);
      // After the watch: what comes while this runs is told.
      for (const entry of await readdir(folder, { withFileTypes: true })) {
        if (entry.isDirectory()) await follow(join(folder, entry.name));
      }
    } catch {
      // Gone again, or no watches left: the store looks again from time to time by itself.
    }
  };

  const forget = (folder: string) => {
    for (const [path, watcher] of watchers) {
      if (path !== folder && !path.startsWith(`${folder}/`)) continue;
      watcher.close();
      watchers.delete(path);
    }
  };

  const onEvent = (folder: string, event: string, name: string | null) => {
    // Of the folder itself (moved, deleted) the kernel tells without a name, and Node puts the folder's own in.
    if (name === null || name === basename(folder)) soon(() => folderChanged(folder, name));
    else if (event === 'rename') soon(() => entryChanged(join(folder, name)));
    else tell(relative(root, join(folder, name)));
  };

  const folderChanged = async (folder: string, name: string | null): Promise<void> => {
    if (name !== null && (await isThere(join(folder, name)))) return entryChanged(join(folder, name));
    // The root may be there again already, as another folder.
    if (folder === root || !(await isThere(folder))) forget(folder);
    if (folder === root) await follow(root);
    tell(undefined);
  };

  const entryChanged = async (path: string): Promise<void> => {
    const isOne = await isFolder(path);
    const wasOne = watchers.has(path);
    if (!isOne && !wasOne) return tell(relative(root, path));
    forget(path); // another folder of the same name may have been here
    if (isOne) await follow(path);
    tell(undefined);
  };

  soon(async () => {
    await follow(root);
    tell(undefined);
  });
  return {
    [Symbol.dispose]() {
      isClosed = true;
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}

const isThere = async (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
const isFolder = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
