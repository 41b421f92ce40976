// The plan of a node from files or a cluster's objects, without its agent. What only the node knows (default routes, blocks that are not
// claimed yet) is left out, and said. Pure.
import { mayHidePools, type Problem, type Refused, type ValidatedTexts } from '#api';
import type { NodePlan } from '#agent-api';
import { familyOf } from '#ip';
import type { LocalBlock, Plan, PlannedBfd, PlanResources } from './types.ts';
import { makePlan } from './plan.ts';

export interface OfflinePlan {
  /** Undefined when there is none; the problems say why. */
  readonly plan: NodePlan | undefined;
  readonly problems: readonly Problem[];
  /** What the agent on the node would know and this does not. */
  readonly notes: readonly string[];
}

/** @param where for people: 'in these files' */
export function offlinePlan(
  { resources, refused, problems, locate }: ValidatedTexts,
  nodeName: string,
  where: string,
): OfflinePlan {
  const localBlocks = blocksOf(nodeName, resources, refused);
  const made = makePlan({ resources, refused, nodeName, localBlocks });
  const placeOf = ({ object, field }: Problem) => `${object}: ${field}`;
  // Of what both find the plan says more: what follows from it.
  const found = new Set(made.problems.map(placeOf));
  const isWaiting = localBlocks.length === 0 && resources.ipPools.size > 0;
  return {
    plan: made.plan && shownPlan(made.plan),
    problems: [...problems.filter((p) => !found.has(placeOf(p))), ...made.problems.map(locate)],
    notes: isWaiting
      ? [`${nodeName} has no IPAMBlock ${where}: what it will claim and announce is not known here`]
      : [],
  };
}

/** Blocks that it has claimed; its podCIDRs for a family without a pool. */
export function blocksOf(nodeName: string, resources: PlanResources, refused: Refused): LocalBlock[] {
  const { ipamBlocks, ipPools, nodes } = resources;
  const claimed = [...ipamBlocks.values()].filter(({ spec }) => spec.node === nodeName);
  const pooled = new Set([...ipPools.values()].map(({ spec }) => familyOf(spec.cidr)));
  const podCidrs = mayHidePools(refused, resources) ? [] : (nodes.get(nodeName)?.spec.podCIDRs ?? []);
  return [
    ...claimed.map(({ spec: { cidr, pool } }) => ({ cidr, ...(pool === undefined ? {} : { pool }) })),
    ...podCidrs.filter((cidr) => !pooled.has(familyOf(cidr))).map((cidr) => ({ cidr })),
  ];
}

/** As the agent's socket shows it, too. Its passwords and keys are secret: NodePlan has no place for one. */
export function shownPlan({ node, speaker, peers, waiting, originations, kernel }: Plan): NodePlan {
  return {
    node,
    speaker,
    peers: peers.map(({ config, bfd, ...rest }) => {
      const { md5Key, ...settings } = config;
      return {
        // A key keeps its place in the text.
        config: md5Key === undefined ? settings : { ...config, md5Key: '(secret)' },
        ...rest,
        ...(bfd && { bfd: shownBfd(bfd) }),
      };
    }),
    waiting,
    originations,
    kernel,
  };
}

const shownBfd = ({ authentication, ...bfd }: PlannedBfd): NonNullable<NodePlan['peers'][number]['bfd']> => ({
  ...bfd,
  ...(authentication && { authentication: { ...authentication, key: '(secret)' } }),
});
