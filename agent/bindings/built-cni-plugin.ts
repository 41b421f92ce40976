// Where the CNI executable is that came with this program: what a node has in its folder of CNI executables is compared with
// it, and installed from it.
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Undefined: it was not built. From source this file is in agent/bindings/, in a bundle in dist/: build/ is beside one of the folders above. */
export async function builtCniPlugin(): Promise<string | undefined> {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const path = join(folder, 'build', 'podroute-cni');
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
    if (folder === dirname(folder)) return undefined;
  }
}
