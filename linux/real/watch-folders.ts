// Watches a folder and all folders below it: one inotify watch a folder. Node's own recursive watch keeps one a file
// and loses a file that another is renamed over.
import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs';
import { basename, join, relative } from 'node:path';

/**
 * Calls back after a file below `root` changed, with its path relative to `root`; with undefined when many may have,
 * because a folder came or went. Bound: one watch a folder.
 */
export function watchFolders(root: string, changed: (path: string | undefined) => void): Disposable {
  const watchers = new Map<string, FSWatcher>();

  const follow = (folder: string) => {
    if (watchers.has(folder)) return;
    try {
      const watcher = watch(folder, { persistent: false }, (event, name) => onEvent(folder, event, name));
      watcher.on('error', () => forget(folder));
      watchers.set(folder, watcher);
      // After the watch: what comes while this runs is told.
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory()) follow(join(folder, entry.name));
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
    if (name === null || (name === basename(folder) && !isThere(join(folder, name)))) {
      // The root may be there again already, as another folder.
      if (folder === root || !isThere(folder)) forget(folder);
      if (folder === root) follow(root);
      changed(undefined);
      return;
    }
    const path = join(folder, name);
    if (event !== 'rename') changed(relative(root, path));
    else if (isFolder(path)) {
      forget(path); // another folder of the same name may have been here
      follow(path);
      changed(undefined);
    } else if (watchers.has(path)) {
      forget(path);
      changed(undefined);
    } else changed(relative(root, path));
  };

  follow(root);
  return {
    [Symbol.dispose]() {
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;
const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
