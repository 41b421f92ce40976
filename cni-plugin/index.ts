// The door of cni-plugin/: the server behind the CNI executable, its conflist, and the real bindings of what it
// reaches outside the process by.
export { type ConflistOptions, writeConflist } from './conflist.ts';
export type { AnswerCall, CniDisk, CniListener, CniLog } from './outside.ts';
export type { AddressAudit, AddressFinding, ReleaseOutcome } from './server/verbs/audit.ts';
export {
  type CniServer,
  type CniServerIo,
  type CniServerOptions,
  serveCni,
} from './server/serve.ts';
export { realDisk, unixSocketListener } from './bindings/index.ts';
