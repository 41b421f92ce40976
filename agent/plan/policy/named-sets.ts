// Sets that rules of a BGPFilter name: those of the filter, and behind them those of the BGPConfiguration, so that a name of
// the filter's own goes before the same name there. A name that is in neither is told, with the filter and the field.
import {
  type BGPConfigurationSpec,
  type BGPFilter,
  type BGPFilterRule,
  type FilterSets,
  isUnknownSet,
  type Problem,
} from '#api';
import { FAMILIES } from '#ip';
import { rulesField } from './filter-operations.ts';

/** Of a BGPConfiguration; its names for single communities are sets of one. */
export function sharedSets({ prefixSets, communitySets, communities }: BGPConfigurationSpec): FilterSets {
  const named = communities.map(({ name, value }) => ({ name, values: [value] }));
  return { prefixSets, communitySets: [...communitySets, ...named] };
}

/** What rules of a filter find by name, the first of two with one name. */
export function setsOf({ spec }: BGPFilter, shared: FilterSets): FilterSets {
  return {
    prefixSets: [...spec.prefixSets, ...shared.prefixSets],
    communitySets: [...spec.communitySets, ...shared.communitySets],
  };
}

/** Names that a filter asks for and that are nowhere: what it would let through without is not known. */
export function unknownSets(filter: BGPFilter, shared: FilterSets): Problem[] {
  const sets = setsOf(filter, shared);
  return (['import', 'export'] as const).flatMap((direction) =>
    FAMILIES.flatMap((family) => {
      const list = rulesField(direction, family);
      return filter.spec[list].flatMap((rule, i) =>
        unknownIn(rule, sets).map(({ field, value, kind }) => ({
          object: `BGPFilter ${filter.metadata.name}`,
          field: `spec.${list}[${i}].${field}`,
          value,
          message: `is no name from ${kind} of this filter or of the BGPConfiguration: until it is, sessions with the filter neither accept nor announce anything`,
        })),
      );
    }),
  );
}

interface Unknown {
  readonly field: string;
  readonly value: string;
  readonly kind: keyof FilterSets;
}

function unknownIn(rule: BGPFilterRule, { prefixSets, communitySets }: FilterSets): Unknown[] {
  const { prefixSet, communities = {}, operations = [] } = rule;
  const communityLists = [
    ...(['all', 'any', 'none'] as const).map(
      (how) => [`communities.${how}`, communities[how] ?? []] as const,
    ),
    ...operations.map(
      ({ deleteCommunities }, i) =>
        [`operations[${i}].deleteCommunities.values`, deleteCommunities?.values ?? []] as const,
    ),
  ];
  const isUnknown = prefixSet !== undefined && !prefixSets.some(({ name }) => name === prefixSet);
  return [
    ...(isUnknown ? [{ field: 'prefixSet', value: prefixSet, kind: 'prefixSets' as const }] : []),
    ...communityLists.flatMap(([field, texts]) =>
      texts.flatMap((value, i) =>
        isUnknownSet(value, communitySets)
          ? [{ field: `${field}[${i}]`, value, kind: 'communitySets' as const }]
          : [],
      ),
    ),
  ];
}
