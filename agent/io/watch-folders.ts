// Watches a folder and all folders below it: one inotify watch a folder. Node's own recursive watch keeps one a file
// and loses a file that another is renamed over.
import { type FSWatcher, readdirSync, watch } from 'node:fs';
import { join } from 'node:path';

/** Calls back after anything below `root` changed, without saying what. Bound: one watch a folder. */
export function watchFolders(root: string, changed: () => void): Disposable {
  const watchers = new Map<string, FSWatcher>();
  const follow = () => {
    const present = new Set([root, ...foldersBelow(root)]);
    for (const [folder, watcher] of watchers) {
      if (present.has(folder)) continue;
      watcher.close();
      watchers.delete(folder);
    }
    for (const folder of present) {
      if (watchers.has(folder)) continue;
      try {
        const watcher = watch(folder, { persistent: false }, onEvent);
        watcher.on('error', () => watchers.delete(folder));
        watchers.set(folder, watcher);
      } catch {
        // Gone again, or no watches left: the store looks again from time to time by itself.
      }
    }
  };
  const onEvent = (event: string) => {
    if (event === 'rename') follow();
    changed();
  };
  follow();
  return {
    [Symbol.dispose]() {
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}

function foldersBelow(root: string): string[] {
  try {
    return readdirSync(root, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    return [];
  }
}
