// All checks side by side, each with a time of its own: one that hangs is reported, and keeps none of the others.
import type { Clock } from '#world';
import { lookAtAgent, lookAtCniSocket, lookAtDescriptors, lookAtPrivileges } from './answering.ts';
import { lookAtBgpPort } from './bgp-port.ts';
import { lookAtClock, lookAtDisk, lookAtKernel } from './clock-and-disk.ts';
import { lookAtCniPlugin, lookAtConflists } from './cni-install.ts';
import { type CheckResult, type Examination, type Finding, notTested, wrong } from './finding.ts';
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
  readonly look: (patient: Patient) => Promise<readonly Finding[]>;
}

const LIMIT_MS = 3_000;
/** A search for the MTU has six rounds. */
const SEARCH_MS = 6_000;

const check = (name: string, look: Check['look'], limitMs = LIMIT_MS): Check => ({ name, look, limitMs });

/** In the order in which an operator would look. */
export const CHECKS: readonly Check[] = [
  check('agent', lookAtAgent),
  check('CNI socket', lookAtCniSocket),
  check('privileges', lookAtPrivileges),
  check('descriptors', lookAtDescriptors),
  check('CNI executable', lookAtCniPlugin),
  check('conflist', lookAtConflists),
  check('BGP port', lookAtBgpPort),
  check('forwarding', lookAtForwarding),
  check('reverse path', lookAtReversePath),
  check('router advertisements', lookAtAdvertisements),
  check('equal paths', lookAtMultipathHash),
  check('other routes', lookAtOtherRoutes),
  check('packet filter', lookAtPacketFilter),
  check('path MTU', lookAtPathMtu, SEARCH_MS),
  check('pod MTU', lookAtPodMtu),
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
