// The rules of the decision (RFC 4271 section 9.1.2, RFC 4456 section 9) written once more, for objects.
import { HAS_LLGR_STALE, PRESENT_MED } from '../../message/index.ts';
import * as decision from '../table/decision-steps.ts';
import { KIND_EBGP, KIND_LOCAL } from '../table/peer-slots.ts';
import { DEAD, FILTERED, INELIGIBLE } from '../table/rib-table.ts';
import type { Attributes, Hop, Path, Peer, Scene } from './decision-scenes.ts';

/** The rules, with paths as numbers into scene.paths, which are the ids of the columns. */
export class Rules {
  readonly #scene: Scene;
  readonly #hasIds: boolean;

  constructor(scene: Scene, hasIds: boolean) {
    this.#scene = scene;
    this.#hasIds = hasIds;
  }

  peer(path: number): Peer {
    return this.#scene.peers[this.#scene.paths[path]!.peer]!;
  }
  a(path: number): Attributes {
    return this.#scene.attributes[this.#scene.paths[path]!.attributes]!;
  }
  hop(path: number): Hop | undefined {
    return this.#scene.hops[this.a(path).nextHop];
  }

  refusal(path: number): number {
    const { age, flags } = this.#scene.paths[path]!;
    if (age > this.peer(path).kept) return decision.GONE;
    if ((flags & DEAD) !== 0) return decision.WITHDRAWN;
    if ((flags & INELIGIBLE) !== 0) return decision.FORBIDDEN;
    if ((flags & FILTERED) !== 0) return decision.FILTERED_BY_POLICY;
    return this.hop(path)?.isReachable === false ? decision.NEXT_HOP_UNREACHABLE : decision.USABLE;
  }

  get usable(): number[] {
    return this.#scene.paths.map((_, i) => i).filter((i) => this.refusal(i) === decision.USABLE);
  }

  /** The first step that tells two paths apart, negative when the first is better. */
  compare(x: number, y: number, upToMetric = false): number {
    const [a, b, p, q] = [this.a(x), this.a(y), this.peer(x), this.peer(y)];
    const [pathX, pathY] = [this.#scene.paths[x]!, this.#scene.paths[y]!];
    const isLongLived = (path: Path): number =>
      this.#scene.attributes[path.attributes]!.flags & HAS_LLGR_STALE;
    const metric = (path: number): number => this.hop(path)?.metric ?? 0;
    const isSameSet = pathX.attributes === pathY.attributes;
    const steps: [number, number][] = [
      [decision.STEP_LONG_LIVED_STALE, isLongLived(pathX) - isLongLived(pathY)],
      [decision.STEP_LOCAL, Number(q.kind === KIND_LOCAL) - Number(p.kind === KIND_LOCAL)],
      [decision.STEP_WEIGHT, b.variant - a.variant],
      [decision.STEP_LOCAL_PREF, b.localPref - a.localPref],
      [decision.STEP_AS_PATH_LENGTH, a.pathLength - b.pathLength],
      [decision.STEP_ORIGIN, a.origin - b.origin],
      [decision.STEP_MED, this.#comparesMed(a, b) ? this.#med(a) - this.#med(b) : 0],
      [decision.STEP_EBGP, p.kind === q.kind ? 0 : p.kind === KIND_EBGP ? -1 : 1],
      [decision.STEP_METRIC, isSameSet ? 0 : metric(x) - metric(y)],
    ];
    if (!upToMetric) {
      steps.push([decision.STEP_ROUTER_ID, (a.originator || p.routerId) - (b.originator || q.routerId)]);
      steps.push([decision.STEP_CLUSTER_LIST, a.clusterLength - b.clusterLength]);
      for (let i = 0; i < 4; i++) steps.push([decision.STEP_PEER_ADDRESS, p.address[i]! - q.address[i]!]);
      // Two sessions with one address: the one that came up first.
      steps.push([decision.STEP_PEER_ADDRESS, pathX.peer - pathY.peer]);
      steps.push([decision.STEP_PATH_ID, this.#hasIds ? pathX.receivedId - pathY.receivedId : 0]);
    }
    const [step, difference] = steps.find(([, d]) => d !== 0) ?? [0, 0];
    return difference < 0 ? -step : step;
  }

  #comparesMed(a: Attributes, b: Attributes): boolean {
    return this.#scene.rules.alwaysCompareMed === true || a.neighborAs === b.neighborAs;
  }

  #med({ med, present }: Attributes): number {
    return (present & PRESENT_MED) !== 0
      ? med
      : this.#scene.rules.missingMedAsWorst === true
        ? 2 ** 32 - 1
        : 0;
  }

  /** Paths that nothing tells apart may come in any order. */
  get areAllDifferent(): boolean {
    const all = this.usable;
    return all.every((x) => all.every((y) => x === y || this.compare(x, y) !== 0));
  }

  get best(): number {
    const { alwaysCompareMed } = this.#scene.rules;
    const groups = Map.groupBy(this.usable, (path) => alwaysCompareMed === true || this.a(path).neighborAs);
    const first = (paths: number[]): number => paths.sort((x, y) => this.compare(x, y))[0]!;
    const best = [...groups.values()].map(first);
    return best.length === 0 ? -1 : first(best);
  }

  /** With the best: what is equal to it, one of each next hop, as many as are allowed. */
  together(best: number): number[] {
    const { rules, out } = this.#scene;
    const isEbgp = this.peer(best).kind === KIND_EBGP;
    const equal = this.usable
      .filter((path) => path !== best && this.compare(best, path, true) === 0)
      // Those that another of their AS beats are out, whoever the best is.
      .filter((path) => this.usable.every((other) => this.compare(other, path) !== -decision.STEP_MED))
      .filter((path) => {
        if (rules.relax) return true;
        return isEbgp
          ? this.a(path).neighborAs === this.a(best).neighborAs
          : this.a(path).path === this.a(best).path;
      })
      .sort((x, y) => this.compare(x, y));
    const hops: (number | undefined)[] = [];
    return [best, ...equal]
      .filter((path) => {
        const { nextHop } = this.a(path);
        const key = nextHop < 0 ? undefined : this.hop(path)!.address;
        if (hops.includes(key)) return false;
        hops.push(key);
        return true;
      })
      .slice(0, Math.min(isEbgp ? rules.ebgp : rules.ibgp, out));
  }
}
