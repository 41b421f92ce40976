// A RIB as simple as it can be written: lists of objects, everything computed anew. What rib.ts does with
// columns, batches and shared streams must come to the same tables.
import { formatCommunity } from '../../message/index.ts';
import type { Policy, PolicyTerm } from '../../policy/policy.ts';
import { type FakePeerOptions, OWN_AS } from './fake-session.ts';
import type { WireAttributes } from '../../testing/message-bytes.ts';

export interface ModelPeer extends FakePeerOptions {
  import: Policy;
  export: Policy;
}

export interface ModelPath {
  readonly peer: string;
  readonly prefix: string;
  readonly pathId: number;
  readonly a: WireAttributes;
}

const OWN_ID = '10.0.0.1';

export class Model {
  readonly peers = new Map<string, ModelPeer>();
  paths: ModelPath[] = [];
  readonly unreachable = new Set<string>();

  announce(peer: string, prefix: string, pathId: number, a: WireAttributes): void {
    this.withdraw(peer, prefix, pathId);
    this.paths.push({ peer, prefix, pathId, a });
  }

  withdraw(peer: string, prefix: string, pathId: number): void {
    this.paths = this.paths.filter((p) => p.peer !== peer || p.prefix !== prefix || p.pathId !== pathId);
  }

  down(peer: string): void {
    this.paths = this.paths.filter((p) => p.peer !== peer);
    this.peers.delete(peer);
  }

  /** What a peer must hold: 'prefix' -> attributes; with ADD-PATH a sorted list of them. */
  view(id: string): Record<string, string | string[]> {
    const to = this.peers.get(id)!;
    const out: Record<string, string | string[]> = {};
    for (const prefix of new Set(this.paths.map((p) => p.prefix))) {
      const usable = this.usable(prefix);
      const best = this.best(usable);
      if (to.addPathSend === true) {
        const all = usable.map((p) => this.#exported(p, to)).filter((t) => t !== undefined);
        if (all.length > 0) out[prefix] = all.sort();
      } else if (best !== undefined) {
        const text = this.#exported(best, to);
        if (text !== undefined) out[prefix] = text;
      }
    }
    return out;
  }

  /** Paths that may be chosen, as import policy left them. */
  usable(prefix: string): ModelPath[] {
    const out: ModelPath[] = [];
    for (const path of this.paths) {
      if (path.prefix !== prefix || this.unreachable.has(path.a.nextHop)) continue;
      const accepted = this.#accepted(path);
      if (typeof accepted !== 'string') out.push({ ...path, a: accepted });
    }
    return out;
  }

  /** What a peer sent, by what became of it. */
  counts(id: string): {
    received: number;
    accepted: number;
    filtered: number;
    ineligible: number;
    ownAsLoops: number;
  } {
    const paths = this.paths.filter((path) => path.peer === id);
    const all = paths.map((path) => this.#accepted(path));
    const [filtered, ineligible] = ['filtered', 'ineligible'].map((is) => all.filter((a) => a === is).length);
    return {
      ownAsLoops: paths.filter(({ a }) => a.path.includes(OWN_AS)).length,
      received: all.length,
      accepted: all.length - filtered! - ineligible!,
      filtered: filtered!,
      ineligible: ineligible!,
    };
  }

  /** A path's attributes as import policy leaves them, or why there are none. */
  #accepted(path: ModelPath): WireAttributes | 'filtered' | 'ineligible' {
    const peer = this.peers.get(path.peer)!;
    if (path.a.path.includes(OWN_AS) || path.a.nextHop === OWN_ID) return 'ineligible';
    if (isIbgp(peer) && (path.a.originator === OWN_ID || path.a.clusterList?.includes(OWN_ID)))
      return 'ineligible';
    const localPref = isIbgp(peer) ? (path.a.localPref ?? 100) : 100;
    const a = { ...path.a, localPref };
    return apply(peer.import, path.prefix, a, isIbgp(peer) ? 'ibgp' : 'ebgp') ?? 'filtered';
  }

  best(paths: readonly ModelPath[]): ModelPath | undefined {
    const groups = new Map<number, ModelPath>();
    for (const path of paths) {
      const as = path.a.path[0] ?? 0;
      const other = groups.get(as);
      if (other === undefined || this.#compare(path, other) < 0) groups.set(as, path);
    }
    return [...groups.values()].sort((x, y) => this.#compare(x, y))[0];
  }

  #compare(x: ModelPath, y: ModelPath): number {
    const peerX = this.peers.get(x.peer)!;
    const peerY = this.peers.get(y.peer)!;
    const sameAs = (x.a.path[0] ?? 0) === (y.a.path[0] ?? 0);
    const id = (p: ModelPath, peer: ModelPeer): number => number(p.a.originator ?? peer.address);
    return (
      (y.a.localPref ?? 100) - (x.a.localPref ?? 100) ||
      x.a.path.length - y.a.path.length ||
      (x.a.origin ?? 0) - (y.a.origin ?? 0) ||
      (sameAs ? (x.a.med ?? 0) - (y.a.med ?? 0) : 0) ||
      Number(isIbgp(peerX)) - Number(isIbgp(peerY)) ||
      id(x, peerX) - id(y, peerY) ||
      (x.a.clusterList?.length ?? 0) - (y.a.clusterList?.length ?? 0) ||
      number(peerX.address) - number(peerY.address) ||
      x.pathId - y.pathId
    );
  }

  #exported(path: ModelPath, to: ModelPeer): string | undefined {
    if (path.peer === to.id) return undefined;
    const from = this.peers.get(path.peer)!;
    const reflected = isIbgp(from) && isIbgp(to);
    if (reflected && from.client !== true && to.client !== true) return undefined;
    if (path.a.communities?.includes(0xffffff02)) return undefined;
    if (!isIbgp(to) && path.a.communities?.includes(0xffffff01)) return undefined;
    const a = apply(to.export, path.prefix, { ...path.a, isMedSet: false }, isIbgp(from) ? 'ibgp' : 'ebgp');
    if (a === undefined) return undefined;
    if (isIbgp(to) && path.a.nextHop === to.address) return undefined;
    const parts: string[] = [];
    parts.push(`nh=${isIbgp(to) ? path.a.nextHop : OWN_ID}`);
    parts.push(`path=${(isIbgp(to) ? a.path : [OWN_AS, ...a.path]).join(',')}`);
    if (isIbgp(to)) parts.push(`lp=${a.localPref ?? 100}`);
    if (a.med !== undefined && (isIbgp(to) || a.isMedSet === true)) parts.push(`med=${a.med}`);
    if (a.communities !== undefined) parts.push(`comm=${a.communities.map(formatCommunity).join(',')}`);
    if (reflected)
      parts.push(`orig=${a.originator ?? from.address}`, `cl=${(a.clusterList?.length ?? 0) + 1}`);
    return parts.join(' ');
  }
}

function isIbgp(peer: ModelPeer): boolean {
  return peer.as === OWN_AS;
}

function number(address: string): number {
  return address.split('.').reduce((n, part) => n * 256 + Number(part), 0);
}

/** MED goes to eBGP only when the export policy set it. */
type Changed = WireAttributes & { readonly isMedSet?: boolean };

/** Only what the test's policies use: prefix 'equal', source, and sets. */
function apply(policy: Policy, prefix: string, a: Changed, source: 'ebgp' | 'ibgp'): Changed | undefined {
  let out = a;
  for (const term of policy.terms) {
    if (!matches(term, prefix, source)) continue;
    if (term.action.verdict === 'reject') return undefined;
    const set = term.action.set;
    if (set?.localPref !== undefined) out = { ...out, localPref: set.localPref };
    if (set?.med !== undefined) out = { ...out, med: set.med, isMedSet: true };
    if (set?.prependAs !== undefined) out = { ...out, path: [...set.prependAs, ...out.path] };
    if (term.action.verdict === 'accept') return out;
  }
  return policy.otherwise === 'accept' ? out : undefined;
}

function matches(term: PolicyTerm, prefix: string, source: string): boolean {
  const { prefixes, source: wanted } = term.match;
  if (wanted !== undefined && wanted !== source && wanted !== 'remote') return false;
  return prefixes === undefined || prefixes.some((rule) => rule.prefix === prefix);
}
