// The door of linux/: the kernel of a network namespace, namespaces themselves, pod links, and the socket options
// that BGP wants. Importing it loads nothing native: the addon comes in at the first use.
export { errnoName } from './errno.ts';
export { lockFile } from './file-lock.ts';
export { KernelError } from './kernel-error.ts';
export * from './kernel.ts';
export { MemoryKernel } from './memory-kernel.ts';
export { createNetns, deleteNetns, listNetns, netnsPath, withNetns } from './netns.ts';
export type { PodWirer, PodWiring, WiredPod } from './pod-wiring.ts';
export { openPodWirer } from './pod-wirer.ts';
export { type KernelOptions, openKernel } from './real-kernel.ts';
export { readSysctl, writeSysctl } from './sysctl.ts';
export { type TcpSocketRequest, tcpSockets } from './tcp-sockets.ts';
export { trimMemory } from './trim-memory.ts';
