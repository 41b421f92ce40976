// All nodes of a cluster as they describe themselves, one row a node. Pure.
import type { ClusterNode, ClusterReply } from '#agent-api';
import type { BGPNodeStatus } from '#api';
import { SILENT_MS } from './node-reports.ts';

/** @param nodes names of all Nodes @param wallMs now */
export function clusterView(
  nodes: readonly string[],
  statuses: readonly BGPNodeStatus[],
  wallMs: number,
): ClusterReply {
  const known = new Map(statuses.map((one) => [one.metadata.name, one]));
  const names = new Set([...nodes, ...known.keys()]);
  const there = new Set(nodes);
  return { nodes: [...names].sort().map((name) => nodeView(name, there.has(name), known.get(name), wallMs)) };
}

function nodeView(
  node: string,
  isNode: boolean,
  found: BGPNodeStatus | undefined,
  wallMs: number,
): ClusterNode {
  const { status } = found ?? {};
  if (status === undefined) {
    const counts = { established: 0, wanted: 0, blocks: 0, addressesInUse: 0, problems: 0 };
    return { node, agent: 'none', isReady: false, isNode, ...counts, wrong: ['no agent has written of it'] };
  }
  const { version, asNumber, updatedAt, leaked, blocks = [], problems = [], conditions = [] } = status;
  const writtenMs = Date.parse(updatedAt ?? '');
  const ageSeconds = Number.isNaN(writtenMs)
    ? undefined
    : Math.max(0, Math.floor((wallMs - writtenMs) / 1000));
  const isSilent = ageSeconds === undefined || ageSeconds * 1000 >= SILENT_MS;
  const wrong = conditions
    .filter((one) => one.status !== 'True')
    .map(({ type, message }) => `${type}: ${message}`);
  if (isSilent)
    wrong.unshift('its agent has written nothing for a quarter of an hour: the rest is as it was then');
  if (!isNode) wrong.unshift('there is no Node of this name: the controller will remove what it left');
  return {
    node,
    agent: isSilent ? 'silent' : 'reports',
    isReady: !isSilent && isNode && status.ready === 'True',
    isNode,
    ...(version !== undefined && { version }),
    ...(asNumber !== undefined && { asNumber }),
    established: status.established ?? 0,
    wanted: status.configured ?? 0,
    blocks: blocks.length,
    addressesInUse: blocks.reduce((sum, { used }) => sum + used, 0),
    ...(leaked !== undefined && { leaked }),
    problems: problems.length,
    ...(updatedAt !== undefined && { updatedAt }),
    ...(ageSeconds !== undefined && { ageSeconds }),
    wrong,
  };
}
