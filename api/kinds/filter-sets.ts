// Named sets of prefixes and of communities, that rules of BGPFilters use by their names: those of the filter itself, and
// those of the BGPConfiguration, which every filter can name.
import * as z from 'zod';
import { addressBits } from '#ip';
import { cidr, communityPattern, field, integer, list, oneOf, Wrong } from '../schema/fields.ts';
import { withRules } from '../schema/rules.ts';

const NAME = '[A-Za-z0-9][A-Za-z0-9._-]{0,31}';
const nameText = new RegExp(`^${NAME}$`);

export const setName = () =>
  field({ type: 'string', maxLength: 32, pattern: `^${NAME}$` }, (input) =>
    typeof input === 'string' && nameText.test(input)
      ? input
      : new Wrong('is not a name', '1 to 32 letters, digits, dots, dashes and underlines'),
  );

/** How a list of communities names a set. */
const SET = 'set:';
export const communitiesOrSet = () => communityPattern(`${SET}${NAME}`, `${SET}NAME`);

const lengths = () => integer(0, addressBits('ipv6'));

const prefixMember = withRules(
  z.strictObject({
    cidr: cidr().describe('Of either family.'),
    matchOperator: oneOf('Equal', 'In').default('In').describe('Equal: this prefix. In: those inside it.'),
    prefixLength: z
      .strictObject({
        min: lengths().optional().describe("The shortest. Default: the CIDR's length."),
        max: lengths().optional().describe('The longest. Default: no limit.'),
      })
      .optional()
      .describe('Limits the prefix length of those inside.'),
  }),
  [
    {
      fields: ['prefixLength', 'matchOperator'],
      message: 'has a meaning only with matchOperator: In',
      cel: "!has(self.prefixLength) || !has(self.matchOperator) || self.matchOperator == 'In'",
      broken: ({ prefixLength, matchOperator }) => prefixLength !== undefined && matchOperator === 'Equal',
    },
  ],
);

export const filterSetFields = {
  prefixSets: list(
    z.strictObject({
      name: setName().describe('As rules name it.'),
      prefixes: list(prefixMember, 500).describe('A route is in the set when one of them holds.'),
    }),
    20,
  )
    .default([])
    .describe('Prefixes that rules name together.'),
  communitySets: list(
    z.strictObject({
      name: setName().describe(`As rules name it, behind '${SET}'.`),
      values: list(communityPattern(), 100).describe("Communities of any kind; '*' stands for any number."),
    }),
    20,
  )
    .default([])
    .describe(`Communities that rules name together, as '${SET}NAME'.`),
};

const filterSets = z.strictObject(filterSetFields);

export type FilterSets = z.output<typeof filterSets>;
export type CommunitySets = FilterSets['communitySets'];

/** The communities of a list, in which sets stand for their members. The first of two with one name counts. */
export const communitiesIn = (texts: readonly string[], sets: CommunitySets): string[] =>
  texts.flatMap((text) => (text.startsWith(SET) ? (setNamed(text, sets)?.values ?? []) : [text]));

const setNamed = (text: string, sets: CommunitySets) =>
  sets.find(({ name }) => name === text.slice(SET.length));

/** Is it the name of a set that is not there? */
export const isUnknownSet = (text: string, sets: CommunitySets): boolean =>
  text.startsWith(SET) && setNamed(text, sets) === undefined;

const KINDS_OF_SETS = ['prefixSets', 'communitySets'] as const;

/** For a spec with filterSetFields: one set has one name. */
export const setNamesCel = KINDS_OF_SETS.map((sets) => ({
  rule: `!has(self.${sets}) || self.${sets}.all(a, self.${sets}.exists_one(b, a.name == b.name))`,
  message: `a name stands twice in ${sets}`,
}));

/** The same where documents are read. */
export function checkSetNames(spec: FilterSets, context: z.RefinementCtx): void {
  for (const kind of KINDS_OF_SETS) {
    const names = spec[kind].map(({ name }) => name);
    names.forEach((name, i) => {
      if (names.indexOf(name) === i) return;
      context.addIssue({
        code: 'custom',
        path: [kind, i, 'name'],
        message: 'stands twice: one set has one name',
      });
    });
  }
}

interface SharedSets extends FilterSets {
  readonly communities: readonly { readonly name: string; readonly value: string }[];
}

/** Of a BGPConfiguration; its names for single communities are sets of one. */
export function sharedSets({ prefixSets, communitySets, communities }: SharedSets): FilterSets {
  const named = communities.map(({ name, value }) => ({ name, values: [value] }));
  return { prefixSets, communitySets: [...communitySets, ...named] };
}

/** What rules of a filter find by name, the first of two with one name: so its own go before the same names there. */
export function setsOf(own: FilterSets, shared: FilterSets): FilterSets {
  return {
    prefixSets: [...own.prefixSets, ...shared.prefixSets],
    communitySets: [...own.communitySets, ...shared.communitySets],
  };
}
