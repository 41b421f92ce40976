// What malformed UPDATEs a neighbour sent, for the operator: how many by what became of them (RFC 7606 section 2),
// and the newest ones with their bytes. Written only on errors: good messages never come here.
// Bound: KEPT messages of at most KEPT_BYTES octets a neighbour.
import type { Clock } from '#world';
import {
  ACTION_DISCARD_ATTRIBUTE,
  ACTION_OK,
  ACTION_RESET,
  type AttributeVerdict,
  copyOf,
  describeUpdateError,
  type UpdateScan,
} from '../../message/index.ts';

const KEPT = 5;
/** An ordinary message is kept whole (RFC 4271 section 4.1); of an extended one (RFC 8654) the beginning. */
const KEPT_BYTES = 4096;

export type MalformedAction = 'attributeDiscard' | 'treatAsWithdraw' | 'sessionReset';

/** Messages, over all sessions since the neighbour was configured. */
export type MalformedCounts = Readonly<Record<MalformedAction, number>>;

/** Plain data, safe to keep. */
export interface MalformedUpdate {
  /** Clock.wall() */
  readonly atMs: number;
  readonly action: MalformedAction;
  /** 'as_path: malformed AS_PATH' */
  readonly reason: string;
  /** Length of the whole message, header included. */
  readonly messageBytes: number;
  /** The message from its header on, at most 4,096 octets. */
  readonly hex: string;
}

interface Kept {
  readonly atMs: number;
  readonly action: MalformedAction;
  readonly reason: string;
  readonly messageBytes: number;
  readonly bytes: Uint8Array;
}

export class MalformedUpdates {
  readonly #clock: Clock;
  readonly #counts = { attributeDiscard: 0, treatAsWithdraw: 0, sessionReset: 0 };
  /** Newest last. */
  readonly #kept: Kept[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get counts(): MalformedCounts {
    return { ...this.#counts };
  }

  get last(): MalformedUpdate[] {
    return this.#kept.map(({ bytes, ...rest }) => ({ ...rest, hex: Buffer.from(bytes).toString('hex') }));
  }

  /** Counts and keeps the UPDATE at buf[start, end). @param action ACTION_*, not ACTION_OK */
  note(action: number, reason: string, buf: Uint8Array, start: number, end: number): MalformedAction {
    const name = actionName(action);
    this.#counts[name]++;
    if (this.#kept.length === KEPT) this.#kept.shift();
    this.#kept.push({
      atMs: this.#clock.wall(),
      action: name,
      reason,
      messageBytes: end - start,
      bytes: copyOf(buf, start, Math.min(end, start + KEPT_BYTES)),
    });
    return name;
  }
}

function actionName(action: number): MalformedAction {
  if (action === ACTION_RESET) return 'sessionReset';
  return action === ACTION_DISCARD_ATTRIBUTE ? 'attributeDiscard' : 'treatAsWithdraw';
}

/**
 * What was wrong, in words.
 * @param verdict of the scan's blob; undefined when the message was given up before its attributes were judged
 */
export function malformedReason(scan: UpdateScan, verdict: AttributeVerdict | undefined): string {
  // The codec agrees with the importer on all but a next hop that is no host's address: only the importer looks there.
  const isCodecContent = scan.errorCode === 0 && (verdict?.action ?? ACTION_OK) < scan.action;
  if (isCodecContent) return 'mp_reach: the next hop is no usable address';
  return describeUpdateError(scan, verdict)?.reason ?? 'malformed';
}
