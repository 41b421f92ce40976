// All checks side by side, each with a time of its own: one that hangs is reported, and keeps none of the others.
import type { Clock } from '#world';
import { lookAtAgent, lookAtCniSocket, lookAtDescriptors, lookAtPrivileges } from './answering.ts';
import { lookAtBgpPort } from './bgp-port.ts';
import { lookAtClock, lookAtDisk, lookAtKernel } from './clock-and-disk.ts';
import { lookAtCniPlugin, lookAtConflists } from './cni-install.ts';
import { type CheckResult, type Examination, type Finding, good, notTested, wrong } from './finding.ts';
import { lookAtConntrack, lookAtNeighbours } from './full-tables.ts';
import { lookAtOtherRoutes } from './other-routes.ts';
import { lookAtPacketFilter } from './packet-filter.ts';
import { lookAtPathMtu, lookAtPodMtu } from './path-mtu.ts';
import type { Patient } from './patient.ts';
import {
  lookAtAdvertisements,
  lookAtForwarding,
  lookAtMultipathHash,
  lookAtReversePath,
} from './switches.ts';

export interface Check {
  readonly name: string;
  readonly limitMs: number;
  /** Of no use to an agent without kernel routes (--fib none). */
  readonly isOfForwarding?: true;
  readonly look: (patient: Patient) => Promise<readonly Finding[]>;
}

const LIMIT_MS = 3_000;
/** A search for the MTU has six rounds. */
const SEARCH_MS = 6_000;

const check = (name: string, look: Check['look']): Check => ({ name, look, limitMs: LIMIT_MS });
const forwarding = (name: string, look: Check['look']): Check => ({
  ...check(name, look),
  isOfForwarding: true,
});

/** In the order in which an operator would look. */
export const CHECKS: readonly Check[] = [
  check('agent', lookAtAgent),
  forwarding('CNI socket', lookAtCniSocket),
  check('privileges', lookAtPrivileges),
  check('descriptors', lookAtDescriptors),
  forwarding('CNI executable', lookAtCniPlugin),
  forwarding('conflist', lookAtConflists),
  check('BGP port', lookAtBgpPort),
  forwarding('forwarding', lookAtForwarding),
  forwarding('reverse path', lookAtReversePath),
  forwarding('router advertisements', lookAtAdvertisements),
  forwarding('equal paths', lookAtMultipathHash),
  forwarding('other routes', lookAtOtherRoutes),
  forwarding('packet filter', lookAtPacketFilter),
  { ...check('path MTU', lookAtPathMtu), limitMs: SEARCH_MS },
  forwarding('pod MTU', lookAtPodMtu),
  check('conntrack', lookAtConntrack),
  check('neighbour tables', lookAtNeighbours),
  check('clock', lookAtClock),
  check('disk', lookAtDisk),
  check('kernel', lookAtKernel),
];

export async function examine(
  patient: Patient,
  clock: Clock,
  checks: readonly Check[] = CHECKS,
): Promise<Examination> {
  const results = await Promise.all(checks.map((one) => resultsOf(one, patient, clock)));
  return {
    ...(typeof patient.agent === 'string' ? {} : { node: patient.agent.version.node }),
    version: patient.version,
    results: results.flat(),
  };
}

async function resultsOf(one: Check, patient: Patient, clock: Clock): Promise<CheckResult[]> {
  if (one.isOfForwarding && typeof patient.agent !== 'string' && patient.agent.status.fib === undefined)
    return [{ check: one.name, ...good('not needed: this agent keeps no kernel routes (--fib none)') }];
  const hangs = Promise.withResolvers<readonly Finding[]>();
  const timer = clock.setTimer(one.limitMs, () =>
    hangs.resolve([wrong(`hangs: no answer within ${one.limitMs / 1000} s`)]),
  );
  // What it was asked for may still come, or fail, when nobody waits for it any more.
  const looked = one.look(patient).catch((error: unknown) => [whyNot(error, patient.isRoot)]);
  const findings = await Promise.race([looked, hangs.promise]);
  timer.cancel();
  return findings.map((finding) => ({ check: one.name, ...finding }));
}

function whyNot(error: unknown, isRoot: boolean): Finding {
  const code = (error as { code?: unknown }).code;
  if (!isRoot && (code === 'EACCES' || code === 'EPERM')) return notTested('needs root');
  return notTested(`cannot be looked at: ${error instanceof Error ? error.message : String(error)}`);
}
