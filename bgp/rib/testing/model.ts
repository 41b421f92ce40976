// A RIB as simple as it can be written: lists of objects, everything computed anew. What rib.ts does with
// columns, batches and shared streams must come to the same tables. Sending is in model-export.ts.
import type { Family } from '#ip';
import type { DecisionRules } from '../table/decision-steps.ts';
import { OWN_AS } from './fake-session.ts';
import { exported } from './model-export.ts';
import {
  apply,
  type Changed,
  familyOf,
  isIbgp,
  keyOfUsed,
  LOCAL,
  type ModelPath,
  type ModelPeer,
  OWN_ID,
  type Told,
} from './model-routes.ts';
import type { WireAttributes } from '../../testing/message-bytes.ts';

export class Model implements Told {
  /** With a session, or away. */
  readonly peers = new Map<string, ModelPeer>();
  /** Without a session, their paths kept (RFC 4724). */
  readonly away = new Set<string>();
  paths: ModelPath[] = [];
  rules: DecisionRules = { ebgp: 1, ibgp: 1, relax: false };
  clusterId = OWN_ID;
  /** What was said of next hops: absent is reachable at metric 0, undefined is unreachable. */
  readonly metrics = new Map<string, number | undefined>();
  readonly #refreshing = new Set<string>();

  announce(peer: string, prefix: string, pathId: number, a: WireAttributes): void {
    this.withdraw(peer, prefix, pathId);
    this.paths.push({ peer, prefix, pathId, a, isStale: false });
  }

  withdraw(peer: string, prefix: string, pathId: number): void {
    this.paths = this.paths.filter((p) => p.peer !== peer || p.prefix !== prefix || p.pathId !== pathId);
  }

  down(peer: string): void {
    this.paths = this.paths.filter((p) => p.peer !== peer);
    this.peers.delete(peer);
    this.away.delete(peer);
    for (const family of ['ipv4', 'ipv6']) this.#refreshing.delete(`${peer} ${family}`);
  }

  goesAway(peer: string): void {
    this.away.add(peer);
    for (const family of ['ipv4', 'ipv6']) this.#refreshing.delete(`${peer} ${family}`);
  }

  /** All that it had is stale until its End-of-RIB. With another identifier it is somebody else. */
  comesBack(peer: string, isSame: boolean): void {
    if (!isSame) this.down(peer);
    this.away.delete(peer);
    this.paths = this.paths.map((p) => (p.peer === peer ? { ...p, isStale: true } : p));
  }

  endOfRib(peer: string, family: Family): void {
    this.paths = this.paths.filter((p) => p.peer !== peer || familyOf(p.prefix) !== family || !p.isStale);
  }

  /** RFC 7313. The peer has sent its End-of-RIB. */
  refreshBegins(peer: string, family: Family): void {
    const key = `${peer} ${family}`;
    if (this.#refreshing.has(key)) return;
    this.#refreshing.add(key);
    this.paths = this.paths.map((p) =>
      p.peer === peer && familyOf(p.prefix) === family ? { ...p, isStale: true } : p,
    );
  }

  refreshEnds(peer: string, family: Family): void {
    if (this.#refreshing.delete(`${peer} ${family}`)) this.endOfRib(peer, family);
  }

  /** What a peer must hold of a family: 'prefix' -> attributes; with ADD-PATH a sorted list of them. */
  view(id: string, family: Family): Record<string, string | string[]> {
    const to = this.peers.get(id)!;
    const out: Record<string, string | string[]> = {};
    if (to.families?.includes(family) === false) return out;
    for (const prefix of this.prefixes(family)) {
      const usable = this.usable(prefix);
      const best = this.best(usable);
      if (to.addPathSend === true) {
        const all = this.#few(usable, to).flatMap((p) => exported(this, p, to) ?? []);
        if (all.length > 0) out[prefix] = all.sort();
      } else if (best !== undefined) {
        const text = exported(this, best, to);
        if (text !== undefined) out[prefix] = text;
      }
    }
    return out;
  }

  /** Of what may go to others of its kind the best, whether it came from there or not. */
  #few(usable: readonly ModelPath[], to: ModelPeer): readonly ModelPath[] {
    const { addPathLimit } = to.config;
    if (addPathLimit === undefined) return usable;
    const anybody = { ...to, id: '', address: '' };
    let left = usable.filter((p) => exported(this, p, anybody) !== undefined);
    const few: ModelPath[] = [];
    while (few.length < addPathLimit && left.length > 0) {
      const best = this.best(left)!;
      few.push(best);
      left = left.filter((p) => p !== best);
    }
    return few;
  }

  /** What the kernel must be told of a family: 'local', or the addresses used together, sorted. */
  forwarding(family: Family): Record<string, string> {
    const out: Record<string, string> = {};
    for (const prefix of this.prefixes(family)) {
      const usable = this.usable(prefix);
      const best = this.best(usable);
      if (best !== undefined) out[prefix] = best.peer === LOCAL ? 'local' : this.#together(best, usable);
    }
    return out;
  }

  prefixes(family: Family): Set<string> {
    return new Set(this.paths.map((p) => p.prefix).filter((prefix) => familyOf(prefix) === family));
  }

  /** Of more equal paths than may be used, those are used that the tie-break puts first. */
  #together(best: ModelPath, usable: readonly ModelPath[]): string {
    const isEbgp = !this.isIbgp(best.peer);
    const most = isEbgp ? this.rules.ebgp : this.rules.ibgp;
    const equal = usable
      .filter((p) => p !== best && this.#upToMetric(best, p) === 0 && this.#mayJoin(best, p, isEbgp))
      .filter((p) => !usable.some((other) => this.#upToOrigin(other, p) === 0 && this.#byMed(other, p) < 0))
      .sort((x, y) => this.#tieBreak(x, y));
    const hops = [best, ...equal].map((p) => this.hopKey(p));
    return [...new Set(hops)].slice(0, most).sort().join(' ');
  }

  #mayJoin(best: ModelPath, other: ModelPath, isEbgp: boolean): boolean {
    if (this.rules.relax) return true;
    if (isEbgp) return (best.a.path[0] ?? 0) === (other.a.path[0] ?? 0);
    return best.a.path.join() === other.a.path.join();
  }

  /** Paths that may be chosen, as import policy left them. */
  usable(prefix: string): ModelPath[] {
    const out: ModelPath[] = [];
    for (const path of this.paths) {
      if (path.prefix !== prefix) continue;
      const accepted = path.peer === LOCAL ? path.a : this.#accepted(path);
      if (typeof accepted === 'string') continue;
      const used = { ...path, a: accepted };
      if (path.peer === LOCAL || !this.#isUnreachable(used)) out.push(used);
    }
    return out;
  }

  /** What a peer sent, by what became of it. */
  counts(id: string, family: Family): Record<string, number> {
    const paths = this.paths.filter((path) => path.peer === id && familyOf(path.prefix) === family);
    const all = paths.map((path) => this.#accepted(path));
    const own = new Set(this.paths.filter(({ peer }) => peer === LOCAL).map(({ prefix }) => prefix));
    const [filtered, ineligible, loops, hops] = ['filtered', 'ineligible', 'loop', 'hop'].map(
      (is) => all.filter((a) => a === is).length,
    );
    return {
      ownAsLoops: loops!,
      unfitHops: hops!,
      ownReturns: paths.filter(({ prefix }, i) => all[i] === 'loop' && own.has(prefix)).length,
      received: all.length,
      accepted: all.length - filtered! - ineligible! - loops! - hops!,
      filtered: filtered!,
      dropped: 0,
      ineligible: ineligible! + loops! + hops!,
    };
  }

  /** A path's attributes as import policy leaves them, or why there are none. */
  #accepted(path: ModelPath): Changed | 'filtered' | 'ineligible' | 'loop' | 'hop' {
    const peer = this.peers.get(path.peer)!;
    const isIbgp = this.isIbgp(path.peer);
    const localAs = peer.localAs ?? OWN_AS;
    const own = path.a.path.filter((as) => as === OWN_AS || as === localAs).length;
    if (own > peer.config.allowedLocalAs) return 'loop';
    if (isIbgp && (path.a.originator === OWN_ID || path.a.clusterList?.includes(this.clusterId)))
      return 'ineligible';
    if (this.#ownAddresses().has(this.hopKey(path))) return 'hop';
    if (!isIbgp && peer.config.enforceFirstAs && path.a.path[0] !== peer.as) return 'ineligible';
    // RFC 9234 section 5, by our role.
    const role = isIbgp ? undefined : peer.config.role;
    const isFromAbove = role === 'customer' || role === 'peer' || role === 'rs-client';
    const otc = path.a.otc ?? (isFromAbove ? peer.as : undefined);
    if (otc !== undefined && (role === 'provider' || role === 'rs')) return 'ineligible';
    if (otc !== undefined && role === 'peer' && otc !== peer.as) return 'ineligible';
    const isShutDown = path.a.communities?.includes(0xffff0000) === true;
    const localPref = isIbgp ? (path.a.localPref ?? 100) : 100;
    const a = { ...path.a, localPref, ...(otc === undefined ? {} : { otc }) };
    const accepted = apply(peer.config.import, path.prefix, a, isIbgp ? 'ibgp' : 'ebgp');
    if (accepted === undefined) return 'filtered';
    const { givenHop, ...rest } = accepted;
    const shutDown = isShutDown && !isIbgp ? { ...rest, weight: 0, localPref: 0 } : rest;
    if (givenHop === undefined) return shutDown;
    return this.#withHop(path, shutDown, givenHop === 'peer' ? peer.address : givenHop);
  }

  /** What a policy made of its next hop. */
  #withHop(path: ModelPath, a: Changed, nextHop: string): Changed | 'filtered' | 'hop' {
    if (nextHop === 'self' || (familyOf(path.prefix) === 'ipv6' && !nextHop.includes(':'))) return 'filtered';
    const changed = { ...a, nextHop };
    return this.#ownAddresses().has(this.hopKey({ ...path, a: changed })) ? 'hop' : changed;
  }

  /** Addresses of ours on sessions that are up. */
  #ownAddresses(): Set<string> {
    const all = [...this.peers.values()].flatMap((peer) => [
      keyOfUsed(peer.localAddress, peer.device),
      ...Object.values(peer.config.nextHopSelf),
      ...[peer.negotiated?.sharedLink?.ipv4, peer.negotiated?.sharedLink?.ipv6].filter(
        (a) => a !== undefined,
      ),
    ]);
    return new Set(all);
  }

  /** The address that forwarding uses, with its link. */
  hopKey(path: ModelPath): string {
    return keyOfUsed(path.a.nextHop, this.peers.get(path.peer)?.device);
  }

  #isUnreachable(path: ModelPath): boolean {
    const key = this.hopKey(path);
    return this.metrics.has(key) && this.metrics.get(key) === undefined;
  }

  best(paths: readonly ModelPath[]): ModelPath | undefined {
    const groups = new Map<number, ModelPath>();
    for (const path of paths) {
      const as = this.rules.alwaysCompareMed === true ? 0 : (path.a.path[0] ?? 0);
      const other = groups.get(as);
      if (other === undefined || this.#compare(path, other) < 0) groups.set(as, path);
    }
    return [...groups.values()].sort((x, y) => this.#compare(x, y))[0];
  }

  #compare(x: ModelPath, y: ModelPath): number {
    return this.#upToMetric(x, y) || this.#tieBreak(x, y);
  }

  #upToMetric(x: ModelPath, y: ModelPath): number {
    const metric = (p: ModelPath): number => (p.peer === LOCAL ? 0 : (this.metrics.get(this.hopKey(p)) ?? 0));
    return (
      this.#upToOrigin(x, y) ||
      this.#byMed(x, y) ||
      Number(this.isIbgp(x.peer)) - Number(this.isIbgp(y.peer)) ||
      metric(x) - metric(y)
    );
  }

  #upToOrigin(x: ModelPath, y: ModelPath): number {
    return (
      Number(y.peer === LOCAL) - Number(x.peer === LOCAL) ||
      (y.a.weight ?? 0) - (x.a.weight ?? 0) ||
      (y.a.localPref ?? 100) - (x.a.localPref ?? 100) ||
      x.a.path.length - y.a.path.length ||
      (x.a.origin ?? 0) - (y.a.origin ?? 0)
    );
  }

  #byMed(x: ModelPath, y: ModelPath): number {
    const isCompared = this.rules.alwaysCompareMed === true || (x.a.path[0] ?? 0) === (y.a.path[0] ?? 0);
    const missing = this.rules.missingMedAsWorst === true ? 2 ** 32 - 1 : 0;
    return isCompared ? (x.a.med ?? missing) - (y.a.med ?? missing) : 0;
  }

  #tieBreak(x: ModelPath, y: ModelPath): number {
    const peerX = this.peers.get(x.peer);
    const peerY = this.peers.get(y.peer);
    if (peerX === undefined || peerY === undefined) return 0;
    const [hexX, hexY] = [sortable(peerX.address), sortable(peerY.address)];
    return (
      number(x.a.originator ?? peerX.routerId) - number(y.a.originator ?? peerY.routerId) ||
      (x.a.clusterList?.length ?? 0) - (y.a.clusterList?.length ?? 0) ||
      (hexX < hexY ? -1 : hexX > hexY ? 1 : 0) ||
      x.pathId - y.pathId
    );
  }

  isIbgp(id: string): boolean {
    const peer = this.peers.get(id);
    return peer !== undefined && isIbgp(peer);
  }
}

function number(address: string): number {
  return address.split('.').reduce((n, part) => n * 256 + Number(part), 0);
}

/** Compares like the octets do: the RIB puts an IPv4 address into the first word. */
function sortable(address: string): string {
  if (!address.includes(':')) return number(address).toString(16).padStart(8, '0');
  const [head = '', tail = ''] = address.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const [left, right] = [groups(head), groups(tail)];
  const zeros = Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join('');
}
