// The door of cni-plugin/: the server behind the CNI executable, its conflist, and the real bindings of what it
// reaches outside the process by.
export { type ConflistOptions, conflistText, removeConflist, writeConflist } from './conflist.ts';
export type { CniConnection, CniListener, CniLog, DelQueue, Folder } from './io.ts';
export { type CniServer, type CniServerIo, type CniServerOptions, serveCni } from './server/serve.ts';
export { openDelQueue, openFolder, unixSocketListener } from './transport/index.ts';
