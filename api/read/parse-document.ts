// One document (already a JavaScript value) → a typed resource, or what is wrong with it.
import * as z from 'zod';
import { type Finding, findingsOf, formatPath, type Path, unknownField } from './findings.ts';
import {
  calicoNodeFrom,
  calicoNodeTop,
  calicoVersions,
  isCalicoKind,
  unreadBecause,
  withoutZeroValues,
} from './calico.ts';
import { apiVersion, calicoApiVersion, group, type Implied, type Metadata } from '../schema/kind.ts';
import { readMetadata } from './read-metadata.ts';
import { imply } from '../kinds/implied.ts';
import { annotationProblems, nodeFrom, nodeTop } from '../kinds/node.ts';
import { findNotYet, isWithoutEffect, notYetMessage } from './not-yet.ts';
import type { Problem } from '../schema/problem.ts';
import {
  type Identity,
  identityOf,
  identityText,
  isOurKind,
  type Kind,
  type OurKind,
  ourKinds,
  type Resource,
} from '../kinds/resources.ts';
import { secretFrom, secretTop } from '../kinds/secret.ts';

/** Where a document comes from, for problems. */
export interface Where {
  readonly file?: string;
  /** The line of a field (as in Problem.field), or of the nearest thing around it that is there. */
  readonly lineOf?: (field: string) => number | undefined;
  /** What to call a document whose kind or name cannot be read: 'document 2'. */
  readonly call?: string;
}

/** Our kinds have 7 levels at most; Kubernetes' managedFields a few more. */
const maxDepth = 50;

export interface ParsedDocument {
  /** Absent when there is an error. */
  readonly resource?: Resource;
  /** What the resource was made from: reading it again gives the same. */
  readonly written?: unknown;
  /** Also when there is an error, as far as it can be read: whose last good version stays in force. */
  readonly identity?: Identity;
  /** Errors and warnings. */
  readonly problems: readonly Problem[];
  /** Not ours and read over: why, for a debug note. */
  readonly ignored?: string;
}

/** Reads one document. Never throws, whatever the value is. */
export function parseDocument(document: unknown, where: Where = {}): ParsedDocument {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    return failed(where, where.call ?? 'document', {
      path: [],
      field: '',
      message: 'is not an object with apiVersion, kind and metadata',
    });
  }
  if (isDeeperThan(document, maxDepth)) {
    const message = `is nested deeper than ${maxDepth} levels`;
    return failed(where, where.call ?? 'document', { path: [], field: '', message });
  }
  const given = withoutNulls(document) as Record<string, unknown>;
  const kind = kindOf(given, where);
  if ('problems' in kind) return kind;
  const value = kind.calico ? { ...given, spec: withoutZeroValues(given.spec) } : given;
  const frame = readMetadata(value.metadata);
  const identity = frame.metadata && identityOf(kind.kind, frame.metadata);
  const object =
    identity === undefined
      ? where.call
        ? `${kind.kind} (${where.call})`
        : kind.kind
      : identityText(identity);
  const { findings, idle = [], build } = readBody(kind, value, frame.metadata);
  const problems = [...frame.findings, ...findings]
    .map((finding) => toProblem(where, object, finding))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const wrongAndIdle = new Set(idle.map(({ field }) => field));
  const warnings = [
    ...idle.map((finding) => ({ ...finding, message: `${finding.message}; ${notYetMessage()}` })),
    ...findNotYet(kind.kind, value)
      .map((found) => ({ ...found, field: formatPath(found.path) }))
      .filter(({ field }) => !wrongAndIdle.has(field)),
  ].map((found): Problem => ({ ...toProblem(where, object, found), severity: 'warning' }));
  if (problems.length > 0 || !frame.metadata || !build)
    return { ...(identity && { identity }), problems: [...problems, ...warnings] };
  const resource = build({
    apiVersion: kind.calico ? apiVersion : (value.apiVersion as string),
    metadata: frame.metadata,
  });
  return {
    ...(identity && { identity }),
    resource,
    written: withoutDetails(resource) ?? value,
    problems: warnings,
  };
}

/** Of the core API's kinds we need little, and of a Secret the values are read already. */
function withoutDetails(resource: Resource): unknown {
  if (resource.kind === 'Node') return resource;
  if (resource.kind !== 'Secret') return undefined;
  const { values, ...rest } = resource;
  return { ...rest, stringData: values };
}

interface Frame {
  apiVersion: string;
  metadata: Metadata;
}

interface Body {
  readonly findings: readonly Finding[];
  /** What is wrong with fields that have no effect: no reason to refuse the object. */
  readonly idle?: readonly Finding[];
  readonly build?: (frame: Frame) => Resource;
}

function readBody(
  { kind, calico }: KindFound,
  document: Record<string, unknown>,
  metadata: Metadata | undefined,
): Body {
  if (kind === 'Secret') return readSecret(document);
  if (kind === 'Node') return calico ? readCalicoNode(document, metadata) : readNode(document, metadata);
  const body = readOurs(kind, document, calico);
  const idle = body.findings.filter(({ path }) => isWithoutEffect(kind, path));
  if (idle.length === 0) return body;
  const rest = idle.reduce((value, { path }) => withoutField(value, path), document);
  const again = readOurs(kind, rest, calico);
  return { ...again, idle };
}

/** A copy that lacks the field of the object's spec that a path leads to or into. */
function withoutField(document: Record<string, unknown>, path: Path): Record<string, unknown> {
  const spec = { ...(document.spec as object) } as Record<string, unknown>;
  delete spec[String(path[1])];
  return { ...document, spec };
}

function readOurs(kind: OurKind, document: Record<string, unknown>, calico: boolean): Body {
  const definition = ourKinds[kind];
  // As the CRDs have it; Calico's need not.
  if (!calico && document.spec === undefined)
    return { findings: [{ path: ['spec'], field: 'spec', message: 'is missing', allowed: 'an object' }] };
  let spec = document.spec ?? {};
  let implied: readonly Implied[] | undefined;
  if (calico && definition.implied && typeof spec === 'object') {
    spec = { ...spec };
    implied = imply(spec as Record<string, unknown>, definition.implied);
  }
  // Not the operator's: one that we cannot read (of Calico, of another version) is as none. The API server checks it.
  const status =
    definition.status && !calico
      ? { status: (definition.status as z.ZodType).optional().catch(undefined) }
      : { status: z.unknown().optional() };
  const result = readTop({ spec: definition.spec as z.ZodType, ...status }, { ...document, spec });
  if (!result.top) return result;
  const { top } = result;
  return {
    findings: result.findings,
    build: (frame) =>
      ({
        ...frame,
        kind,
        spec: top.spec,
        ...(implied && { implied }),
        ...(kind === 'BGPConfiguration' && { writtenFields: Object.keys(spec) }),
        ...(definition.status && !calico && top.status !== undefined && { status: top.status }),
      }) as Resource,
  };
}

function readNode(document: Record<string, unknown>, metadata: Metadata | undefined): Body {
  const { top, findings } = readTop(nodeTop, document);
  return {
    findings: [...findings, ...annotationFindings(metadata)],
    ...(top && { build: (frame) => nodeFrom(frame, top) }),
  };
}

function readCalicoNode(document: Record<string, unknown>, metadata: Metadata | undefined): Body {
  const { top, findings } = readTop(calicoNodeTop, document);
  return {
    findings: [...findings, ...annotationFindings(metadata)],
    ...(top && { build: (frame) => calicoNodeFrom(frame, top) }),
  };
}

function annotationFindings(metadata: Metadata | undefined): Finding[] {
  return (metadata ? annotationProblems(metadata) : []).map(({ key, ...rest }): Finding => {
    const path = ['metadata', 'annotations', key];
    return { path, field: formatPath(path), ...rest };
  });
}

function readSecret(document: Record<string, unknown>): Body {
  const result = readTop(secretTop, document);
  const { top } = result;
  return {
    findings: result.findings.map(({ value: _secret, ...finding }) => finding),
    ...(top && { build: (frame) => secretFrom(frame, top) }),
  };
}

const frameKeys = ['apiVersion', 'kind', 'metadata'];

/** Reads the fields beside apiVersion, kind and metadata. */
function readTop<S extends z.ZodRawShape>(
  shape: S,
  document: Record<string, unknown>,
): { findings: Finding[]; top?: z.output<z.ZodObject<S>> } {
  const schema = z.object(shape);
  const known = [...frameKeys, ...Object.keys(shape)];
  const unknown = Object.keys(document)
    .filter((key) => !known.includes(key))
    .map((key) => unknownField([key], known));
  const result = schema.safeParse(document);
  if (result.success) return { findings: unknown, top: result.data };
  return { findings: [...unknown, ...findingsOf(result.error, schema, document)] };
}

type KindFound = { readonly kind: Kind; readonly calico: boolean };

/** Which of our kinds a document is, or why it is none. */
function kindOf(document: Record<string, unknown>, where: Where): KindFound | ParsedDocument {
  const { apiVersion: version, kind } = document;
  const object =
    [typeof kind === 'string' ? kind : undefined, nameOf(document)].filter(Boolean).join(' ') ||
    (where.call ?? 'document');
  const expected = `${apiVersion}, ${calicoApiVersion} or v1`;
  if (typeof version !== 'string')
    return failed(where, object, { path: [], field: 'apiVersion', message: 'is missing', allowed: expected });
  if (typeof kind !== 'string')
    return failed(where, object, {
      path: [],
      field: 'kind',
      message: 'is missing',
      allowed: Object.keys(ourKinds).join(', '),
    });
  if (version === 'v1') {
    if (kind === 'Node' || kind === 'Secret') return { kind, calico: false };
  } else if (version === apiVersion) {
    if (isOurKind(kind)) return { kind, calico: false };
    return failed(where, object, {
      path: [],
      field: 'kind',
      value: kind,
      message: 'is not a kind of podroute.io/v1',
      allowed: Object.keys(ourKinds).join(', '),
    });
  } else if (calicoVersions.includes(version)) {
    if (isCalicoKind(kind)) return { kind, calico: true };
  } else if (version.startsWith(`${group}/`)) {
    return failed(where, object, {
      path: [],
      field: 'apiVersion',
      value: version,
      message: 'is not a version of podroute.io',
      allowed: apiVersion,
    });
  }
  const ignored = `${version} ${kind} is not a kind that podroute reads`;
  const because = unreadBecause(version, kind);
  if (because === undefined) return { problems: [], ignored };
  const finding = { path: [], field: 'kind', value: kind, ...because };
  return { problems: [{ ...toProblem(where, object, finding), severity: 'warning' }], ignored };
}

/** Why documents of a version and kind are read over without a word; undefined when they are not. */
export function isForeign(version: string, kind: string): string | undefined {
  if (kind.endsWith('List')) return undefined;
  const found = kindOf({ apiVersion: version, kind }, {});
  return 'problems' in found && found.problems.length === 0 ? found.ignored : undefined;
}

const nameOf = (document: Record<string, unknown>): string | undefined => {
  const name = (document.metadata as { name?: unknown } | undefined)?.name;
  return typeof name === 'string' ? name : undefined;
};

function failed(where: Where, object: string, finding: Finding): ParsedDocument {
  return { problems: [toProblem(where, object, finding)] };
}

function toProblem(
  where: Where,
  object: string,
  { field, value, message, allowed }: Omit<Finding, 'path'> & { path: Path },
): Problem {
  const line = where.lineOf?.(field);
  return {
    ...(where.file !== undefined && { file: where.file }),
    ...(line !== undefined && { line }),
    object,
    field,
    ...(value !== undefined && { value }),
    message,
    ...(allowed !== undefined && { allowed }),
  };
}

/** Also ends where a YAML alias stands for something around itself. */
function isDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((item) => isDeeperThan(item, depth - 1));
}

/** As the API server does: a field that is null counts as absent. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null && item !== undefined)
      .map(([key, item]) => [key, withoutNulls(item)]),
  );
}
