// The same between the objects of a store and those of a file, for one node and without its agent: sessions, settings and
// own prefixes. No RIB is there, so nothing is said of the routes of neighbours. Pure.
import type { PlanDiffReply } from '#agent-api';
import { formatProblem, parseText, type Problem, type ValidatedTexts } from '#api';
import { listed } from '../listed.ts';
import { blocksOf, makePlan, type PlanInput } from '../plan/index.ts';
import { type MeantFile, meantObjects, withDeed } from './documents.ts';
import { newProblems, noPlan } from './plan-diff.ts';
import { plansDiff } from './session-diffs.ts';

/** Objects that a note names. */
const MOST_NAMED = 10;

/** As PlanDiffReply, with problems as they are found. */
export interface OfflineDiff extends Omit<PlanDiffReply, 'problems'> {
  readonly problems: readonly Problem[];
}

/** The file whose objects somebody means to apply or to delete. */
/** @throws RangeError naming what is wrong with the documents, or why there is nothing to compare with */
export async function offlineDiff(
  { resources, refused }: ValidatedTexts,
  meant: MeantFile,
  nodeName: string,
): Promise<OfflineDiff> {
  const { objects, names, problems: faults } = meantObjects(parseText(meant.text, meant.file), meant.deed);
  const done = withDeed(resources, objects, meant.deed);
  const planOf = (of: PlanInput['resources']) =>
    makePlan({ resources: of, refused, nodeName, localBlocks: blocksOf(nodeName, of, refused) });
  const now = planOf(resources);
  if (now.plan === undefined)
    throw new RangeError(`no plan of now to compare with:\n${now.problems.map(formatProblem).join('\n')}`);
  const then = planOf(done.resources);
  const problems = [...faults, ...done.problems, ...newProblems(now.problems, then.problems)];
  if (then.plan === undefined) return { ...noPlan(names), problems };
  const { notes, ...diff } = await plansDiff(now.plan, then.plan, undefined, () => Promise.resolve());
  const unknown = `no agent was asked, so nothing is known of routes; on ${nodeName} itself podroute plan --diff tells them`;
  const wrong = [...refused.objects].sort();
  const leftOut = `what is wrong in the store is left out of both: ${listed(wrong, MOST_NAMED)}`;
  return {
    objects: names,
    ...diff,
    problems,
    notes: [...notes, unknown, ...(wrong.length === 0 ? [] : [leftOut])],
  };
}
