// What the server reaches outside the process by. The real bindings stand in bindings/, twins in testing/.
import type { Clock, Disk } from '#ipam';

/** Files: ipam's, and what the DEL queue and the conflist need. */
export interface CniDisk extends Disk {
  /** Names of the files in a folder; none when there is no such folder. */
  list(folder: string): Promise<string[]>;
  /** Synchronous: asked once an ADD. */
  exists(path: string): boolean;
  /** A file that is gone already is fine. */
  remove(path: string): Promise<void>;
}

/** Turns a whole request into a whole answer (server/request/call-frame.ts). Never rejects. */
export type AnswerCall = (request: Uint8Array) => Promise<Uint8Array>;

/** Serves a unix socket, one request a connection. */
export interface CniListener {
  /** Only its owner may connect. Rejects when another process serves the path. */
  listen(path: string, answer: AnswerCall, clock: Clock): Promise<AsyncDisposable>;
}

export function servedByAnother(path: string): Error {
  return new Error(
    `CNI socket ${path}: another agent serves it; give each agent of this machine its own --cni-socket`,
  );
}

/** subject: 'pod default/web-0', a container's id, a link or 'cni'. */
export interface CniLog {
  debug(subject: string, message: string): void;
  info(subject: string, message: string): void;
  warn(subject: string, message: string): void;
  error(subject: string, message: string): void;
}
