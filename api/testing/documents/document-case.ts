// Documents good and bad, as a table: what is said of one holds for `podroute validate` and for an API server that has the
// CRDs. A row is a field with good and bad values, or a rule with good and bad objects.
import type { OurKind } from '../../kinds/resources.ts';

export interface DocumentCase {
  readonly kind: OurKind;
  /** What is special about it: 'spec.peerIP: "10.0.0.300"'. */
  readonly about: string;
  readonly spec: unknown;
  readonly isTakenBy: { readonly validate: boolean; readonly server: boolean };
  /** Where the two differ. */
  readonly because?: string;
}

type Spec = Readonly<Record<string, unknown>>;

export interface FieldRow {
  /** Below spec: 'importV4.0.cidr'. */
  readonly field: string;
  /** What else the object needs. */
  readonly with?: Spec;
  readonly good?: readonly unknown[];
  readonly bad?: readonly unknown[];
  readonly differs?: readonly Difference[];
}

export interface Difference {
  readonly value: unknown;
  readonly takenBy: 'validate' | 'server';
  readonly because: string;
}

/** Specs are laid over the kind's base; a field that is undefined is taken out. */
export interface RuleRow {
  readonly rule: string;
  readonly good?: readonly Spec[];
  readonly bad?: readonly Spec[];
}

/** @param base the least that an object of the kind must have */
export function casesOf(kind: OurKind, base: Spec, rows: readonly (FieldRow | RuleRow)[]): DocumentCase[] {
  return rows.flatMap((row): DocumentCase[] => {
    if ('rule' in row) {
      const over = (isGood: boolean) => (changes: Spec) => ({
        kind,
        about: `${row.rule}: ${JSON.stringify(changes)}`,
        spec: without({ ...base, ...changes }),
        isTakenBy: { validate: isGood, server: isGood },
      });
      return [...(row.good ?? []).map(over(true)), ...(row.bad ?? []).map(over(false))];
    }
    const at = (value: unknown, isTakenBy: DocumentCase['isTakenBy'], because?: string) => ({
      kind,
      about: `${row.field}: ${shown(value)}`,
      spec: withField(without({ ...base, ...row.with }), row.field.split('.'), value),
      isTakenBy,
      ...(because !== undefined && { because }),
    });
    return [
      ...(row.good ?? []).map((value) => at(value, { validate: true, server: true })),
      ...(row.bad ?? []).map((value) => at(value, { validate: false, server: false })),
      ...(row.differs ?? []).map(({ value, takenBy, because }) =>
        at(value, { validate: takenBy === 'validate', server: takenBy === 'server' }, because),
      ),
    ];
  });
}

/** `count` items of a list. */
export const many = <T>(count: number, item: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => item(i));

const without = (spec: Spec): Spec =>
  Object.fromEntries(Object.entries(spec).filter(([, value]) => value !== undefined));

function withField(object: unknown, [name = '', ...rest]: readonly string[], value: unknown): unknown {
  const below = (object ?? {}) as Record<string, unknown>;
  const part = rest.length === 0 ? value : withField(below[name], rest, value);
  if (Array.isArray(object)) return object.with(Number(name), part);
  return { ...below, [name]: part };
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= 90 ? text : `${text.slice(0, 80)}… (${text.length} characters)`;
}
