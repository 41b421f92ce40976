// What may happen to a RIB, drawn at random: announcements, sessions that come and go, refreshes, and configuration
// that changes while all of that goes on. A scene has few neighbours, names and attribute sets, so that they meet.
import fc from 'fast-check';
import { type Family, FAMILIES } from '#ip';
import type { WireAttributes } from '../../testing/message-bytes.ts';
import { familyOf } from './model-routes.ts';
import { CLUSTER_IDS, DECISIONS, PEERS, POLICY_COUNT, type Scale, SETTINGS, TRACKED } from './model-scene.ts';
import { ModelWorld } from './model-world.ts';

/** Neighbours of one scene. */
const MOST_PEERS = 7;

type Drawn = Omit<WireAttributes, 'nextHop'>;

export interface Command {
  readonly do: string;
  readonly peer?: number;
  /** A second one. */
  readonly other?: number;
  readonly names?: readonly number[];
  readonly pathId?: number;
  /** Which of the scene's. */
  readonly attributes?: number;
  readonly hop?: number;
  /** RFC 8950, where the session agreed on it. */
  readonly isOverIpv6?: boolean;
  readonly family?: Family;
  readonly side?: 'import' | 'export';
  /** An index into what the command chooses from. */
  readonly which?: number;
  readonly count?: number;
  readonly isOtherId?: boolean;
  /** Between two moments of rest. */
  readonly isAlone?: boolean;
  /** How often its routes are kept over it (RFC 4724), before it has said that it has sent all. */
  readonly graceful?: number;
}

const as = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(65101, 65102, 65105, 7) },
  { weight: 1, arbitrary: fc.constantFrom(65000, 64999) },
);
const attributes: fc.Arbitrary<Drawn> = fc.record(
  {
    path: fc.array(as, { maxLength: 3 }),
    origin: fc.constantFrom(0, 2),
    med: fc.constantFrom(0, 5, 10),
    localPref: fc.constantFrom(100, 200),
    communities: fc.constantFrom([0xffffff01], [0xffffff02], [0xffffff03], [0xfde80001], [0xffff0000]),
    originator: fc.constantFrom('198.51.100.9', '10.0.0.1'),
    clusterList: fc.constantFrom(['10.0.0.9'], ['10.0.0.8'], ['10.0.0.7', '10.0.0.8']),
    otc: fc.constantFrom(65102, 65105, 7),
  },
  { requiredKeys: ['path'] },
);
/** Of routes that start here. */
const OWN_ROUTES = [{}, { med: 5, communities: [0xffffff01] }, { med: 10 }];
const NEXT_HOPS = ['192.0.2.1', '192.0.2.2', '198.51.100.2', '203.0.113.9', '10.0.0.2', '10.0.0.7'];
const NEXT_HOPS6 = [
  'fd00::9',
  'fd00::10',
  'fd00::7',
  'fe80::9',
  'fd00::9 fe80::9',
  'fd00::10 fe80::7',
  'fe80::7',
];
const peer = fc.nat(MOST_PEERS - 1);
const family = fc.constantFrom('ipv4', 'ipv6');
/** Mostly false. */
const oneOf4 = fc.nat(3).map((n) => n === 3);
const below = (count: number) => fc.nat(count - 1);

export interface Scene {
  /** Which PEERS take part: the numbers in commands count these. All are up at first. */
  readonly peers: readonly number[];
  readonly attributes: readonly Drawn[];
  /** Before anything else happens each of them announces all names, with such attributes and next hop. */
  readonly opening: readonly Command[];
  readonly commands: readonly Command[];
}

/** Scenes for names of that scale, in which at least so much happens. */
export function scenes(scale: Scale, minLength: number, maxLength: number): fc.Arbitrary<Scene> {
  return fc.record({
    peers: fc.uniqueArray(below(PEERS.length), { minLength: 3, maxLength: MOST_PEERS }),
    attributes: fc.array(attributes, { minLength: 1, maxLength: 4 }),
    opening: fc.array(
      fc.record({
        do: fc.constant('announce'),
        attributes: below(4),
        hop: fc.nat(6),
        isOverIpv6: fc.boolean(),
      }),
      { minLength: MOST_PEERS, maxLength: MOST_PEERS },
    ),
    commands: commands(scale, minLength, maxLength),
  });
}

function commands(scale: Scale, minLength: number, maxLength: number): fc.Arbitrary<Command[]> {
  const names = fc.uniqueArray(below(scale.names.length), { minLength: 1, maxLength: 5 });
  const one = (weight: number, name: string, fields: Record<string, fc.Arbitrary<unknown>>) => ({
    weight,
    arbitrary: fc.record({ do: fc.constant(name), ...fields }) as fc.Arbitrary<Command>,
  });
  return fc.array(
    fc.oneof(
      one(16, 'announce', {
        peer,
        names,
        pathId: fc.nat(1),
        attributes: below(4),
        hop: fc.nat(6),
        isOverIpv6: fc.boolean(),
      }),
      // Often the same again: what is known must not be lost.
      one(6, 'again', { peer, names }),
      one(6, 'withdraw', { peer, names, pathId: fc.nat(1) }),
      one(6, 'toggle', { peer, isOtherId: oneOf4 }),
      one(16, 'restart', {
        peer,
        other: peer,
        which: below(POLICY_COUNT),
        isOtherId: oneOf4,
        count: fc.nat(12),
        isAlone: fc.boolean(),
        graceful: fc.constantFrom(0, 0, 1, 1, 2, 3),
        names,
      }),
      one(2, 'refresh', { peer, family }),
      one(2, 'soft', { peer, which: below(2) }),
      one(2, 'begin', { peer, family }),
      one(2, 'end', { peer, family }),
      one(3, 'policy', { peer, side: fc.constantFrom('import', 'export'), which: below(POLICY_COUNT) }),
      one(4, 'setting', { peer, which: below(SETTINGS.length) }),
      one(2, 'decision', { which: below(DECISIONS.length) }),
      one(1, 'cluster', { which: below(CLUSTER_IDS.length) }),
      one(2, 'originate', { names, which: below(3) }),
      one(2, 'withdraw own', { names }),
      one(2, 'block', { peer, count: fc.nat(3) }),
      one(2, 'drain', { peer }),
      one(2, 'hop', { which: below(TRACKED.length), count: fc.nat(2) }),
      one(12, 'turns', { count: fc.integer({ min: 1, max: 3 }) }),
      one(3, 'compare', {}),
    ),
    { minLength, maxLength },
  );
}

export function play(scene: Scene, scale: Scale): void {
  const peers = scene.peers.map((i) => PEERS[i]!);
  const world = new ModelWorld(scale, peers);
  const said = new Map<string, WireAttributes>();
  const names = scale.names.map((_, i) => i);
  for (let peer = 0; peer < peers.length; peer++)
    run(world, scene, said, { ...scene.opening[peer]!, peer, names }, scale);
  world.lab.settle();
  for (const command of scene.commands) run(world, scene, said, command, scale);
  world.compare();
  world.end();
}

/** @param said what each neighbour said last of each name, to be said again */
function run(
  world: ModelWorld,
  scene: Scene,
  said: Map<string, WireAttributes>,
  c: Command,
  scale: Scale,
): void {
  const { lab, model } = world;
  const p = PEERS[scene.peers[(c.peer ?? 0) % scene.peers.length]!]!;
  const { id } = p;
  const names = (c.names ?? []).map((i) => scale.names[i]!);
  const pathId = p.addPathReceive === true ? (c.pathId ?? 0) : 0;
  if (c.peer !== undefined && !world.isUp(id) && !['toggle', 'policy', 'setting'].includes(c.do)) return;
  switch (c.do) {
    case 'announce':
      for (const name of names) {
        const drawn = scene.attributes[c.attributes! % scene.attributes.length]!;
        const isOverIpv6 = familyOf(name) === 'ipv6' || (p.device !== undefined && c.isOverIpv6!);
        const hops = isOverIpv6 ? NEXT_HOPS6 : NEXT_HOPS;
        const nextHop = hops[c.hop! % hops.length]!;
        const a = { ...(p.as === 65000 ? drawn : withoutInternal(drawn)), nextHop };
        said.set(`${id} ${name}`, a);
        world.announce(id, name, pathId, a);
      }
      return;
    case 'again':
      for (const name of names) {
        const a = said.get(`${id} ${name}`);
        if (a !== undefined) world.announce(id, name, pathId, a);
      }
      return;
    case 'withdraw':
      for (const name of names) world.withdraw(id, name, pathId);
      return;
    case 'toggle':
      if (world.isUp(id)) world.down(id);
      else world.up(id, routerIdOf(p.routerId, c.isOtherId!));
      return;
    case 'restart': {
      // From rest, so that what happens now is all that happens; and nothing later mends what goes wrong.
      if (c.isAlone!) lab.settle();
      const graceful = c.graceful!;
      const other = PEERS[scene.peers[c.other! % scene.peers.length]!]!.id;
      const routerId = routerIdOf(p.routerId, c.isOtherId!);
      const again = (some: readonly string[]) => {
        for (const name of some) {
          const a = said.get(`${id} ${name}`);
          if (a !== undefined) world.announce(id, name, 0, a);
        }
      };
      for (let round = 0; round < Math.max(1, graceful); round++) {
        // What is left of the time before goes when it leaves once more.
        if (round > 0) for (const name of FAMILIES) model.endOfRib(id, name);
        if (graceful > 0) world.goAway(id);
        else world.down(id);
        // Meanwhile another neighbour comes into a group that has to be built, or what is kept is judged anew.
        world.setPolicy(other, other === id ? 'import' : 'export', world.policies[c.which!]!);
        for (let i = 0; i < c.count!; i++) lab.turn();
        if (graceful > 0) world.comeBack(id, routerId);
        else world.up(id, routerId);
        if (round < graceful - 1) again(names);
      }
      again(graceful === 3 ? names : scale.names);
      if (graceful > 0) for (const name of FAMILIES) world.endOfRib(id, name);
      if (c.isAlone!) world.compare();
      return;
    }
    case 'refresh':
      lab.rib.refresh(lab.session(id), c.family === 'ipv4' ? 0 : 1);
      return;
    case 'soft':
      if (c.which === 0) lab.rib.neighbours.softIn(id);
      else lab.rib.neighbours.softOut(id);
      return;
    case 'begin':
      world.refreshBegins(id, c.family!);
      return;
    case 'end':
      world.refreshEnds(id, c.family!);
      return;
    case 'policy':
      world.setPolicy(id, c.side!, world.policies[c.which!]!);
      return;
    case 'setting':
      world.configure(id, SETTINGS[c.which!]!);
      return;
    case 'decision':
      model.rules = DECISIONS[c.which!]!;
      world.reconfigure();
      return;
    case 'cluster':
      model.clusterId = CLUSTER_IDS[c.which!]!;
      world.reconfigure();
      return;
    case 'originate':
      for (const name of names) world.originate(name, OWN_ROUTES[c.which!]!);
      return;
    case 'withdraw own':
      for (const name of names) world.withdrawOwn(name);
      return;
    case 'block':
      lab.session(id).room = c.count!;
      return;
    case 'drain':
      lab.drain(id, Number.POSITIVE_INFINITY);
      return;
    case 'hop':
      world.updateNextHop(c.which!, [undefined, 0, 5][c.count!]);
      return;
    case 'turns':
      for (let i = 0; i < c.count!; i++) lab.turn();
      return;
    case 'compare':
      world.compare();
      return;
    default:
      throw new Error(`no such command: ${c.do}`);
  }
}

/** eBGP neighbours send no LOCAL_PREF and nothing of reflection; it would be discarded. */
function withoutInternal(all: Drawn): Drawn {
  const { originator: _o, clusterList: _c, localPref: _l, ...external } = all;
  return external;
}

function routerIdOf(usual: string, isOther: boolean): string {
  return isOther ? usual.replace(/^\d+/, '11') : usual;
}
