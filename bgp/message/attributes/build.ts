export interface AttributeInput {
  /** 0 IGP (default), 1 EGP, 2 INCOMPLETE */
  readonly origin?: number;
  readonly asPath?: readonly number[];
  readonly med?: number;
  readonly localPref?: number;
  /** '65000:1' or well-known names as u32 (parseCommunity) */
  readonly communities?: readonly number[];
  readonly largeCommunities?: readonly (readonly [number, number, number])[];
}
/** Canonical attributes (no NEXT_HOP) into out[at..); returns the offset behind them, -1 when they do not fit. Feed them to validateAttributes (fourByteAs, internal) for the columns. */
export function buildAttributes(_input: AttributeInput, _out: Uint8Array, _at: number): number {
  throw new Error('not yet');
}
