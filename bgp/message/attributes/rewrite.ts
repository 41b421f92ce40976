import type { ExportPlan } from './export-plan.ts';
/** @returns the offset behind the block in out[at...], or -1 when it does not fit before `limit` */
export function rewriteAttributes(
  _src: Uint8Array,
  _start: number,
  _end: number,
  _plan: ExportPlan,
  _out: Uint8Array,
  _at: number,
  _limit: number,
): number {
  throw new Error('not yet');
}
