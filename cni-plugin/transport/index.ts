// The real bindings: files and the unix socket.
export { realDisk } from './disk.ts';
export { unixSocketListener } from './unix-socket.ts';
