// What every node of a folder would say about it: all that `plan` says, for each Node in the files, beside what is wrong
// with the documents themselves. Pure.
import { formatProblem, type Problem, type ValidatedTexts, validateTexts } from '#api';
import { blocksOf } from './offline.ts';
import { makePlan } from './plan.ts';

/** Of one thing that many nodes say in their own words. */
const MOST_OF_A_KIND = 3;

export type ValidatedPlans = Pick<ValidatedTexts, 'documents' | 'unread' | 'problems'>;

export function validateWithPlans(
  files: readonly { readonly file: string; readonly text: string }[],
): ValidatedPlans {
  const { documents, unread, resources, refused, problems, locate } = validateTexts(files);
  const said = new Map<string, Problem>();
  let isFirst = true;
  for (const nodeName of resources.nodes.keys()) {
    const localBlocks = blocksOf(nodeName, resources, refused);
    const mesh = isFirst ? {} : ({ withoutMesh: true } as const);
    const plan = makePlan({ resources, refused, nodeName, localBlocks, ...mesh });
    if (plan.plan) isFirst = false;
    for (const problem of plan.problems) {
      // Which routers a node has is not in files.
      if (problem.field !== 'spec.peerFrom.defaultGateway') said.set(formatProblem(problem), problem);
    }
  }
  const byPlace = Map.groupBy(said.values(), placeOf);
  // Of what both find the plan says more: what follows from it.
  const alone = problems.filter((problem) => !byPlace.has(placeOf(problem)));
  return { documents, unread, problems: [...alone, ...[...byPlace.values()].flatMap(few).map(locate)] };
}

const placeOf = ({ object, field }: Problem): string => `${object}: ${field}`;

function few(problems: readonly Problem[]): readonly Problem[] {
  const rest = problems.slice(MOST_OF_A_KIND);
  const { value: _, allowed: __, ...first } = rest[0] ?? problems[0]!;
  const message = `the same on ${rest.length} more nodes`;
  return rest.length < 2 ? problems : [...problems.slice(0, MOST_OF_A_KIND), { ...first, message }];
}
