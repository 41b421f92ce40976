// The door of cni-plugin/: the server behind the CNI executable, its conflist, and the real socket that it
// serves.
export {
  CONFLIST_NAME,
  type ConflistOptions,
  filesBefore,
  filesBeforeOurs,
  networkName,
  writeConflist,
} from './conflist.ts';
export type { CniCommand } from './server/call.ts';
export type { CniCode } from './server/cni-error.ts';
export type { AnswerCall, CniListener, CniLog } from './outside.ts';
export type { AddressAudit, AddressFinding, ReleaseOutcome } from './server/verbs/audit.ts';
export {
  type CniServer,
  type CniServerIo,
  type CniServerOptions,
  serveCni,
} from './server/serve.ts';
export { unixSocketListener } from './bindings/unix-socket.ts';
