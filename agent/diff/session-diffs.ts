// Two plans compared for people: what of the node and of each session would change, and what is known of the routes.
import { isDeepStrictEqual } from 'node:util';
import type { PlanDiffReply, SessionDiff, SettingDiff } from '#agent-api';
import { type Aggregate, configChange, type Foreseen, type NeighbourForeseen } from '#bgp';
import { familyLabel, withZone } from '#ip';
import { listed } from '../listed.ts';
import { type Plan, type PlannedPeer, sessionChanges } from '../plan/index.ts';
import { originationsDifference } from '../speaker/speaker-driver.ts';

/** Sessions that a note names. */
const MOST_NAMED = 10;
/** Of a value that is shown. */
const LONGEST_VALUE = 200;

export type PlansDiff = Pick<PlanDiffReply, 'settings' | 'sessions' | 'originated' | 'withdrawn' | 'notes'>;

/**
 * @param foreseen what becomes of routes; undefined: nobody was asked
 * @param rest called between sessions, of which there may be a thousand with long policies
 */
export async function plansDiff(
  before: Plan,
  after: Plan,
  foreseen: Foreseen | undefined,
  rest: () => Promise<void>,
): Promise<PlansDiff> {
  const { originated, withdrawn } = originationsDifference(before, after);
  const sessions = await sessionDiffs(before, after, foreseen, rest);
  const onRequest = new Set(before.originations.flatMap((route) => (route.onRequest ? route.prefix : [])));
  return {
    settings: settingDiffs(before, after),
    sessions,
    // What only who asks for it is sent stands with the sessions.
    originated: originated.filter(({ onRequest }) => !onRequest).map(({ prefix }) => prefix),
    withdrawn: withdrawn.filter((prefix) => !onRequest.has(prefix)),
    notes: foreseen === undefined ? [] : [...sessionNotes(sessions), ...foreseen.doubts.map(doubtText)],
  };
}

/** Whatever of the plan is no session and no own route. */
function settingDiffs(before: Plan, after: Plan): SettingDiff[] {
  const [was, will] = [before, after].map(
    ({ node, speaker, kernel, waiting }): Record<string, unknown> => ({
      ...node,
      ...speaker,
      ...kernel,
      aggregates: speaker.aggregates?.map(aggregateText),
      waiting: waiting.map(({ id, device }) => `${id} on ${device}`),
    }),
  );
  return Object.keys({ ...was, ...will }).flatMap((setting) => {
    const [from, to] = [was, will].map((values) => settingText(values?.[setting]));
    return from === to ? [] : [{ setting, from: cut(from!), to: cut(to!) }];
  });
}

function aggregateText({ prefix, summaryOnly, communities, largeCommunities }: Aggregate): string {
  const carried = [...communities, ...largeCommunities].join(' ');
  const more = [
    ...(summaryOnly ? ['summaryOnly'] : []),
    ...(carried === '' ? [] : [`communities ${carried}`]),
  ];
  return more.length === 0 ? prefix : `${prefix} (${more.join(', ')})`;
}

/** 'none', '10.0.0.1, 10.0.0.2', 'ebgp 4, ibgp 4, relax true' */
function settingText(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const parts = Array.isArray(value)
    ? value.map(settingText)
    : Object.entries(value).flatMap(([name, of]) => (of === undefined ? [] : `${name} ${settingText(of)}`));
  return parts.length === 0 ? 'none' : parts.join(', ');
}

const cut = (text: string): string =>
  text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)} …` : text;

async function sessionDiffs(
  before: Plan,
  after: Plan,
  foreseen: Foreseen | undefined,
  rest: () => Promise<void>,
): Promise<SessionDiff[]> {
  const old = new Map(before.peers.map((peer) => [peer.config.id, peer]));
  const next = new Map(after.peers.map((peer) => [peer.config.id, peer]));
  const known = new Map(foreseen?.neighbours.map((neighbour) => [neighbour.id, neighbour]));
  const identity = ({ speaker }: Plan) => `${speaker.asNumber} ${speaker.routerId}`;
  const isAnew = identity(before) !== identity(after);
  const ids = new Set([...old.keys(), ...next.keys()]);
  const planned: SessionDiff[] = [];
  for (const id of ids) {
    planned.push(withRoutes(sessionDiff(old.get(id), next.get(id), isAnew), known.get(id)));
    await rest();
  }
  for (const neighbour of known.values()) {
    const range = neighbour.id.slice(0, neighbour.id.lastIndexOf('/'));
    if (ids.has(neighbour.id) || !ids.has(range)) continue;
    const diff = sessionDiff(old.get(range), next.get(range), isAnew);
    const remote = neighbour.id.slice(range.length + 1);
    planned.push(withRoutes({ ...diff, id: neighbour.id, remote }, neighbour));
    await rest();
  }
  return planned.filter(
    ({ what, accepted, sent }) => what !== 'stays' || accepted !== undefined || sent !== undefined,
  );
}

function sessionDiff(
  was: PlannedPeer | undefined,
  will: PlannedPeer | undefined,
  isAnew: boolean,
): SessionDiff {
  const { config, from } = (will ?? was)!;
  const remote =
    config.remote.kind === 'range'
      ? config.remote.prefix
      : withZone(config.remote.address, config.remote.device);
  const head = { id: config.id, from, remote };
  if (was === undefined) return { ...head, what: 'begins', changes: [] };
  if (will === undefined) return { ...head, what: 'ends', changes: [] };
  const change = configChange(was.config, will.config);
  const changes: SessionDiff['changes'] = [
    // What the library knows of BFD is a part of the plan's.
    ...sessionChanges(
      was.config,
      will.config,
      change.fields.filter(({ name }) => name !== 'bfd'),
    ),
    ...(isDeepStrictEqual(was.bfd, will.bfd) ? [] : [{ setting: 'bfd', effect: 'live' as const }]),
  ];
  if (isAnew || change.kind === 'reset') return { ...head, what: 'begins anew', changes };
  return { ...head, what: changes.length > 0 ? 'changes' : 'stays', changes };
}

function withRoutes(diff: SessionDiff, neighbour: NeighbourForeseen | undefined): SessionDiff {
  if (neighbour === undefined) return diff;
  const { accepted, sent, overLimit } = neighbour;
  const ofSession = {
    ...diff,
    ...(isAny(accepted) ? { accepted } : {}),
    ...(sent !== undefined && isAny(sent) ? { sent } : {}),
  };
  if (overLimit === undefined) return ofSession;
  const { family, received, limit } = overLimit;
  const why = `it has sent ${received} ${familyLabel(family)} prefixes, and maxPrefixes.limit would be ${limit}`;
  return { ...ofSession, what: 'goes down', why };
}

function isAny({ appear, vanish, change }: NonNullable<SessionDiff['sent']>): boolean {
  return appear.count + vanish.count + change.count > 0;
}

function sessionNotes(sessions: readonly SessionDiff[]): string[] {
  const ids = (what: SessionDiff['what']) => {
    const found = sessions.filter((session) => session.what === what);
    return listed(
      found.map(({ id }) => id),
      MOST_NAMED,
    );
  };
  const [begin, anew] = [ids('begins'), ids('begins anew')];
  return [
    ...(begin === '' ? [] : [`routes of sessions that begin are not known yet, theirs and ours: ${begin}`]),
    ...(anew === ''
      ? []
      : [`sessions that begin anew are taken to bring back the routes that they have now: ${anew}`]),
  ];
}

function doubtText(doubt: Foreseen['doubts'][number]): string {
  switch (doubt) {
    case 'identity':
      return 'the AS number or router ID would be another: what neighbours then choose and send is not foreseen';
    case 'places':
      return 'a prefix limit that drops would let in as many routes as counted, perhaps not those that are named: which depends on the order in which they come';
    case 'interfaces':
      return 'rules that ask for an interface are the first to do so: over which ones next hops are reached is not known yet, so a rule that accepts is taken not to match, and one that rejects to match';
  }
}
