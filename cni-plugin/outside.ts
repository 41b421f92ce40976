// What the server reaches outside the process by, besides time, disk and kernel. The real socket stands in bindings/,
// its twin in testing/.
import type { Clock } from '#world';

/** Turns a whole request into a whole answer (server/call.ts). Never rejects. */
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
