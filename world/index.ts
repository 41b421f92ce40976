// The door of world/: time, chance and files, as a process finds them outside itself. Interfaces, and the real ones of
// those that need nothing of the kernel.
export { Allowance } from './allowance.ts';
export type { Clock, Scheduler, Timer } from './clock.ts';
export { type Disk, type DiskFile, type FileEntry, type ReadOptions, textOf, tooLarge } from './disk.ts';
export { growingPauseMs } from './growing-pause.ts';
export { type Random, SeededRandom } from './random.ts';
export { systemClock, systemRandom, systemScheduler } from './system-clock.ts';
export { Turns } from './turns.ts';
export { waitUntil } from './wait-until.ts';
