// A RIB and its model side by side: what a command does to one it does to the other, and both must come to the same
// tables, counts, forwarding and views. A name stands for a block of prefixes (one, or thousands), so that the model
// stays small where the RIB needs many turns. Commands are drawn in model-commands.ts.
import assert from 'node:assert/strict';
import { type Family, FAMILIES, familyIndex, formatOctets } from '#ip';
import { formatCommunity } from '../../message/index.ts';
import { ACCEPT_ALL, type Policy } from '../../policy/policy.ts';
import { peerRoutes } from '../../speaker-status.ts';
import { Model } from './model.ts';
import { familyOf, LOCAL, type ModelPeer } from './model-routes.ts';
import { CLUSTER_IDS, DECISIONS, policiesFor, type Scale, TRACKED, widened } from './model-scene.ts';
import { RibLab } from './rib-lab.ts';
import { message, type WireAttributes } from '../../testing/message-bytes.ts';

/** Longer than any scene. */
const KEPT = {
  restartSeconds: 1e9,
  families: FAMILIES.map((family) => ({ family, longLivedSeconds: 0 })),
};
const END_OF_RIB = [message(2, '0000 0000'), message(2, '0000 0006 800f03 0002 01')] as const;

export class ModelWorld {
  readonly lab: RibLab;
  readonly model = new Model();
  readonly policies: readonly Policy[];
  readonly #scale: Scale;
  readonly #nameOf = new Map<string, string>();
  /** What a kernel would have that does as it is told, and never looks by itself. */
  readonly #kernel = new Map<string, string>();
  readonly #policyOf = new Map<string, { import: Policy; export: Policy }>();
  readonly #configured = new Map<string, ModelPeer>();

  constructor(scale: Scale, peers: readonly ModelPeer[]) {
    this.#scale = scale;
    this.policies = policiesFor(scale.names);
    for (const name of scale.names)
      for (const prefix of scale.prefixesOf(name)) this.#nameOf.set(prefix, name);
    this.lab = new RibLab(DECISIONS[0], scale.grain);
    const { rib } = this.lab;
    rib.nextHops.setTracker({
      track: (address, device) => {
        const key = device === undefined ? address : `${address}%${device}`;
        if (!this.model.metrics.has(key)) return;
        const metric = this.model.metrics.get(key);
        rib.updateNextHop(address, metric !== undefined, metric ?? 0, device);
      },
      untrack: () => {},
    });
    rib.forwarding.subscribe(({ family, prefixIds, count }) => {
      for (let i = 0; i < count; i++) this.#forward(family, prefixIds[i]!);
    });
    for (const known of peers) this.#configured.set(known.id, known);
    for (const known of peers) this.up(known.id, known.routerId);
  }

  isUp(id: string): boolean {
    return this.model.peers.has(id) && !this.model.away.has(id);
  }

  up(id: string, routerId: string): void {
    const known = this.#configured.get(id)!;
    const now = { ...known, routerId, negotiated: { ...known.negotiated, remoteRouterId: routerId } };
    const { import: wantedImport, export: wantedExport } = this.#policies(id);
    const config = {
      ...now.config,
      import: widened(wantedImport, this.#scale),
      export: widened(wantedExport, this.#scale),
    };
    this.lab.up({ ...now, config });
    this.model.peers.set(id, {
      ...now,
      config: { ...now.config, import: wantedImport, export: wantedExport },
    });
  }

  down(id: string): void {
    this.lab.down(id);
    this.model.down(id);
  }

  /** Its session ends, and what it had is kept. */
  goAway(id: string): void {
    this.lab.down(id, KEPT);
    this.model.goesAway(id);
  }

  comeBack(id: string, routerId: string): void {
    this.model.comesBack(id, this.model.peers.get(id)!.routerId === routerId);
    this.up(id, routerId);
  }

  endOfRib(id: string, family: Family): void {
    this.lab.feed(id, END_OF_RIB[familyIndex(family)]);
    this.model.endOfRib(id, family);
  }

  configure(id: string, change: Partial<ModelPeer['config']>): void {
    const known = this.#configured.get(id)!;
    const config = { ...known.config, ...change };
    this.#configured.set(id, { ...known, config });
    this.#apply(id);
  }

  setPolicy(id: string, side: 'import' | 'export', policy: Policy): void {
    this.#policyOf.set(id, { ...this.#policies(id), [side]: policy });
    this.#apply(id);
  }

  #policies(id: string): { import: Policy; export: Policy } {
    return this.#policyOf.get(id) ?? { import: ACCEPT_ALL, export: ACCEPT_ALL };
  }

  #apply(id: string): void {
    const up = this.model.peers.get(id);
    if (up === undefined) return;
    const { config } = this.#configured.get(id)!;
    const wanted = this.#policies(id);
    up.config = { ...config, ...wanted };
    const own = {
      ...config,
      import: widened(wanted.import, this.#scale),
      export: widened(wanted.export, this.#scale),
    };
    if (this.isUp(id)) this.lab.session(id).config = own;
    this.lab.rib.neighbours.configure(own);
  }

  announce(id: string, name: string, pathId: number, a: WireAttributes): void {
    this.#tell(id, name, pathId, (prefixes) => this.lab.announce(id, prefixes, a));
    this.model.announce(id, name, pathId, a);
  }

  withdraw(id: string, name: string, pathId: number): void {
    this.#tell(id, name, pathId, (prefixes) => this.lab.withdraw(id, prefixes));
    this.model.withdraw(id, name, pathId);
  }

  /** In messages of a few hundred prefixes, with turns between them where there are many. */
  #tell(id: string, name: string, pathId: number, send: (prefixes: string[]) => void): void {
    const hasIds = this.#configured.get(id)!.addPathReceive === true;
    const prefixes = this.#scale.prefixesOf(name).map((p) => (hasIds ? `${p}#${pathId}` : p));
    for (let at = 0; at < prefixes.length; at += 150) {
      send(prefixes.slice(at, at + 150));
      if (at % 450 === 300) this.lab.turn();
    }
  }

  originate(name: string, route: { readonly med?: number; readonly communities?: readonly number[] }): void {
    const prefixes = this.#scale.prefixesOf(name);
    const communities = (route.communities ?? []).map(formatCommunity);
    this.lab.rib.originated.originate(
      prefixes.map((prefix) => ({ prefix, why: 'test', ...route, communities })),
    );
    this.lab.rib.wake();
    this.model.announce(LOCAL, name, 0, { path: [], nextHop: 'self', ...route });
  }

  withdrawOwn(name: string): void {
    this.lab.rib.originated.withdraw(this.#scale.prefixesOf(name));
    this.lab.rib.wake();
    this.model.withdraw(LOCAL, name, 0);
  }

  refreshBegins(id: string, family: Family): void {
    const index = familyIndex(family);
    if (!this.lab.rib.peer(id)!.endOfRibReceived[index]) this.lab.feed(id, END_OF_RIB[index]);
    this.lab.rib.refreshBegins(this.lab.session(id), index);
    this.model.refreshBegins(id, family);
  }

  refreshEnds(id: string, family: Family): void {
    this.lab.rib.refreshEnds(this.lab.session(id), familyIndex(family));
    this.model.refreshEnds(id, family);
  }

  /** @param metric undefined: unreachable */
  updateNextHop(which: number, metric: number | undefined): void {
    const { address, device } = TRACKED[which]!;
    this.model.metrics.set(device === undefined ? address : `${address}%${device}`, metric);
    this.lab.rib.updateNextHop(address, metric !== undefined, metric ?? 0, device);
  }

  reconfigure(): void {
    const clusterId = CLUSTER_IDS.indexOf(this.model.clusterId) === 0 ? 0x0a000001 : 0x0a000009;
    this.lab.rib.reconfigure({ asNumber: 65000, routerId: 0x0a000001, clusterId }, this.model.rules);
  }

  /** Everybody reads, the RIB comes to rest, and all must be as the model says. */
  compare(): void {
    const { lab, model } = this;
    const up = [...model.peers.keys()].filter((id) => this.isUp(id));
    for (const id of up) lab.drain(id, Number.POSITIVE_INFINITY);
    lab.settle();
    for (const family of FAMILIES) {
      assert.deepEqual(
        this.#byName(this.#forwarded(family)),
        model.forwarding(family),
        `${family} forwarding`,
      );
      for (const id of up) {
        const held = this.#heldBy(id, family);
        assert.deepEqual(this.#byName(held), model.view(id, family), `${family} table of ${id}`);
        assert.deepEqual(
          this.#shownAsSent(id, family),
          held,
          `what --advertised shows of ${id} in ${family}`,
        );
        this.#compareCounts(id, family);
      }
    }
  }

  #compareCounts(id: string, family: Family): void {
    const routes = peerRoutes(this.lab.rib, id)!.families.find((f) => f.family === family)!;
    const { family: _f, owed: _o, heldBack, endOfRibReceived: _r, endOfRibSent: _s, ...counts } = routes;
    assert.equal(heldBack, 0, `${family} routes that ${id} still waits for`);
    const scale = this.#scale.prefixesOf(this.#scale.names[0]!).length;
    const sent = [...this.lab.session(id).held.keys()].filter((key) => familyOf(key) === family).length;
    const expected = Object.entries(this.model.counts(id, family)).map(([name, n]) => [name, n * scale]);
    assert.deepEqual(
      counts,
      { ...Object.fromEntries(expected), advertised: sent },
      `${family} counts of ${id}`,
    );
  }

  /** All sessions end, and nothing of them is left. */
  end(): void {
    const { lab, model } = this;
    for (const name of this.#scale.names) this.withdrawOwn(name);
    for (const id of [...model.peers.keys()]) this.down(id);
    lab.settle();
    const { paths, prefixes: left } = lab.pages.sizes();
    assert.deepEqual({ paths, left }, { paths: 0, left: { ipv4: 0, ipv6: 0 } }, 'nothing leaks');
    assert.equal(this.#kernel.size, 0, 'routes that stay in the kernel');
    // The two pairs of sets that import and export policy changed last are remembered.
    assert.ok(lab.pages.sizes().attributeSets <= 4, 'attribute sets leak');
    assert.ok(lab.rib.nextHops.count <= 4, 'next hops leak');
  }

  #forward(family: 0 | 1, id: number): void {
    const { forwarding, nextHops } = this.lab.rib;
    const bytes = new Uint8Array(16);
    const length = forwarding.readPrefix(family, id, bytes);
    const prefix = `${formatOctets(bytes, 0, family === 0 ? 4 : 16)}/${length}`;
    const out = { kind: 0, metric: 0, count: 0, nextHopIds: new Int32Array(64) };
    forwarding.forwarding(family, id, out);
    if (out.kind === 0) this.#kernel.delete(prefix);
    else if (out.kind === 1) this.#kernel.set(prefix, 'local');
    else {
      const hops = [...out.nextHopIds.subarray(0, out.count)].map((hop) => {
        const { address, device } = nextHops.read(hop);
        return device === undefined ? address : `${address}%${device}`;
      });
      this.#kernel.set(prefix, hops.sort().join(' '));
    }
  }

  #forwarded(family: Family): Record<string, string> {
    return Object.fromEntries([...this.#kernel].filter(([prefix]) => familyOf(prefix) === family));
  }

  #heldBy(id: string, family: Family): Record<string, string | string[]> {
    const out: Record<string, string | string[]> = {};
    for (const [key, value] of this.lab.session(id).held) {
      if (familyOf(key) !== family) continue;
      const [prefix, pathId] = key.split('#') as [string, string | undefined];
      if (pathId === undefined) out[prefix] = value;
      else out[prefix] = [...((out[prefix] as string[] | undefined) ?? []), value].sort();
    }
    return out;
  }

  /** The view for operators in the words of #heldBy. */
  #shownAsSent(id: string, family: Family): Record<string, string | string[]> {
    const out: Record<string, string | string[]> = {};
    for (const route of this.lab.routes({ view: 'advertised', peer: id, family })) {
      const { med, localPref, communities, originatorId, clusterList } = route;
      const otc = route.others?.find(({ name }) => name === 'otc')?.value;
      const text = [
        `nh=${route.nextHop}`,
        `path=${route.asPath.replaceAll(' ', ',')}`,
        ...(localPref === undefined ? [] : [`lp=${localPref}`]),
        ...(med === undefined ? [] : [`med=${med}`]),
        ...(communities.length === 0 ? [] : [`comm=${communities.join(',')}`]),
        ...(originatorId === undefined ? [] : [`orig=${originatorId}`]),
        ...(clusterList === undefined ? [] : [`cl=${clusterList.join(',')}`]),
        ...(otc === undefined ? [] : [`otc=${otc}`]),
      ].join(' ');
      if (route.pathId === undefined) out[route.prefix] = text;
      else out[route.prefix] = [...((out[route.prefix] as string[] | undefined) ?? []), text].sort();
    }
    return out;
  }

  /** One line a name; what differs among the prefixes of a name, or is missing for some, is told of each. */
  #byName<T>(byPrefix: Record<string, T>): Record<string, T> {
    const out: Record<string, T> = {};
    const seen = new Map<string, number>();
    for (const [prefix, value] of Object.entries(byPrefix)) {
      const name = this.#nameOf.get(prefix) ?? prefix;
      seen.set(name, (seen.get(name) ?? 0) + 1);
      if (out[name] === undefined) out[name] = value;
      else if (String(out[name]) !== String(value)) out[`${name}: ${prefix}`] = value;
    }
    for (const [name, count] of seen) {
      const all = this.#scale.prefixesOf(name).length;
      if (count !== all) out[`${name}: ${count} of ${all}`] = out[name]!;
    }
    return out;
  }
}
