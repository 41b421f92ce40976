// What to try in a lab that stays up.
import type { Lab } from './lab.ts';

export function hints(lab: Lab): string {
  const node = lab.nodes[0]?.name ?? 'n1';
  const host = lab.host(node);
  const pods = [...lab.pods.values()];
  const from = pods.find((pod) => pod.node === node);
  const to = pods.find((pod) => pod.node !== node);
  const lines = [
    `bin/podroute status --socket ${lab.socketOf(node)}          sessions of ${node}`,
    `bin/podroute routes --socket ${lab.socketOf(node)} --why    its routes, and why`,
    `ip -n ${host.netns} route show proto 179                    what it put into the kernel`,
    `$EDITOR ${lab.store}/bgp.yaml                               changes apply when you save`,
    `tail -f ${lab.logOf(node)}                                  its log`,
  ];
  if (from !== undefined && to !== undefined) {
    lines.push(`ip netns exec ${from.host.netns} ping ${to.addresses[0]}      from pod to pod`);
  }
  for (const router of lab.routers) {
    const question = router.plan.software === 'FRR' ? "-c 'show bgp ipv4 unicast'" : 'show route';
    lines.push(`${router.shell().join(' ')} ${question}            what ${router.name} knows`);
  }
  lines.push('bin/podroute lab down                                       ends it all');
  return lines.join('\n');
}
