// The real bindings: files and the unix socket.
export { realDisk } from './durable-disk.ts';
export { unixSocketListener } from './unix-socket.ts';
