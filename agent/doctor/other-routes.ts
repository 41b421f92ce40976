// Routes that another daemon left or keeps inside the pods' prefixes: theirs have smaller metrics and win.
import { MAIN_TABLE, type Route } from '#linux';
import { familyOf } from '#ip';
import { type Finding, good, MOST_NAMED, notTested, wrong } from './finding.ts';
import { listed } from '../listed.ts';
import { doOverlap, type Patient, planOf, podPrefixes } from './patient.ts';

/** rtm_protocol by name of `ip`, and who uses it. */
const OTHERS: readonly (readonly [protocol: number, name: string, who: string])[] = [
  [12, '12', 'BIRD (Calico)'],
  [17, '17', 'kube-router'],
  [80, '80', "Calico's Felix"],
  [186, '186', 'FRR'],
  [11, '11', 'Zebra or an older FRR'],
  [196, '196', 'Cilium'],
];

export async function lookAtOtherRoutes(patient: Patient): Promise<Finding[]> {
  const pods = await podPrefixes(patient);
  if (pods.length === 0)
    return [notTested("which prefixes are pods' is not known: no agent answers, and no block is held")];
  const table = planOf(patient)?.kernel.table ?? MAIN_TABLE;
  const found = await Promise.all(OTHERS.map(([protocol]) => patient.kernel.routes({ protocol, table })));
  return judgeOtherRoutes(found.flat(), pods);
}

export function judgeOtherRoutes(routes: readonly Route[], pods: readonly string[]): Finding[] {
  const findings = OTHERS.flatMap(([protocol, name, who]) => {
    const inside = routes.filter(
      (route) =>
        route.protocol === protocol &&
        pods.some(
          (prefix) => route.destination !== defaultOf(prefix) && doOverlap(prefix, route.destination),
        ),
    );
    if (inside.length === 0) return [];
    const mend = inside.slice(0, 16).map((route) => {
      const version = familyOf(route.destination) === 'ipv6' ? '-6' : '-4';
      const type = route.type === 'unicast' ? '' : `${route.type} `;
      const metric = route.metric === 0 ? '' : ` metric ${route.metric}`;
      const where = route.table === MAIN_TABLE ? '' : ` table ${route.table}`;
      return `ip ${version} route del ${type}${route.destination} proto ${name}${metric}${where}`;
    });
    const which = listed(
      inside.map(({ destination }) => destination),
      MOST_NAMED,
    );
    return [
      wrong(
        `${inside.length} route(s) of ${who} lie among the pods' prefixes and win over podroute's: ${which}; end that daemon, then delete them`,
        ...mend,
      ),
    ];
  });
  return findings.length > 0 ? findings : [good("no other daemon's routes among the pods' prefixes")];
}

const defaultOf = (prefix: string): string => (familyOf(prefix) === 'ipv6' ? '::/0' : '0.0.0.0/0');
