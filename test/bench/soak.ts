// The soak: churn with session resets, sampled every second, drawn to an SVG.
import type { Speaker } from './speakers/speaker.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly peers: number;
  readonly prefixes: number;
  readonly rate: number;
  /** Where soak.svg and the summary go; undefined = only printed. */
  readonly docs: string | undefined;
  readonly command: string;
}

export async function soak(_speaker: Speaker, _options: SoakOptions): Promise<number> {
  throw new Error('bench soak: not built yet: there is no churn load so far');
}
