// podroute install-cni: the CNI executable into the runtime's folder, by rename: a call that comes meanwhile finds the old one
// or the new one, and never half of one. The init step of the DaemonSet.
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { builtCniPlugin } from '#agent';
import { CommandError, EXIT } from '../exit.ts';

export async function installCni(folder: string): Promise<void> {
  const source = await builtCniPlugin();
  if (source === undefined) {
    throw new CommandError(
      'install-cni: build/podroute-cni is not there. Build it with:  npm run build',
      EXIT.badNews,
    );
  }
  const target = join(folder, 'podroute');
  try {
    mkdirSync(folder, { recursive: true });
    const wanted = readFileSync(source);
    const isThere = wanted.equals(present(target));
    if (!isThere) replace(folder, target, wanted);
    process.stdout.write(`${target}: ${isThere ? 'is this version already' : 'installed'}\n`);
  } catch (error) {
    throw new CommandError(`install-cni: ${target}: ${(error as Error).message}`, EXIT.badNews);
  }
}

function present(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

function replace(folder: string, target: string, bytes: Buffer): void {
  // In the same folder, or it is no rename; with a dot: no runtime takes it for a plugin.
  const unfinished = join(folder, `.podroute-${process.pid}`);
  const file = openSync(unfinished, 'w');
  try {
    writeSync(file, bytes);
    fchmodSync(file, 0o755);
    fsyncSync(file);
    renameSync(unfinished, target);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}
