// Who listens where BGP should: another daemon on port 179 keeps neighbours from reaching ours.
import type { TcpListener } from '#linux';
import { type Finding, good, notTested, shellWord, wrong } from './finding.ts';
import { agentPid, type Patient, planOf } from './patient.ts';

const BGP_PORT = 179;

export async function lookAtBgpPort(patient: Patient): Promise<Finding[]> {
  const wanted = planOf(patient)?.speaker.listen ?? [{ address: '::', port: BGP_PORT }];
  const pid = agentPid(patient);
  // Nobody is let in without a session that is wanted.
  const isWanted = wanted.length > 0;
  const ports = [...new Set([...wanted.map(({ port }) => port), BGP_PORT])];
  const found = await Promise.all(ports.map((port) => patient.listeners(port)));
  return judgeListeners(found.flat(), isWanted ? wanted : [], pid, patient.isRoot);
}

/**
 * @param pid of the agent; undefined: none answers
 */
export function judgeListeners(
  listeners: readonly TcpListener[],
  wanted: readonly { readonly address: string; readonly port: number }[],
  pid: number | undefined,
  isRoot: boolean,
): Finding[] {
  const findings: Finding[] = [];
  let isOurs = false;
  const told = new Set<number>();
  for (const listener of listeners) {
    const { process, port, address } = listener;
    if (process === undefined) {
      if (pid !== undefined && !isRoot) continue;
      findings.push(
        notTested(`somebody listens on ${address} port ${port}: which program needs root to be known`),
      );
    } else if (process.pid === pid) isOurs = true;
    else if (!told.has(process.pid)) {
      told.add(process.pid);
      const isOfAgent = pid === undefined && process.name.startsWith('podroute');
      if (isOfAgent)
        findings.push(
          notTested(
            `${process.name} (pid ${process.pid}) listens on port ${port}: an agent that does not answer?`,
          ),
        );
      else findings.push(wrong(...whoElse(listener, process)));
    }
  }
  if (findings.length > 0) return findings;
  if (isOurs)
    return [good(`the agent listens on port ${[...new Set(wanted.map(({ port }) => port))].join(', ')}`)];
  if (pid !== undefined && wanted.length > 0 && isRoot)
    return [wrong(`the agent does not listen on port ${wanted[0]!.port}`, 'podroute status')];
  return [good(`no other program listens on port ${BGP_PORT}`)];
}

type Process = NonNullable<TcpListener['process']>;

function whoElse({ address, port }: TcpListener, process: Process): [string, ...string[]] {
  const who = `${process.name} (pid ${process.pid}) listens on ${address} port ${port}`;
  if (process.isInPod)
    return [
      `${who}, in a pod (Calico's or kube-router's?): two BGP daemons cannot serve one node; take its DaemonSet off this node`,
      `kubectl get daemonsets --all-namespaces -o wide`,
    ];
  const what = `${who}: neighbours of podroute get that one`;
  return process.unit === undefined
    ? [what, `kill ${process.pid}`]
    : [what, `systemctl disable --now ${shellWord(process.unit)}`];
}
