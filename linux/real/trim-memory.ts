// Memory that was freed goes back to the kernel: the C allocator keeps what compilers and bursts have used.
import { addon } from '../native/addon.ts';

/** malloc_trim(3); some milliseconds. */
export function trimMemory(): void {
  addon().trimMemory();
}
