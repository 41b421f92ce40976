// All speakers that the bench knows, ours first.
import { bird } from './bird.ts';
import { frr } from './frr.ts';
import { gobgp } from './gobgp.ts';
import { podroute } from './podroute.ts';
import type { Speaker } from './speaker.ts';

export const SPEAKERS: readonly Speaker[] = [podroute, bird, frr, gobgp];
