// What the sets of a policy come to together, as a plan for the codec: the last value wins, prepends add up, and communities
// are taken away and added in the order of the sets, within one set first the one and then the other.
import { type CommunityPattern, type ExportPlan, exportPlan, isWithin } from '../../message/index.ts';
import { parseCommunityPatterns } from '../../policy/attribute-match.ts';
import type { PolicySet } from '../../policy/policy.ts';

/** @param otc RFC 9234 value to add when absent, -1 for none */
export function planOf(sets: readonly PolicySet[], otc: number): ExportPlan {
  const prepend: number[] = [];
  const deleteCommunities: CommunityPattern[] = [];
  let addCommunities: CommunityPattern[] = [];
  let med = -1;
  let localPref = -1;
  for (const set of sets) {
    if (set.med !== undefined) med = set.med;
    if (set.localPref !== undefined) localPref = set.localPref;
    prepend.unshift(...(set.prependAs ?? []));
    const deleted = parseCommunityPatterns(set.deleteCommunities ?? []);
    deleteCommunities.push(...deleted);
    addCommunities = addCommunities.filter((one) => !deleted.some((pattern) => isWithin(one, pattern)));
    addCommunities.push(...parseCommunityPatterns(set.addCommunities ?? []));
  }
  return exportPlan({ prepend, deleteCommunities, addCommunities, med, localPref, otc });
}
