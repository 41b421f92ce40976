// An end that waits for nothing: exit(3) joins the threads of the pool, and one of them may stand before a disk that hangs.
import { addon } from '../native/addon.ts';

/** What stdout has taken is written; whatever else is under way is lost. */
export function leaveAtOnce(code: number): never {
  return addon().leave(code);
}
