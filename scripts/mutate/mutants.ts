// All mutants of one source file, and the source with all of them in it, each behind a switch: one process tries them
// one after the other without loading anything again. A mutant's name holds no line number, so that a reason for its
// survival stays true while lines are added above it.
import { parseSync } from 'oxc-parser';
import { changesOf, type Change, type Node, placeChanges } from './operators.ts';

export interface Mutant {
  readonly id: number;
  readonly file: string;
  readonly line: number;
  /** `function: what was → what is`, with `#2` behind it when the function has the same change twice. */
  readonly name: string;
}

interface Place {
  readonly node: Node;
  readonly changes: Array<Change & { readonly id: number }>;
  readonly places: Place[];
}

export interface Mutated {
  readonly mutants: readonly Mutant[];
  /** The source with switches; `active(id)` is the text of the condition that is true for the mutant in force. */
  instrument(active: (id: number) => string): string;
}

const MOST_TEXT = 70;
const SKIPPED = /^(TS|Import|ExportAll)/;
/** Types around an expression, not of one. */
const SEEN_THROUGH = /^TS(As|NonNull|Satisfies)Expression$/;

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

const clip = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > MOST_TEXT ? `${line.slice(0, MOST_TEXT)}…` : line;
};

export function mutate(file: string, source: string, firstId: number): Mutated {
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} cannot be read: ${errors[0]!.message}`);
  const mutants: Mutant[] = [];
  const timesNamed = new Map<string, number>();
  const slice = (node: Node): string => source.slice(node.start, node.end);

  const add = (node: Node, change: Change, where: string): number => {
    const id = firstId + mutants.length;
    const line = source.slice(0, node.start).split('\n').length;
    const was = change.kind === 'label' ? slice(node).slice(0, labelLength(node)) : slice(node);
    const is = change.kind === 'expression' ? clip(change.text) : 'nothing';
    const name = `${where}: ${clip(was)} → ${is}`;
    const times = (timesNamed.get(name) ?? 0) + 1;
    timesNamed.set(name, times);
    mutants.push({ id, file, line, name: times === 1 ? name : `${name} #${times}` });
    return id;
  };

  const walk = (node: Node, parent: Node | undefined, where: string, isInChain: boolean): Place => {
    const isSwapOnly = isInChain && node.type === 'CallExpression';
    const found = isSwapOnly ? [] : [...changesOf(node, parent, slice), ...placeChanges(node, parent, slice)];
    const changes = found.map((change) => ({ ...change, id: add(node, change, where) }));
    const places: Place[] = [];
    const name = nameOf(node, slice) ?? where;
    for (const [key, value] of Object.entries(node)) {
      if (isLeftAlone(node, key, parent)) continue;
      const isChain = node.type === 'ChainExpression' || (isInChain && /^(object|callee)$/.test(key));
      for (const child of Array.isArray(value) ? value : [value]) {
        if (!isNode(child) || (SKIPPED.test(child.type) && !SEEN_THROUGH.test(child.type))) continue;
        const place = walk(child, node, name, isChain);
        places.push(place);
      }
    }
    return { node, changes, places: places.sort((a, b) => a.node.start - b.node.start) };
  };
  const root = walk(program as unknown as Node, undefined, 'file', false);
  return { mutants, instrument: (active) => render(root, source, active) };
}

/** Names of things and patterns are no values; an exported number is a name as well, one of an enumeration. */
function isLeftAlone(node: Node, key: string, parent: Node | undefined): boolean {
  if (parent?.type === 'ExportNamedDeclaration' && node.type === 'VariableDeclaration')
    return (node['declarations'] as Node[]).every(({ init }) => isNode(init) && init.type === 'Literal');
  if (key === 'key' || key === 'property') return node['computed'] !== true;
  if (node.type === 'ExportNamedDeclaration') return node['source'] !== null;
  return node.type === 'ImportExpression';
}

function nameOf(node: Node, slice: (node: Node) => string): string | undefined {
  switch (node.type) {
    case 'FunctionDeclaration':
      return isNode(node['id']) ? slice(node['id']) : undefined;
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return slice(node['key'] as Node);
    case 'VariableDeclarator': {
      const isNamed = isNode(node['init']) && /Function/.test(node['init'].type);
      const id = node['id'] as Node;
      return isNamed ? (id['name'] as string) : undefined;
    }
    default:
      return undefined;
  }
}

const labelLength = (node: Node): number => (node['test'] as Node).end - node.start + 1;

function render(place: Place, source: string, active: (id: number) => string): string {
  const { node, changes } = place;
  let text = '';
  let at = node.start;
  const label = changes.find(({ kind }) => kind === 'label');
  for (const inner of place.places) {
    text += source.slice(at, inner.node.start);
    const shown = render(inner, source, active);
    text +=
      label !== undefined && inner.node === node['test'] ? `(${active(label.id)}?{}:(${shown}))` : shown;
    at = inner.node.end;
  }
  text += source.slice(at, node.end);
  for (const change of changes) {
    if (change.kind === 'expression') text = `(${active(change.id)}?(${change.text}):(${text}))`;
    else if (change.kind === 'statement') text = `{if(${active(change.id)}){}else{${text}}}`;
  }
  return text;
}
