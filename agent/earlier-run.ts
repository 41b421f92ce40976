// Whether an agent without kernel routes has run here before. Its kernel keeps nothing that would tell, and what it
// reflects goes on all the same: neighbours that keep its routes must hear that it has restarted (RFC 4724 section 4.1).
import { join } from 'node:path';
import type { Disk } from '#world';
import type { Log } from './log.ts';

const FILE = 'ran-without-kernel-routes';

/** @param stateDir of one that cannot be written it is never known: every start is a first one then */
export async function noteRun(disk: Disk, stateDir: string, log: Log): Promise<boolean> {
  const path = join(stateDir, FILE);
  try {
    if ((await disk.read(path)) !== undefined) return true;
    await disk.replace(path, new Uint8Array(0));
  } catch (error) {
    log.warn(
      { path, error: String(error) },
      'cannot note that this agent has run: its restart will not be graceful',
    );
  }
  return false;
}
