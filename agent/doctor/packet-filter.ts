// Packet filters that drop what the node forwards unless a rule takes it: Docker's FORWARD policy, a firewall of the host.
// Found in nftables (so also what iptables-nft has made) and in the older iptables; more than a chain's policy and rules
// that take the pods' prefixes are not understood.
import { type Family, familyOf } from '#ip';
import { type Finding, good, notTested, shellWord, warning, wrong } from './finding.ts';
import { covers, type Patient, podPrefixes, readText } from './patient.ts';

export interface DroppingChain {
  /** 'ip', 'ip6', 'inet' */
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly kind: 'nft' | 'iptables';
  /** Docker's chain for rules of others is there. */
  readonly hasUserChain: boolean;
  /** What rules of that table take whatever it is otherwise. */
  readonly takes: readonly Taken[];
}

type Side = 'saddr' | 'daddr';
type Taken = { readonly side: 'all' } | { readonly side: Side; readonly prefix: string };

export async function lookAtPacketFilter(patient: Patient): Promise<Finding[]> {
  if (!patient.isRoot) return [notTested('packet filters need root to be read')];
  const [pods, nft, legacy] = await Promise.all([
    podPrefixes(patient),
    nftChains(patient),
    legacyChains(patient),
  ]);
  const isKnown = nft !== undefined || legacy !== undefined;
  if (!isKnown) return [notTested('no program nft here that could tell of packet filters')];
  return judgePacketFilter([...(nft ?? []), ...(legacy ?? [])], pods);
}

export function judgePacketFilter(chains: readonly DroppingChain[], pods: readonly string[]): Finding[] {
  const findings = chains.flatMap((chain) => {
    const concerned = pods.filter((prefix) => isOf(chain.family, familyOf(prefix)));
    if (pods.length === 0) {
      const what = `${nameOf(chain)} drops what no rule takes, and which prefixes are pods' is not known without an agent`;
      return [warning(what)];
    }
    const refused = concerned.filter((prefix) => !isTaken(chain, prefix));
    if (refused.length === 0) return [];
    const what = `${nameOf(chain)} drops what no rule takes, and none takes the pods' ${refused.join(', ')}`;
    return [
      wrong(
        `${what}: packets between pods and others end here`,
        ...refused.flatMap((prefix) => taking(chain, prefix)),
      ),
    ];
  });
  return findings.length > 0 ? findings : [good("no chain that drops by policy stands in the pods' way")];
}

const nameOf = ({ kind, family, table, chain }: DroppingChain): string =>
  kind === 'nft' ? `chain ${chain} of nft table ${family} ${table}` : `chain ${chain} of iptables`;

const isOf = (family: string, of: Family): boolean =>
  family === 'inet' || family === (of === 'ipv4' ? 'ip' : 'ip6');

function isTaken({ takes }: DroppingChain, prefix: string): boolean {
  const by = (side: Side) =>
    takes.some((rule) => rule.side === 'all' || (rule.side === side && covers(rule.prefix, prefix)));
  return by('saddr') && by('daddr');
}

function taking({ kind, family, table, chain, hasUserChain }: DroppingChain, prefix: string): string[] {
  const into = hasUserChain ? 'DOCKER-USER' : chain;
  if (kind === 'nft') {
    const word = familyOf(prefix) === 'ipv6' ? 'ip6' : 'ip';
    return ['saddr', 'daddr'].map(
      (side) =>
        `nft insert rule ${family} ${shellWord(table)} ${shellWord(into)} ${word} ${side} ${prefix} accept`,
    );
  }
  const program = familyOf(prefix) === 'ipv6' ? 'ip6tables' : 'iptables';
  return ['-s', '-d'].map((side) => `${program} -I ${into} ${side} ${prefix} -j ACCEPT`);
}

interface NftChain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

async function nftChains(patient: Patient): Promise<DroppingChain[] | undefined> {
  const answer = await patient.run(['nft', '-j', 'list', 'chains']);
  if (answer === undefined || answer.exitCode !== 0) return undefined;
  const chains = itemsOf(answer.stdout).flatMap(({ chain }) =>
    chain === undefined ? [] : [chain as NftChain],
  );
  const dropping = chains.filter(({ hook, policy }) => hook === 'forward' && policy === 'drop');
  return Promise.all(
    dropping.map(async ({ family, table, name }) => {
      const rules = await patient.run(['nft', '-j', 'list', 'table', family, table]);
      const inTable = (other: string) =>
        chains.some((one) => one.family === family && one.table === table && one.name === other);
      return {
        ...{ family, table, chain: name, kind: 'nft' as const },
        hasUserChain: inTable('DOCKER-USER'),
        takes: takesOf(rules?.stdout ?? ''),
      };
    }),
  );
}

type NftItem = Readonly<Record<string, unknown>>;

function itemsOf(text: string): readonly NftItem[] {
  try {
    return (JSON.parse(text) as { nftables?: NftItem[] }).nftables ?? [];
  } catch {
    return [];
  }
}

/** Rules that accept by a source or destination alone, or everything. Pure. */
export function takesOf(text: string): readonly Taken[] {
  return itemsOf(text).flatMap(({ rule }): Taken[] => {
    const expressions = ((rule as { expr?: NftItem[] } | undefined)?.expr ?? []).filter(
      (one) => !('counter' in one) && !('comment' in one),
    );
    const last = expressions.at(-1);
    if (last === undefined || !('accept' in last)) return [];
    const matches = expressions.slice(0, -1);
    if (matches.length === 0) return [{ side: 'all' }];
    const match = matches.length === 1 ? (matches[0]!['match'] as NftMatch | undefined) : undefined;
    const side = match?.left?.payload?.field;
    const prefix = prefixOf(match?.right);
    if (match?.op !== '==' || prefix === undefined || (side !== 'saddr' && side !== 'daddr')) return [];
    return [{ side, prefix }];
  });
}

interface NftMatch {
  readonly op?: string;
  readonly left?: { readonly payload?: { readonly field?: string } };
  readonly right?: string | { readonly prefix?: { readonly addr: string; readonly len: number } };
}

function prefixOf(right: NftMatch['right']): string | undefined {
  if (typeof right === 'string') return `${right}/${right.includes(':') ? 128 : 32}`;
  return right?.prefix === undefined ? undefined : `${right.prefix.addr}/${right.prefix.len}`;
}

/** The older iptables, asked only where it is in use: to ask would load it. */
async function legacyChains(patient: Patient): Promise<DroppingChain[] | undefined> {
  const places = [
    ['ip', '/proc/net/ip_tables_names', 'iptables-legacy'],
    ['ip6', '/proc/net/ip6_tables_names', 'ip6tables-legacy'],
  ] as const;
  const found = await Promise.all(
    places.map(async ([family, names, program]) => {
      const tables = (await readText(patient, names).catch(() => undefined)) ?? '';
      if (!tables.split('\n').includes('filter')) return undefined;
      const answer = await patient.run([program, '-S']);
      return answer === undefined || answer.exitCode !== 0 ? undefined : legacyDrops(family, answer.stdout);
    }),
  );
  const known = found.filter((chains) => chains !== undefined);
  return known.length === 0 ? undefined : known.flat();
}

/** Reads `iptables -S`. Pure. */
export function legacyDrops(family: 'ip' | 'ip6', text: string): DroppingChain[] {
  const lines = text.split('\n');
  if (!lines.includes('-P FORWARD DROP')) return [];
  const takes = lines.flatMap((line): Taken[] => {
    const match = /^-A (?:FORWARD|DOCKER-USER)(?: -([sd]) (\S+))? -j ACCEPT$/.exec(line);
    if (match === null) return [];
    if (match[2] === undefined) return [{ side: 'all' }];
    return [{ side: match[1] === 's' ? 'saddr' : 'daddr', prefix: match[2] }];
  });
  const hasUserChain = lines.includes('-N DOCKER-USER');
  return [{ family, table: 'filter', chain: 'FORWARD', kind: 'iptables', hasUserChain, takes }];
}
