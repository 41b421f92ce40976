// One TCP connection in a session's hands: framer in, queue out, the OPENs that went over it, and whether it
// is alive (unread bytes, progress of what we send).
import type { Connection, ConnectionHandler } from '../../io.ts';
import { Framer, type FrameSink, type OpenMessage } from '../../message/index.ts';
import type { DirectionCounters } from './counters.ts';
import { SessionOutput } from './output.ts';

/** HDR-6: a NOTIFICATION that is not flushed by then is lost. */
const FLUSH_MS = 10_000;
/** FSM-9: more time for bytes that wait unread in the kernel; and for one turn of the event loop when that is not known. */
const UNREAD_GRACE_MS = 10_000;
const UNKNOWN_GRACE_MS = 100;

export class Wire {
  readonly connection: Connection;
  readonly framer: Framer;
  readonly output: SessionOutput;
  /** As sent, or as it will be sent when DelayOpen waits. */
  ourOpen: OpenMessage | undefined;
  hasSentOpen = false;
  linkWatch: { cancel(): void } | undefined;
  #hasSentLast = false;
  #hadUnknownGrace = false;
  #bytesAcceptedBefore = 0;

  constructor(connection: Connection, sink: FrameSink, counters: DirectionCounters, drained: () => void) {
    this.connection = connection;
    this.framer = new Framer(sink);
    this.output = new SessionOutput(connection, counters, drained);
  }

  open(handler: ConnectionHandler): void {
    this.connection.setHandler(handler);
  }

  /** The NOTIFICATION: nothing is sent after it. */
  sendLast(message: Uint8Array): void {
    this.#hasSentLast = true;
    this.output.writeLast(message);
  }

  /** After this nothing of the connection reaches the session. A NOTIFICATION is flushed, anything else is not. */
  close(): void {
    this.release();
    if (this.#hasSentLast) this.connection.end(FLUSH_MS);
    else this.connection.destroy();
  }

  /** For a connection that is closed already. */
  release(): void {
    this.linkWatch?.cancel();
    this.linkWatch = undefined;
    this.framer.stop();
  }

  heard(): void {
    this.#hadUnknownGrace = false;
  }

  /** FSM-9: after a stall of this process timers run before sockets, and the neighbour's bytes may lie there. */
  holdExtensionMs(): number {
    const hasUnread = this.connection.hasUnreadBytes();
    if (hasUnread === true) return UNREAD_GRACE_MS;
    if (hasUnread === false || this.#hadUnknownGrace) return 0;
    this.#hadUnknownGrace = true;
    return UNKNOWN_GRACE_MS;
  }

  /** RFC 9687: bytes wait, and the kernel has taken none since this was last asked. */
  isStuck(): boolean {
    const accepted = this.connection.totalBytesAccepted;
    const isStuck = this.output.queuedBytes > 0 && accepted === this.#bytesAcceptedBefore;
    this.#bytesAcceptedBefore = accepted;
    return isStuck;
  }
}
