// Whether the agent answers, is as new as this command and has its sessions; whether its CNI socket takes calls; what
// its process may do and how many descriptors it has.
import { type Finding, good, MOST_NAMED, notTested, warning, wrong } from './finding.ts';
import { listed } from '../listed.ts';
import { agentPid, type Patient, readText } from './patient.ts';

export async function lookAtAgent(patient: Patient): Promise<Finding[]> {
  const { agent, version, places } = patient;
  if (typeof agent === 'string' && !patient.isRoot) {
    const peer = patient.peer(places.socketPath);
    if (typeof peer !== 'number' && peer.code === 'EACCES')
      return [notTested(`${places.socketPath} needs root`)];
  }
  if (typeof agent === 'string') return [wrong(`no agent answers (start it with: podroute agent): ${agent}`)];
  const { version: own, status } = agent;
  const findings: Finding[] =
    own.version === version
      ? [good(`podroute ${own.version} answers on ${places.socketPath}, pid ${own.pid}`)]
      : [warning(`the agent is podroute ${own.version}, this command ${version}: start the agent again`)];
  return [...findings, ...judgeSessions(status)];
}

export function judgeSessions({
  sessions,
  problems,
}: {
  readonly sessions: readonly { readonly id: string; readonly state: string }[];
  readonly problems: readonly unknown[];
}): Finding[] {
  const down = sessions.filter(({ state }) => state !== 'Established').map(({ id }) => id);
  const findings: Finding[] = [];
  if (down.length > 0) {
    const which = `${down.length} of ${sessions.length} sessions are not established: ${listed(down, MOST_NAMED)}`;
    findings.push(wrong(`${which}`, `podroute status ${down[0]}`));
  } else if (sessions.length > 0) findings.push(good(`all ${sessions.length} sessions are established`));
  if (problems.length > 0)
    findings.push(wrong(`${problems.length} problem(s) are reported`, 'podroute status'));
  return findings;
}

export async function lookAtCniSocket(patient: Patient): Promise<Finding[]> {
  const { cniSocketPath } = patient.places;
  const peer = patient.peer(cniSocketPath);
  return [judgeCniSocket(cniSocketPath, typeof peer === 'number' ? undefined : peer.code, patient.isRoot)];
}

export function judgeCniSocket(path: string, refusal: string | undefined, isRoot: boolean): Finding {
  if (refusal === undefined) return good(`${path} takes calls`);
  if (!isRoot && (refusal === 'EACCES' || refusal === 'EPERM')) return notTested(`${path} needs root`);
  if (refusal === 'ENOENT') return wrong(`${path} is not there: pods get no network until the agent runs`);
  if (refusal === 'ECONNREFUSED')
    return wrong(`nobody listens on ${path}: the agent has ended, pods get no network until it runs`);
  return wrong(`${path} does not answer: ${refusal}`);
}

/** linux/capability.h, and what for. */
const NEEDED: readonly (readonly [bit: number, name: string, why: string])[] = [
  [12, 'NET_ADMIN', 'routes, links, TCP MD5'],
  [13, 'NET_RAW', 'sockets bound to a link'],
  [10, 'NET_BIND_SERVICE', 'port 179'],
  [21, 'SYS_ADMIN', "pods' network namespaces"],
];

export async function lookAtPrivileges(patient: Patient): Promise<Finding[]> {
  const pid = agentPid(patient) ?? 'self';
  const whose = pid === 'self' ? 'this command' : 'the agent';
  const text = await readText(patient, `/proc/${pid}/status`);
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(text ?? '')?.[1];
  if (mask === undefined) return [notTested(`what ${whose} may do is not known`)];
  if (pid === 'self' && !patient.isRoot)
    return [notTested('no agent answers, and this command does not run as root')];
  return [judgePrivileges(BigInt(`0x${mask}`), whose)];
}

export function judgePrivileges(effective: bigint, whose: string): Finding {
  const missing = NEEDED.filter(([bit]) => ((effective >> BigInt(bit)) & 1n) === 0n);
  if (missing.length === 0) return good(`${whose} has ${NEEDED.map(([, name]) => `CAP_${name}`).join(', ')}`);
  const what = missing.map(([, name, why]) => `CAP_${name} (${why})`).join(', ');
  return wrong(`${whose} lacks ${what}: run it as root, or privileged in its container`);
}

const ENOUGH_DESCRIPTORS = 4096;
const FULL = 0.8;

export async function lookAtDescriptors(patient: Patient): Promise<Finding[]> {
  const pid = agentPid(patient);
  if (pid === undefined) return [notTested('no agent answers')];
  const limits = await readText(patient, `/proc/${pid}/limits`);
  const open = (await patient.list(`/proc/${pid}/fd`))?.length ?? 0;
  const limit = Number(/^Max open files\s+(\d+)/m.exec(limits ?? '')?.[1] ?? Number.NaN);
  return [judgeDescriptors(pid, open, limit)];
}

/** @param limit NaN: there is none, or it is not known */
export function judgeDescriptors(pid: number, open: number, limit: number): Finding {
  const mend = `prlimit --pid ${pid} --nofile=65536:65536`;
  const what = `the agent has ${open} files and sockets open, and may have ${limit}`;
  if (open > limit * FULL) return wrong(`${what}: new sessions and pods will be refused`, mend);
  if (limit < ENOUGH_DESCRIPTORS) return warning(`${what}: few, for many neighbours`, mend);
  return good(Number.isNaN(limit) ? `the agent has ${open} files and sockets open` : what);
}
