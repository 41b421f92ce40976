// The Cease NOTIFICATIONs that this layer says of its own accord (RFC 4486), with their text (RFC 9003).
import type { Connection } from '../../io.ts';
import {
  CEASE_ADMIN_SHUTDOWN,
  CEASE_REJECTED,
  CODE_CEASE,
  encodeNotification,
  encodeShutdownText,
  notification,
} from '../../message/index.ts';
import type { NotificationError } from '../types.ts';

/** A refused connection has this long to read why. */
const REFUSAL_MS = 1000;

export function cease(subcode: number, text = ''): NotificationError {
  return { code: CODE_CEASE, subcode, data: encodeShutdownText(text) };
}

export function shutdownError(message: string): NotificationError {
  return cease(CEASE_ADMIN_SHUTDOWN, message);
}

/** For status and history. */
export function shutdownText(message: string): string {
  return message === '' ? 'shut down by configuration' : `shut down by configuration: ${message}`;
}

/** Closes a connection that never becomes a session with 6/5. */
export function reject(connection: Connection): void {
  connection.write(encodeNotification(notification(CODE_CEASE, CEASE_REJECTED)));
  connection.end(REFUSAL_MS);
}
