// IPPools of Calico that want a tunnel, of which podroute has none. CrossSubnet is taken: inside a subnet it is the same
// without one. Always is not, until the operator says that the network knows the routes to pods.
import type { IPPool } from '../kinds/ip-pool.ts';
import { bgpConfigurationOf, objectName, type Resources } from '../kinds/resources.ts';
import type { Problem } from '../schema/problem.ts';

const modes = ['ipipMode', 'vxlanMode'] as const;

/** A warning of each pool that is used without its tunnel; a pool whose Problem is none may not be used. */
export function tunnelProblems(
  resources: Pick<Resources, 'ipPools' | 'bgpConfigurations'>,
): ReadonlyMap<IPPool, Problem> {
  const isUnencapsulated = bgpConfigurationOf(resources).spec.encapsulatedPools === 'Unencapsulated';
  const problems = new Map<IPPool, Problem>();
  for (const pool of resources.ipPools.values()) {
    const problem = tunnelProblem(pool, isUnencapsulated);
    if (problem !== undefined) problems.set(pool, problem);
  }
  return problems;
}

function tunnelProblem(pool: IPPool, isUnencapsulated: boolean): Problem | undefined {
  const { spec } = pool;
  const field = modes.find((name) => spec[name] === 'Always') ?? modes.find((name) => spec[name] !== 'Never');
  if (field === undefined) return undefined;
  const place = { object: objectName(pool), field: `spec.${field}`, value: spec[field] };
  if (spec[field] === 'Always' && !isUnencapsulated) {
    return {
      ...place,
      message: 'is not to be had: podroute has no tunnels, and this pool is not used',
      allowed:
        "Never where the network knows the routes to pods (by BGP with its routers, or all nodes in one subnet); or, for every such pool, 'encapsulatedPools: Unencapsulated' in BGPConfiguration default",
    };
  }
  const where = spec[field] === 'Always' ? '' : ' between subnets';
  const message = `is taken without a tunnel: the network${where} must know the routes to pods (BGP with its routers)`;
  return { ...place, message, severity: 'warning' };
}
