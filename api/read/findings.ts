// What is wrong with a document: the path of a field and words about it, from zod's issues. Paths are keys
// ['spec', 'filters', 2] and text 'spec.filters[2]'.
import * as z from 'zod';
import { closest } from '../schema/closest.ts';

export type Path = readonly (string | number)[];

export interface Finding {
  readonly path: Path;
  readonly field: string;
  readonly value?: unknown;
  readonly message: string;
  readonly allowed?: string;
}

/** One finding an issue; an issue about several unknown fields gives one a field. */
export function findingsOf(error: z.ZodError, schema: z.ZodType, document: unknown): Finding[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
    if (isSecret(path) && !isSecretData(path)) return [secretFinding(path, valueAt(document, path), issue)];
    if (issue.code === 'unrecognized_keys') {
      const known = knownKeys(schemaAt(schema, path));
      return issue.keys.map((key) => unknownField([...path, key], known));
    }
    return [finding(path, valueAt(document, path), issue)];
  });
}

export function unknownField(path: Path, known: readonly string[]): Finding {
  const meant = closest(String(path.at(-1)), known);
  return {
    path,
    field: formatPath(path),
    message:
      meant === undefined
        ? `unknown field (known: ${known.join(', ')})`
        : `unknown field (did you mean "${meant}"?)`,
  };
}

/** What people write a password into although only a reference belongs there: never shown, whatever is wrong with it. */
const SECRET_FIELDS: readonly unknown[] = ['password', 'nodeMeshPassword', 'keyFrom'];
const SECRET_FORM =
  '{ secretKeyRef: { name: SECRET, key: KEY } }: a password stands in a Secret, and never in this document';

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) =>
    SECRET_FIELDS.includes(key) ? [key, '(not shown)'] : [key, withoutSecrets(item)],
  );
  return Object.fromEntries(entries);
}

/** Within a field for a reference to a Secret. */
export const isSecret = (path: Path): boolean => path.some((key) => SECRET_FIELDS.includes(key));

/** Of a Secret, whose keys may have any name: no reference belongs there. Its values are not shown either. */
const isSecretData = ([first]: Path): boolean => first === 'data' || first === 'stringData';

/** Neither a value nor the name of a field that nobody knows: that, too, may be the password. */
function secretFinding(path: Path, value: unknown, { code }: z.core.$ZodIssue): Finding {
  const message =
    value === undefined
      ? 'is missing'
      : code === 'unrecognized_keys'
        ? 'has fields that do not belong there'
        : 'is not a reference to a Secret';
  return { path, field: formatPath(path), message, allowed: SECRET_FORM };
}

function finding(path: Path, found: unknown, issue: z.core.$ZodIssue): Finding {
  const value = withoutSecrets(found);
  const place = { path, field: formatPath(path), ...(value === undefined ? {} : { value }) };
  switch (issue.code) {
    case 'custom': {
      const allowed = issue.params?.allowed as string | undefined;
      return { ...place, message: issue.message, ...(allowed === undefined ? {} : { allowed }) };
    }
    case 'invalid_value': {
      const values = issue.values.map(String);
      if (value === undefined) return { ...place, message: 'is missing', allowed: values.join(', ') };
      const meant = typeof value === 'string' ? closest(value, values) : undefined;
      const hint = meant === undefined ? '' : ` (did you mean "${meant}"?)`;
      return { ...place, message: `is not one of ${values.join(', ')}${hint}` };
    }
    case 'invalid_type': {
      if (value === undefined) return { ...place, message: 'is missing' };
      const wanted = typeWords[issue.expected] ?? issue.expected;
      return { ...place, message: `is not ${wanted}` };
    }
    case 'too_big':
      return { ...place, message: `has more than ${issue.maximum} entries` };
    case 'too_small':
      return {
        ...place,
        message: issue.minimum === 1 ? 'is empty' : `has fewer than ${issue.minimum} entries`,
      };
    case 'invalid_format':
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
      return { ...place, message: issue.message };
  }
}

const typeWords: Readonly<Record<string, string>> = {
  object: 'an object (a map of fields)',
  record: 'a map',
  array: 'a list',
  string: 'a text',
  boolean: 'a boolean',
  number: 'a number',
};

const knownKeys = (schema: z.ZodType | undefined): string[] =>
  schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];

/** The object schema that a path leads to, through optional, default, pipes and lists. */
function schemaAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  let at: z.ZodType | undefined = unwrap(schema);
  for (const key of path) {
    if (at instanceof z.ZodObject) at = at.shape[String(key)] as z.ZodType | undefined;
    else if (at instanceof z.ZodArray) at = at.element as z.ZodType;
    else if (at instanceof z.ZodRecord) at = at.valueType as z.ZodType;
    else return undefined;
    at = at && unwrap(at);
  }
  return at;
}

export function unwrap(schema: z.ZodType): z.ZodType {
  let inner = schema;
  for (;;) {
    if (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
      inner = inner.unwrap() as z.ZodType;
    } else if (inner instanceof z.ZodPipe) inner = inner.in as z.ZodType;
    else return inner;
  }
}

/** Keys that are not plain words stand in brackets: metadata.annotations["podroute.io/ASNumber"]. */
export function formatPath(path: Path): string {
  let text = '';
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`;
    else if (/^[A-Za-z_][A-Za-z0-9_-]*$/.test(key)) text += text === '' ? key : `.${key}`;
    else text += `[${JSON.stringify(key)}]`;
  }
  return text;
}

/** The reverse of formatPath. */
export function parsePath(text: string): Path {
  return [...text.matchAll(/\[([0-9]+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g)].map(
    ([, index, quoted, word]) =>
      index !== undefined ? Number(index) : quoted !== undefined ? (JSON.parse(quoted) as string) : word!,
  );
}

/** The value at a path, undefined when there is none. */
function valueAt(document: unknown, path: Path): unknown {
  let value = document;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}
