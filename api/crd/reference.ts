// docs/reference.md from the schemas: every field of every kind with its type, default, limits and meaning, and what
// Calico's field of that name is here. Pure; generate-crds.ts writes the file.
import { type OurKind, ourKinds } from '../kinds/resources.ts';
import { communityCel } from '../schema/patterns.ts';
import { crd, specOpenApi } from './crd.ts';

const HEAD = `# Every field of every object
<!-- Generated from api/ by \`node api/crd/generate-crds.ts\`. Do not edit. -->

Fields are below \`spec\` unless a table says otherwise; \`[]\` is an item of a list. The CRDs (manifests/crds) have the same
texts, so \`kubectl explain bgppeer.spec\` shows them too. A field may be left out, unless it is **required**; then its default
counts, or nothing of the kind is asked for. "Calico": **same** means as in Calico; a reason stands beside what is otherwise; **–** is a field of podroute alone
([calico.md](calico.md)). What each object is for, with examples: [configuration.md](configuration.md).

Types: a *duration* is a text such as \`90s\` or \`1m30s\`, or a number of seconds; an *AS number* is a number, or a text such as
\`'1.10'\`; a *selector* is a text such as \`rack == 'r1' && !has(spare)\`; a *community* is \`aa:nn\` or \`aa:nn:mm\`.
`;

/** What there may be in a node of a CRD's schema. */
interface FieldSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly items?: FieldSchema;
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string; readonly message: string }[];
}

interface Row {
  readonly path: string;
  readonly schema: FieldSchema;
  readonly isRequired: boolean;
}

/** @param calicoPage docs/calico.md, which says of each of Calico's fields what becomes of it */
export function fieldReference(calicoPage: string): string {
  return [HEAD, ...(Object.keys(ourKinds) as OurKind[]).map((kind) => kindSection(kind, calicoPage))].join(
    '\n',
  );
}

/** Every field below a schema that holds a value, and every group and list that has a meaning of its own. */
export function rowsOf(schema: FieldSchema, path = '', isRequired = false): Row[] {
  const own = path === '' ? [] : [{ path, schema, isRequired }];
  const { properties, items } = schema;
  if (items?.properties !== undefined) return [...own, ...rowsBelow(items, `${path}[].`)];
  if (properties === undefined) return own;
  return [...own, ...rowsBelow(schema, path === '' ? '' : `${path}.`)];
}

function rowsBelow(schema: FieldSchema, before: string): Row[] {
  const { required = [], properties = {} } = schema;
  return Object.entries(properties).flatMap(([name, part]) =>
    rowsOf(part, before + name, required.includes(name) && part.default === undefined),
  );
}

function kindSection(kind: OurKind, calicoPage: string): string {
  const { description, calico } = ourKinds[kind];
  const { properties } = crd(kind).spec.versions[0]!.schema.openAPIV3Schema;
  const spec = specOpenApi(kind) as FieldSchema;
  const status = 'status' in properties ? (properties.status as FieldSchema) : undefined;
  const parts = [`## ${kind}`, `${description}\n`];
  const verdicts = calico ? calicoVerdicts(calicoPage, kind) : undefined;
  if (kind === 'BGPFilter') parts.push(filterRules(spec, verdicts!));
  else parts.push(fieldTable(rowsOf(spec), verdicts), ruleLines(spec));
  if (status !== undefined) parts.push('Below `status`, written by the agent:\n', fieldTable(rowsOf(status)));
  return parts.filter((part) => part !== '').join('\n');
}

/** The four lists of a filter have the same rules, but for the family of addresses. */
function filterRules(spec: FieldSchema, verdicts: ReadonlyMap<string, string>): string {
  const lists = spec.properties!;
  const listRows = Object.entries(lists).map(([path, schema]) => ({ path, schema, isRequired: false }));
  const { items } = lists['importV4'] as { items: FieldSchema };
  return [
    fieldTable(listRows),
    'A rule, in each of the four lists (in those for IPv6 with IPv6 CIDRs and prefix lengths up to 128):\n',
    fieldTable(rowsOf(items), verdicts),
    ruleLines(items),
  ].join('\n');
}

function fieldTable(rows: readonly Row[], verdicts?: ReadonlyMap<string, string>): string {
  const calico = verdicts === undefined ? ['', ''] : [' Calico |', '---|'];
  const lines = rows.map(({ path, schema, isRequired }) => {
    const isGroup = schema.properties !== undefined || schema.items?.properties;
    const verdict = isGroup ? '' : (verdicts?.get(path) ?? '–');
    const meaning = escaped(schema.description ?? '');
    const cells = [`\`${path}\``, typeText(path, schema), defaultText(schema.default, isRequired), meaning];
    return `| ${[...cells, ...(verdicts === undefined ? [] : [verdict])].join(' | ')} |`;
  });
  return [
    `| field | type | default | meaning |${calico[0]}`,
    `|---|---|---|---|${calico[1]}`,
    ...lines,
    '',
  ].join('\n');
}

function typeText(path: string, schema: FieldSchema): string {
  const { items } = schema;
  if (items !== undefined) {
    const most = schema.maxItems === undefined ? '' : `, at most ${schema.maxItems}`;
    const item = items.properties === undefined ? typeText(path, items) : 'objects';
    return `list of ${item.startsWith('text,') ? 'texts' : item}${most}`;
  }
  const words = schema.enum;
  if (words !== undefined) return words.map((word) => `\`${word}\``).join(', ');
  if (schema.properties !== undefined) return 'object';
  const { minimum, maximum, pattern = '' } = schema;
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (ruleOf(schema).includes('internal')) return 'AS number, `internal`, `external`';
    if (maximum === 4_294_967_295) return 'AS number';
    return `duration, ${minimum} to ${maximum} s`;
  }
  if (schema.type === 'integer') return maximum! > 2 ** 53 - 2 ? 'number' : `${minimum} to ${maximum}`;
  if (schema.type === 'boolean') return '`true`, `false`';
  return textKind(path, schema, pattern);
}

const ruleOf = (schema: FieldSchema): string => schema['x-kubernetes-validations']?.[0]?.rule ?? '';

function textKind(path: string, schema: FieldSchema, pattern: string): string {
  const rule = ruleOf(schema);
  const family = rule.includes('== 4') ? 'IPv4 ' : rule.includes('== 6') ? 'IPv6 ' : '';
  if (rule.startsWith('isCIDR(self) ?')) return 'CIDR or address';
  if (rule.startsWith('isCIDR')) return `${family}CIDR`;
  if (rule.startsWith('isIP')) return `${family}address`;
  if (pattern.startsWith('^(?i)')) return `${pattern.slice(6, -2).replaceAll('|', ', ')} (in any case)`;
  if (rule === communityCel.rule) return 'community';
  if (path.endsWith('Selector')) return 'selector';
  return `text, at most ${schema.maxLength} characters`;
}

function defaultText(value: unknown, isRequired: boolean): string {
  if (value === undefined) return isRequired ? '**required**' : '';
  // The fields of an object say theirs.
  if (typeof value === 'object' && !Array.isArray(value)) return '';
  if (!Array.isArray(value)) return `\`${JSON.stringify(value).replaceAll('"', '')}\``;
  return value.length === 0 ? 'none' : `\`${value.join(', ')}\``;
}

/** What must hold between fields, of the object and of those below it. */
function ruleLines(spec: FieldSchema): string {
  const own = (schema: FieldSchema, path: string): string[] =>
    (schema['x-kubernetes-validations'] ?? []).map(
      ({ message }) => `- ${path === '' ? '' : `\`${path}\`: `}${escaped(message)}`,
    );
  const below = rowsOf(spec).flatMap(({ path, schema }) => {
    const item = schema.items ?? schema;
    return item.properties === undefined ? [] : own(item, path);
  });
  const lines = [...own(spec, ''), ...below];
  return lines.length === 0 ? '' : ['What is refused:\n', ...lines, ''].join('\n');
}

/** Field → 'same', or what is otherwise, of the page's table of a kind. */
function calicoVerdicts(page: string, kind: string): Map<string, string> {
  const section = page.split(`\n### ${kind}\n`)[1]?.split(/\n##+ /)[0] ?? '';
  return new Map(
    [...section.matchAll(/^\| `([^`]+)` \| ([^|]+?) \| (.*?) ?\|$/gm)].map(
      ([, field = '', verdict = '', why = '']) => [
        field,
        [verdict === 'honoured' ? 'same' : `**${verdict}**`, why].filter((part) => part !== '').join('; '),
      ],
    ),
  );
}

const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
