// Rules that span several fields of one object. One row gives the check here and the CEL rule in the CRD.
import type { z } from 'zod';
import type { CelRule } from './patterns.ts';

export interface Rule<T> {
  /** The problem is reported at the first; the rule is silent while any of them is wrong by itself. */
  readonly fields: readonly [string, ...string[]];
  /** Reads on after the first field's value. */
  readonly message: string;
  readonly allowed?: string;
  /** CEL over the same object: true when all is well. */
  readonly cel: string;
  readonly broken: (value: T) => boolean;
}

/** Adds the rules to an object schema. They run also when other fields are wrong, so that all is told at once. */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule<z.output<S>>[]): S {
  let result = schema;
  for (const rule of rules) {
    result = result.refine((value) => !rule.broken(value), {
      path: [rule.fields[0]],
      message: rule.message,
      params: { allowed: rule.allowed },
      when: ({ issues }) =>
        !issues.some(({ code, path }) =>
          // An issue about the object itself: it is no object. One about unknown fields beside: go on.
          path?.length ? rule.fields.includes(String(path[0])) : code !== 'unrecognized_keys',
        ),
    });
  }
  const celRules = rules.map(({ cel, fields, message, allowed }) => ({
    rule: cel,
    message: `${fields[0]} ${message}${allowed === undefined ? '' : ` (expected ${allowed})`}`,
  }));
  return result.meta({ ...schema.meta(), 'x-kubernetes-validations': celRules });
}

/** Adds rules that only an API server needs: it alone knows the object as it was, or our check says more than CEL can. */
export function withMoreCel<S extends z.ZodType>(schema: S, rules: readonly CelRule[]): S {
  const meta = schema.meta() ?? {};
  const before = (meta['x-kubernetes-validations'] ?? []) as readonly CelRule[];
  return schema.meta({ ...meta, 'x-kubernetes-validations': [...before, ...rules] });
}

/** For withMoreCel: a field that stays as it was made. `instead` reads on after 'cannot be changed'. */
export const immutable = (name: string, instead: string): CelRule => ({
  rule: `has(self.${name}) == has(oldSelf.${name}) && (!has(self.${name}) || self.${name} == oldSelf.${name})`,
  message: `${name} cannot be changed${instead}`,
});

/** A row that forbids `field` beside any of `others`. */
export function excludes<T extends object>(
  field: keyof T & string,
  others: readonly (keyof T & string)[],
): Rule<T>[] {
  return others.map((other) => ({
    fields: [field, other],
    message: `cannot be combined with ${other}`,
    cel: `!has(self.${field}) || !has(self.${other})`,
    broken: (value) => value[field] !== undefined && value[other] !== undefined,
  }));
}

/** Rows that let one of several fields stand alone, and demand one. `what` reads on after 'and the …'. */
export function exactlyOne<T extends object>(
  what: string,
  fields: readonly [keyof T & string, ...(keyof T & string)[]],
): Rule<T>[] {
  const has = (name: string) => `has(self.${name})`;
  const [first] = fields;
  return [
    {
      fields: [first, ...fields],
      message: `is missing, and the ${what} says nothing else`,
      allowed: `one of ${fields.join(', ')}`,
      cel: fields.map(has).join(' || '),
      broken: (value) => fields.every((name) => value[name] === undefined),
    },
    ...fields.slice(1).map((field, i): Rule<T> => {
      const others = fields.slice(0, i + 1);
      return {
        fields: [field, ...others],
        message: `cannot be combined with ${others.join(' or ')}: each ${what} says one thing`,
        cel: `!has(self.${field}) || !(${others.map(has).join(' || ')})`,
        broken: (value) => value[field] !== undefined && others.some((other) => value[other] !== undefined),
      };
    }),
  ];
}
