// The door to the twins of world/, for tests and other rooms' testing/ only.
export { FakeClock } from './fake-clock.ts';
export { MemoryDisk } from './memory-disk.ts';
