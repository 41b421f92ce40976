// `podroute status --all` for people: one line a node, then what is wrong with those that are not ready.
import type { ClusterNode, ClusterReply } from '#agent-api';
import { bad, doubtful, duration, numbers, table } from './output-format.ts';

const MOST_NAMED = 20;

export function clusterTable({ nodes }: ClusterReply): string {
  if (nodes.length === 0) return 'this cluster has no nodes';
  const rows = nodes.map((node) => [
    node.node,
    node.isReady ? 'yes' : bad('no'),
    node.asNumber === undefined ? '' : String(node.asNumber),
    sessions(node),
    ...[node.blocks, node.addressesInUse, node.problems].map((count) =>
      node.agent === 'none' ? '' : String(count),
    ),
    node.ageSeconds === undefined ? '' : duration(node.ageSeconds),
    node.version ?? '',
  ]);
  const ready = nodes.filter(({ isReady }) => isReady).length;
  const columns = [
    ...['NODE', 'READY'],
    ...['AS', 'SESSIONS', 'BLOCKS', 'ADDRESSES', 'PROBLEMS', 'AGE'].map(numbers),
    'VERSION',
  ];
  return [
    table(columns, rows),
    `${ready} of ${nodes.length} nodes are ready`,
    ...leaks(nodes),
    ...wrong(nodes),
  ].join('\n\n');
}

function sessions({ agent, established, wanted }: ClusterNode): string {
  if (agent === 'none') return '';
  const text = `${established}/${wanted}`;
  return established < wanted ? bad(text) : text;
}

function leaks(nodes: readonly ClusterNode[]): string[] {
  const some = nodes.filter(({ leaked = 0 }) => leaked > 0);
  if (some.length === 0) return [];
  const sum = some.reduce((total, { leaked = 0 }) => total + leaked, 0);
  const named = some.slice(0, MOST_NAMED).map(({ node, leaked }) => `${node} ${leaked}`);
  const more = some.length > MOST_NAMED ? [`${some.length - MOST_NAMED} more nodes`] : [];
  const whose = sum === 1 ? '1 Pod is gone and still has' : `${sum} Pods are gone and still have`;
  return [doubtful(`${whose} addresses: ${[...named, ...more].join(', ')}`)];
}

function wrong(nodes: readonly ClusterNode[]): string[] {
  const unwell = nodes.filter(({ isReady }) => !isReady);
  if (unwell.length === 0) return [];
  const lines = unwell
    .slice(0, MOST_NAMED)
    .flatMap(({ node, wrong: texts }) => texts.map((text) => `${node}: ${text}`));
  const more = unwell.length > MOST_NAMED ? [`and ${unwell.length - MOST_NAMED} more nodes`] : [];
  return [[...lines, ...more].join('\n')];
}
