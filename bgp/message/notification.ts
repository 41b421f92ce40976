/** A protocol error as it goes over the wire. */
export interface NotificationError {
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;
}
