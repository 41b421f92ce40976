// metadata of a document: the name and labels that we need, and no unknown fields.
import { type Finding, formatPath, type Path, unknownField } from './findings.ts';
import type { Metadata } from '../schema/kind.ts';

const known = [
  'name',
  'namespace',
  'labels',
  'annotations',
  'resourceVersion',
  'generation',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'finalizers',
  'generateName',
  'managedFields',
  'ownerReferences',
  'selfLink',
];

/** RFC 1123 subdomain, as the API server asks for. */
const namePattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

export interface MetadataResult {
  /** Present also when something else is wrong. */
  readonly metadata?: Metadata;
  readonly findings: readonly Finding[];
}

export function readMetadata(input: unknown): MetadataResult {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { findings: [found(['metadata', 'name'], undefined, 'is missing')] };
  }
  const metadata = input as Record<string, unknown>;
  const findings: Finding[] = Object.keys(metadata)
    .filter((key) => !known.includes(key))
    .map((key) => unknownField(['metadata', key], known));
  const { name } = metadata;
  if (name === undefined) findings.push(found(['metadata', 'name'], undefined, 'is missing'));
  else if (typeof name !== 'string') findings.push(found(['metadata', 'name'], name, 'is not a text'));
  else if (name.length > 253 || !namePattern.test(name)) {
    findings.push({
      ...found(['metadata', 'name'], name, 'is not a valid name'),
      allowed: "lower-case letters, digits, '-' and '.', a letter or digit at both ends",
    });
  }
  const labels = texts(['metadata', 'labels'], metadata.labels, findings);
  const annotations = texts(['metadata', 'annotations'], metadata.annotations, findings);
  const goodName =
    typeof name === 'string' && !findings.some(({ field }) => field === 'metadata.name') ? name : undefined;
  if (goodName === undefined) return { findings };
  return {
    metadata: {
      name: goodName,
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...text('namespace', metadata.namespace),
      // A number is taken as well: unquoted YAML.
      ...text(
        'resourceVersion',
        typeof metadata.resourceVersion === 'number'
          ? `${metadata.resourceVersion}`
          : metadata.resourceVersion,
      ),
      ...(typeof metadata.generation === 'number' && { generation: metadata.generation }),
      ...text('uid', metadata.uid),
      ...text('creationTimestamp', metadata.creationTimestamp),
      ...text('deletionTimestamp', metadata.deletionTimestamp),
      ...list('finalizers', metadata.finalizers),
    },
    findings,
  };
}

const found = (path: Path, value: unknown, message: string): Finding => ({
  path,
  field: formatPath(path),
  ...(value !== undefined && { value }),
  message,
});

const text = (key: string, value: unknown): Record<string, string> =>
  typeof value === 'string' ? { [key]: value } : {};

const list = (key: string, value: unknown): Record<string, readonly string[]> =>
  Array.isArray(value) ? { [key]: value.filter((item) => typeof item === 'string') } : {};

function texts(path: Path, input: unknown, findings: Finding[]): Record<string, string> | undefined {
  if (input === undefined) return undefined;
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    findings.push(found(path, input, 'is not a map of texts'));
    return undefined;
  }
  const result: Record<string, string> = {};
  for (const [key, value] of Object.entries(input)) {
    if (typeof value === 'string') result[key] = value;
    else
      findings.push(
        found([...path, key], value, 'is not a text (in quotes when it looks like a number or boolean)'),
      );
  }
  return result;
}
