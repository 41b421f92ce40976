// The foreign daemons that our speaker is proven against.
import type { DaemonKind } from './daemon.ts';
import { bird } from './bird.ts';
import { exabgp } from './exabgp.ts';
import { frr } from './frr.ts';
import { gobgp } from './gobgp.ts';
import { openbgpd } from './openbgpd.ts';

export const DAEMONS: readonly DaemonKind[] = [bird, frr, gobgp, openbgpd, exabgp];
