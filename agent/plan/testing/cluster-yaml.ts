// For tests of the planner: a cluster as the YAML that an operator would apply.
import { formatProblem, ipamBlockName, parseText, type Resource, type Resources, resourcesOf } from '#api';
import type { Plan, PlanInput, PlannedPeer } from '../types.ts';
import { makePlan } from '../plan.ts';

/** Throws when a document has an error (warnings pass). */
export function resourcesFromYaml(...texts: readonly string[]): Resources {
  const documents = parseText(texts.join('\n---\n'), 'test.yaml');
  const errors = documents.flatMap((d) => d.problems).filter((problem) => problem.severity !== 'warning');
  if (errors.length > 0) throw new Error(errors.map(formatProblem).join('\n'));
  return resourcesOf(
    documents.flatMap((document) => (document.resource ? [document.resource as Resource] : [])),
  );
}

/** A Node document; more is YAML flow text for metadata, such as 'labels: { a: b }'. */
export function nodeYaml(
  name: string,
  addresses: readonly string[],
  more = '',
  podCidrs: readonly string[] = [],
): string {
  const list = addresses.map((address) => `{ type: InternalIP, address: "${address}" }`).join(', ');
  const cidrs = podCidrs.map((cidr) => `"${cidr}"`).join(', ');
  return `apiVersion: v1
kind: Node
metadata: { name: ${name}${more === '' ? '' : `, ${more}`} }
spec: { podCIDRs: [${cidrs}] }
status: { addresses: [${list}] }`;
}

export function objectYaml(kind: string, name: string, spec: string): string {
  return `apiVersion: podroute.io/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}`;
}

export const blockYaml = (cidr: string, node: string, pool: string): string =>
  objectYaml('IPAMBlock', ipamBlockName(cidr), `{ cidr: ${cidr}, node: ${node}, pool: ${pool} }`);

export interface PlannedTest {
  readonly plan: Plan;
  /** One line a problem. */
  readonly problems: readonly string[];
  readonly peer: (id: string) => PlannedPeer;
  readonly ids: readonly string[];
}

/** The plan of one node. Throws when there is none. */
export function planOf(
  resources: Resources,
  nodeName: string,
  more: Partial<Omit<PlanInput, 'resources' | 'nodeName'>> = {},
): PlannedTest {
  const { plan, problems } = makePlan({ resources, nodeName, localBlocks: [], ...more });
  const lines = problems.map(formatProblem);
  if (plan === undefined) throw new Error(`no plan: ${lines.join('\n')}`);
  return {
    plan,
    problems: lines,
    ids: plan.peers.map(({ config }) => config.id),
    peer: (id) => {
      const found = plan.peers.find(({ config }) => config.id === id);
      if (found === undefined)
        throw new Error(`no peer ${id}; there are ${plan.peers.map((p) => p.config.id).join(', ')}`);
      return found;
    },
  };
}
