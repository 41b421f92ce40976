// What applying documents would change on this node: the plan with them against the plan in force, and for each session
// that is up the prefixes that it would be sent then and not now. Nothing is applied. In turns, and for a bounded time.
import type { PlanDiffReply, SessionDiff, StatusProblem } from '#agent-api';
import {
  collections,
  formatProblem,
  identityOf,
  keyOf,
  objectName,
  parseTextInSteps,
  type Problem,
  type Resource,
  type ResourceMaps,
  type Resources,
  type TextDocument,
} from '#api';
import { configChange, type ExportRehearsal, type PeerConfig, type Speaker } from '#bgp';
import { withZone } from '#ip';
import type { Clock, Scheduler } from '#world';
import type { Plan, PlannedPeer, PlanResult } from './plan/index.ts';
import { statusProblem } from './status/collect.ts';
import { planDifference } from './speaker/speaker-driver.ts';

/** Who asks waits for 10 s. */
const LONGEST_MS = 5_000;
/** The event loop is let go after so long. */
const TURN_MS = 5;

/** What of the agent is asked. */
export interface Planner {
  readonly inForce: { readonly plan: Plan } | undefined;
  readonly driver: { readonly speaker: Pick<Speaker, 'rehearseExport'> | undefined };
  /** In force. */
  objects(): Resources;
  planWith(resources: Resources): PlanResult;
}

export interface PlanDiffIo {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** @throws RangeError naming what is wrong with the documents, or why there is nothing to compare with */
export async function planDiff(text: string, agent: Planner, io: PlanDiffIo): Promise<PlanDiffReply> {
  const turns = new Turns(io);
  const documents: TextDocument[] = [];
  for (const some of parseTextInSteps(text, 'FILE')) {
    documents.push(...some);
    await turns.rest();
  }
  const faults = documents.flatMap(({ problems }) => problems);
  const errors = faults.filter(({ severity }) => severity !== 'warning');
  if (errors.length > 0) throw new RangeError(errors.map(formatProblem).join('\n'));
  const objects = documents.flatMap(({ resource }) => resource ?? []);
  if (objects.length === 0) throw new RangeError('there is no object in it that podroute reads');
  const before = agent.inForce?.plan;
  if (before === undefined) throw new RangeError('no plan is in force yet: there is nothing to compare with');
  const now = agent.planWith(agent.objects());
  const then = agent.planWith(overlay(agent.objects(), objects));
  const known = new Set(now.problems.map(formatProblem));
  const news = then.problems.filter((problem) => !known.has(formatProblem(problem)));
  const problems = [...faults, ...news].map(asStatus);
  const names = objects.map(objectName);
  if (then.plan === undefined)
    return {
      objects: names,
      sessions: [],
      originated: [],
      withdrawn: [],
      problems,
      note: 'no plan could be made: what is in force would stay',
    };
  const { originated, withdrawn } = planDifference(before, then.plan);
  const { sessions, isCut } = await sessionsOf(before, then.plan, agent, withdrawn, turns);
  return {
    objects: names,
    sessions,
    originated: originated.map(({ prefix }) => prefix),
    withdrawn,
    problems,
    ...(isCut ? { note: `not all routes were looked at within ${LONGEST_MS / 1000} s` } : {}),
  };
}

function overlay(resources: Resources, objects: readonly Resource[]): Resources {
  const maps: ResourceMaps = { ...resources } as ResourceMaps;
  for (const object of objects) {
    const name = collections[object.kind];
    const map = new Map<string, Resource>(maps[name]);
    map.set(keyOf(identityOf(object.kind, object.metadata)), object);
    Object.assign(maps, { [name]: map });
  }
  return maps;
}

async function sessionsOf(
  before: Plan,
  after: Plan,
  agent: Planner,
  withdrawn: readonly string[],
  turns: Turns,
): Promise<{ sessions: SessionDiff[]; isCut: boolean }> {
  const old = new Map(before.peers.map((peer) => [peer.config.id, peer]));
  const next = new Map(after.peers.map((peer) => [peer.config.id, peer]));
  const gone = new Set(withdrawn);
  const identity = ({ speaker }: Plan) => `${speaker.asNumber} ${speaker.routerId}`;
  const isAnew = identity(before) !== identity(after);
  const sessions: SessionDiff[] = [];
  for (const id of new Set([...old.keys(), ...next.keys()])) {
    const diff = sessionDiff(old.get(id), next.get(id), isAnew);
    await turns.rest();
    if (diff.what === 'stays' && gone.size === 0) continue;
    const sent = await rehearse(agent, id, next.get(id)?.config, gone, turns);
    if (diff.what === 'stays' && !isDifferent(sent)) continue;
    sessions.push(sent === undefined ? diff : { ...diff, sent });
  }
  return { sessions, isCut: turns.isOver };
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
  const changes = change.fields.map(({ name, effect }) => ({ setting: name, effect }));
  if (isAnew || change.kind === 'reset') return { ...head, what: 'begins anew', changes };
  return { ...head, what: changes.length > 0 ? 'changes' : 'stays', changes };
}

async function rehearse(
  agent: Planner,
  id: string,
  next: PeerConfig | undefined,
  withdrawn: ReadonlySet<string>,
  turns: Turns,
): Promise<ExportRehearsal | undefined> {
  const { speaker } = agent.driver;
  if (speaker === undefined || turns.isOver) return undefined;
  const walk = speaker.rehearseExport(id, next, withdrawn);
  for (let step = walk.next(); ; step = walk.next()) {
    if (step.done) return step.value;
    await turns.rest();
    if (turns.isOver) return undefined;
  }
}

function isDifferent(sent: ExportRehearsal | undefined): boolean {
  return sent !== undefined && sent.appear.count + sent.vanish.count + sent.change.count > 0;
}

/** Lets others work every few milliseconds, and knows when there is no time left. */
class Turns {
  readonly #io: PlanDiffIo;
  readonly #endMs: number;
  #turnMs: number;

  constructor(io: PlanDiffIo) {
    this.#io = io;
    this.#turnMs = io.clock.now();
    this.#endMs = this.#turnMs + LONGEST_MS;
  }

  get isOver(): boolean {
    return this.#io.clock.now() > this.#endMs;
  }

  async rest(): Promise<void> {
    if (this.#io.clock.now() - this.#turnMs < TURN_MS) return;
    await new Promise<void>((resolve) => this.#io.scheduler.soon(resolve));
    this.#turnMs = this.#io.clock.now();
  }
}

const asStatus = (problem: Problem): StatusProblem => statusProblem(problem, 'plan');
