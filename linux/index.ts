// The door of linux/: the kernel of a network namespace, namespaces themselves, pod links, and the socket options
// that BGP wants. Importing it loads nothing native: the addon comes in at the first use.
export {
  type Datagram,
  type DatagramOptions,
  type Datagrams,
  type DatagramSocket,
  type Endpoint,
  LONGEST_DATAGRAM,
} from './datagrams.ts';
export { errnoName } from './errno.ts';
export { KernelError } from './kernel-error.ts';
export * from './kernel.ts';
export { MemoryDatagrams } from './memory/memory-datagrams.ts';
export { MemoryKernel } from './memory/memory-kernel.ts';
export { MemoryNamespaces } from './memory/memory-namespaces.ts';
export { MemoryPodSources } from './memory/memory-pod-sources.ts';
export { MemoryRouterDiscovery } from './memory/memory-router-discovery.ts';
export { MemoryPodWirer } from './memory/memory-pod-wirer.ts';
export { type Walk, walk, walkText } from './memory/walk.ts';
export { routerDiscovery } from './native/icmp6-socket.ts';
export { createNetns, deleteNetns, listNetns, netnsPath, withNetns } from './native/netns.ts';
export { openPodSources } from './nftables/kernel-pod-sources.ts';
export type { DroppedPackets, PodSource, PodSources, SourceChange, TableNews } from './pod-sources.ts';
export type { PodWirer, PodWiring, WiredPod } from './pod-wiring.ts';
export { openPodWirer } from './real/pod-wirer.ts';
export { openPacketSocket } from './real/packet-socket.ts';
export { claimFile, type HeldByAnother } from './real/file-lock.ts';
export { realDisk } from './real/real-disk.ts';
export { type KernelOptions, openKernel } from './real/real-kernel.ts';
export { readSysctl, writeSysctl } from './real/sysctl.ts';
export { type TcpSocketRequest, tcpSockets } from './real/tcp-sockets.ts';
export type { RouterDiscovery, RouterSocket } from './router-discovery.ts';
export type { RouterMessage } from './router-messages.ts';
export { trimMemory } from './real/trim-memory.ts';
export { raiseThreadPriority, type ThreadPriority } from './native/thread-priority.ts';
export { udp } from './native/udp-socket.ts';
export { type ClockDiscipline, clockDiscipline } from './trial/clock-discipline.ts';
export { type DiskTrial, tryDisk } from './trial/disk-trial.ts';
export { echo } from './trial/echo.ts';
export { KERNEL_FEATURES, type TriedFeatures, tryKernelFeatures } from './trial/kernel-features.ts';
export { leaveAtOnce } from './trial/leave.ts';
export { readSignatureDrops, type SignatureDrops } from './trial/signature-drops.ts';
export { type TcpListener, tcpListeners } from './trial/tcp-listeners.ts';
export { unixPeer } from './trial/unix-peer.ts';
