// All speakers that the bench knows, ours first.
import { bird } from './bird-load.ts';
import { frr } from './frr-load.ts';
import { gobgp } from './gobgp-load.ts';
import { podroute } from './podroute-load.ts';
import type { Speaker } from './speaker.ts';

export const SPEAKERS: readonly Speaker[] = [podroute, bird, frr, gobgp];
