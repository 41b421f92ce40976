// What applying or deleting documents would change on this node: the plan with them against the plan in force, and for each
// session that is up what becomes of its routes. Nothing is applied. In turns, and for a bounded time.
import type { PlanDiffReply, StatusProblem } from '#agent-api';
import { formatProblem, parseTextInSteps, type Problem, type Resources, type TextDocument } from '#api';
import type { Foreseen, Speaker } from '#bgp';
import type { Plan, PlanResult } from '../plan/index.ts';
import { originationsDifference } from '../speaker/speaker-driver.ts';
import { statusProblem } from '../status/collect.ts';
import { type MeantFile, meantObjects, withDeed } from './documents.ts';
import { plansDiff } from './session-diffs.ts';
import { LONGEST_MS, TimeSlices, type TimeSlicesIo } from './time-slices.ts';

/** What of the agent is asked. */
export interface Planner {
  readonly inForce: { readonly plan: Plan } | undefined;
  readonly driver: { readonly speaker: Pick<Speaker, 'foresee'> | undefined };
  /** In force. */
  objects(): Resources;
  planWith(resources: Resources): PlanResult;
}

/** @throws RangeError naming what is wrong with the documents, or why there is nothing to compare with */
export async function planDiff(
  { file, text, deed }: MeantFile,
  agent: Planner,
  io: TimeSlicesIo,
): Promise<PlanDiffReply> {
  const slices = new TimeSlices(io);
  const documents: TextDocument[] = [];
  for (const some of parseTextInSteps(text, file)) {
    documents.push(...some);
    await slices.rest();
  }
  const { objects, names, problems: faults } = meantObjects(documents, deed);
  const before = agent.inForce?.plan;
  if (before === undefined) throw new RangeError('no plan is in force yet: there is nothing to compare with');
  const done = withDeed(agent.objects(), objects, deed);
  const now = agent.planWith(agent.objects());
  await slices.rest();
  const then = agent.planWith(done.resources);
  const problems = [...faults, ...done.problems, ...newProblems(now.problems, then.problems)].map(asStatus);
  if (then.plan === undefined) return { ...noPlan(names), problems };
  const foreseen = await foresee(before, then.plan, agent, slices);
  const { notes, ...diff } = await plansDiff(before, then.plan, foreseen, () => slices.rest());
  return {
    objects: names,
    ...diff,
    ...(foreseen === undefined ? {} : { best: foreseen.best }),
    problems,
    notes: [...notes, ...(foreseen === undefined ? [] : cutNote(foreseen, slices))],
  };
}

/** What would be a problem and is none now. */
export function newProblems(now: readonly Problem[], then: readonly Problem[]): Problem[] {
  const known = new Set(now.map(formatProblem));
  return then.filter((problem) => !known.has(formatProblem(problem)));
}

export const noPlan = (objects: readonly string[]): Omit<PlanDiffReply, 'problems'> => ({
  objects,
  settings: [],
  sessions: [],
  originated: [],
  withdrawn: [],
  notes: ['no plan could be made: what is in force would stay'],
});

async function foresee(
  before: Plan,
  after: Plan,
  { driver }: Planner,
  slices: TimeSlices,
): Promise<Foreseen | undefined> {
  const { originated, withdrawn } = originationsDifference(before, after);
  const peers = after.peers.map(({ config }) => config);
  const foresight = driver.speaker?.foresee({ speaker: after.speaker, peers, originated, withdrawn });
  if (foresight === undefined) return undefined;
  for (const _ of foresight.walk()) {
    await slices.rest();
    if (slices.isOver) break;
  }
  return foresight.found;
}

function cutNote({ lookedAt, prefixes }: Foreseen, slices: TimeSlices): string[] {
  if (!slices.isOver) return [];
  return [`only ${lookedAt} of ${prefixes} prefixes were looked at within ${LONGEST_MS / 1000} s`];
}

const asStatus = (problem: Problem): StatusProblem => statusProblem(problem, 'plan');
