// The store over a cluster's API server. What was heard stays in force while the server is away, for however long, and
// over a restart: KeptObjects has it on this node's disk. selectObjects says what is in force, as for a folder of files:
// a list of the API server is a file that is replaced as a whole.
import { type Labels, type Problem, type Refused, type Resource, type Resources, secretNamed } from '#api';
import type { Clock, Disk, Random, Timer } from '#world';
import { KeptObjects } from '../kept-objects.ts';
import { nothingSelected, selectObjects, type Selected } from '../last-good.ts';
import type {
  CreateResult,
  DeleteResult,
  ObjectKey,
  OwnPods,
  Store,
  StoreContact,
  StoredKind,
  StoredMap,
  StoredObject,
  UpdateResult,
} from '../store.ts';
import { ApiNotes } from './api-notes.ts';
import { type ApiFailure, type ApiServer, failureText } from './api-server.ts';
import { ObjectRequests } from './object-requests.ts';
import { OwnPodsList } from './own-pods.ts';
import type { Failing } from './reflector.ts';
import {
  type FollowedList,
  type OwnKind,
  type Reader,
  referredSecrets,
  WatchedLists,
} from './watched-lists.ts';

/** `kubectl apply` of many objects is one change. */
const SETTLE_MS = 20;
/** What came into force is on disk after this: a burst of changes is one write. */
const KEEP_MS = 200;
/** A start does not wait longer for a server that does not answer. */
const START_MS = 5_000;
/** A Secret that something has begun to refer to is waited for, so that its session does not start without it. */
const SECRET_MS = 1_000;
/** Nobody is told of a server that is back, or of a refusal that is taken back, sooner. */
const SHORT_ABSENCE_MS = 10_000;

export interface OwnInterest {
  readonly node: string;
  /** Kinds of which other nodes' objects are needed as well. Asked after each change; what it says must not hang on those. */
  needsOthers(resources: Resources, refused: Refused): ReadonlySet<OwnKind>;
  /** Pods of the node get addresses of podroute: which there are is followed. */
  readonly hasPods?: boolean;
}

export interface KubernetesStoreIo {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: Disk;
  /** Where podroute's Secrets stand. */
  readonly namespace: string;
  /** Whose store it is: of Nodes and IPAMBlocks no others are followed than it needs. Undefined: all are. */
  readonly own?: OwnInterest;
  /** A folder of this node alone for the last good versions; undefined: they are forgotten at the end. */
  readonly keepIn?: string;
  /** What is followed: the controller needs every node's BGPNodeStatus, and no Secrets. */
  readonly reader?: Reader;
}

const OWN_KINDS: readonly OwnKind[] = ['Node', 'IPAMBlock'];

class KubernetesStore implements Store {
  readonly notes: ApiNotes;
  readonly #io: KubernetesStoreIo;
  readonly #requests: ObjectRequests;
  readonly #lists: WatchedLists;
  readonly #kept: KeptObjects | undefined;
  readonly #pods: OwnPodsList | undefined;
  readonly #listeners = new Set<() => void>();
  #selected: Selected = nothingSelected;
  #isStarted = false;
  /** After a change. */
  #settling: Timer | undefined;
  /** For a Secret that does not come. */
  #waiting: Timer | undefined;
  /** For a server that does not come back. */
  #absence: Timer | undefined;
  /** What was last told of lists that cannot be heard. */
  #toldOf = '';
  #keepTimer: Timer | undefined;
  /** When a Secret that is referred to and was not heard yet is waited for no longer. */
  #secretsDueMs: number | undefined;
  #known = Promise.withResolvers<void>();
  #isClosed = false;

  constructor(io: KubernetesStoreIo) {
    this.#io = io;
    this.#requests = new ObjectRequests(io.api);
    this.notes = new ApiNotes(io.api);
    const who = { reader: io.reader ?? 'agent', node: io.own?.node } as const;
    this.#lists = new WatchedLists(io.namespace, who, io, {
      changed: () => this.#lookSoon(),
      stateChanged: () => this.#stateChanged(),
    });
    this.#pods = io.own?.hasPods ? new OwnPodsList(io.own.node, io, () => this.#stateChanged()) : undefined;
    this.#kept = io.keepIn === undefined ? undefined : new KeptObjects(io.keepIn, 'kubernetes', io.disk);
  }

  async start(): Promise<void> {
    if (this.#kept) this.#selected = await this.#kept.load();
    this.#lists.start();
    this.#pods?.start();
    const late = this.#io.clock.setTimer(START_MS, () => this.#known.resolve());
    await this.#known.promise;
    late.cancel();
    this.#isStarted = true;
    this.#look();
    this.#tellOfAbsence();
  }

  snapshot(): Resources {
    return this.#selected.resources;
  }

  refused(): Refused {
    return this.#selected.refused;
  }

  problems(): readonly Problem[] {
    return [...this.#serverProblems(), ...this.#selected.problems, ...(this.#kept?.problems() ?? [])];
  }

  contact(): StoreContact {
    const lists = this.#lists.states();
    const heard = lists.flatMap(({ heardMs }) => heardMs ?? []);
    return {
      isConnected: lists.every(
        ({ state, isOptional }) => state.kind === 'current' || state.kind === 'absent' || isOptional,
      ),
      ...(heard.length > 0 && { silentMs: this.#io.clock.now() - Math.max(...heard) }),
    };
  }

  ownPods(): OwnPods | undefined {
    return this.#pods?.pods();
  }

  locate(problem: Problem): Problem {
    return problem;
  }

  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  get<K extends StoredKind>(key: ObjectKey<K>): Promise<StoredMap[K] | undefined> {
    return this.#requests.get(key);
  }

  list<K extends StoredKind>(kind: K, labels?: Labels): Promise<readonly StoredMap[K][]> {
    return this.#requests.list(kind, labels);
  }

  create<T extends StoredObject>(object: T): Promise<CreateResult<T>> {
    return this.#requests.create(object);
  }

  update<T extends StoredObject>(object: T): Promise<UpdateResult<T>> {
    return this.#requests.update(object);
  }

  updateStatus<T extends Resource>(object: T): Promise<UpdateResult<T>> {
    return this.#requests.updateStatus(object);
  }

  updateFinalizers<T extends Resource>(object: T, finalizers: readonly string[]): Promise<UpdateResult<T>> {
    return this.#requests.updateFinalizers(object, finalizers);
  }

  delete<K extends StoredKind>(
    key: ObjectKey<K>,
    resourceVersion: string,
  ): Promise<DeleteResult<StoredMap[K]>> {
    return this.#requests.delete(key, resourceVersion);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#lists[Symbol.dispose]();
    this.#pods?.[Symbol.dispose]();
    this.#settling?.cancel();
    this.#waiting?.cancel();
    this.#absence?.cancel();
    this.#listeners.clear();
    this.#known.resolve();
    if (this.#keepTimer) await this.#keep();
  }

  #lookSoon(): void {
    if (this.#isClosed) return;
    if (!this.#isStarted) {
      if (this.#lists.areKnown) this.#look();
      return;
    }
    this.#settling ??= this.#io.clock.setTimer(SETTLE_MS, () => {
      this.#settling = undefined;
      this.#look();
    });
  }

  #stateChanged(): void {
    if (this.#isStarted) this.#tellOfAbsence();
    else this.#lookSoon();
  }

  #look(): void {
    const selected = this.#select();
    if (!this.#haveSecretsOf(selected)) return;
    if (!this.#isStarted) {
      if (this.#lists.areKnown) this.#known.resolve();
      return;
    }
    this.#selected = selected;
    if (this.#kept) this.#keepTimer ??= this.#io.clock.setTimer(KEEP_MS, () => void this.#keep());
    this.#toldOf = absenceText(this.#serverProblems());
    this.#tell();
  }

  #select(): Selected {
    const selected = selectObjects(this.#lists.contents(), this.#selected, this.#lists.ownKinds());
    const needed = this.#io.own?.needsOthers(selected.resources, selected.refused);
    for (const kind of OWN_KINDS) this.#lists.followOwn(kind, needed !== undefined && !needed.has(kind));
    const ownOnly = this.#lists.ownKinds();
    return ownOnly.size === 0 ? selected : { ...selected, refused: { ...selected.refused, ownOnly } };
  }

  /** False: not yet, and there will be another look. */
  #haveSecretsOf({ resources }: Selected): boolean {
    if (this.#lists.followSecrets(referredSecrets(resources))) {
      this.#secretsDueMs = undefined;
      return true;
    }
    const now = this.#io.clock.now();
    this.#secretsDueMs ??= now + SECRET_MS;
    if (now >= this.#secretsDueMs) return true;
    this.#waiting?.cancel();
    this.#waiting = this.#io.clock.setTimer(this.#secretsDueMs - now, () => this.#look());
    return false;
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Now when something else is to be said than before, and again when the server is away for so long that it will be. */
  #tellOfAbsence(): void {
    const text = absenceText(this.#serverProblems());
    if (text !== this.#toldOf) {
      this.#toldOf = text;
      this.#tell();
    }
    const now = this.#io.clock.now();
    const states = this.#lists.states().map(({ state }) => state);
    if (this.#pods) states.push(this.#pods.state());
    const waits = states.flatMap((state) => {
      if (state.kind === 'current') return [];
      const refusesSinceMs = state.kind === 'absent' ? undefined : state.failure?.refusesSinceMs;
      const since = [state.sinceMs, ...(refusesSinceMs === undefined ? [] : [refusesSinceMs])];
      return since.map((ms) => ms + SHORT_ABSENCE_MS - now).filter((ms) => ms > 0);
    });
    if (waits.length === 0 || this.#isClosed) return;
    this.#absence?.cancel();
    this.#absence = this.#io.clock.setTimer(Math.min(...waits), () => this.#tellOfAbsence());
  }

  #serverProblems(): Problem[] {
    const ofPods = this.#pods?.problem(SHORT_ABSENCE_MS);
    return [
      ...this.#listProblems(),
      ...(ofPods === undefined ? [] : [{ object: 'pods', field: '', message: ofPods }]),
    ];
  }

  #listProblems(): Problem[] {
    const now = this.#io.clock.now();
    const away: FollowedList[] = [];
    const problems = this.#lists.states().flatMap((list): Problem[] => {
      const { name, kind, state, isOptional } = list;
      const problem = (message: string): Problem[] => [{ object: name, field: '', message }];
      switch (state.kind) {
        case 'current':
          return [];
        case 'absent':
          if (isOptional || now - state.sinceMs < SHORT_ABSENCE_MS) return [];
          return problem('the API server does not know this kind: install podroute’s CRDs');
        case 'starting':
        case 'behind': {
          const { sinceMs, failure } = state;
          if (now - sinceMs < SHORT_ABSENCE_MS) return [];
          if (failure && refusesSince(failure, now) === 'long' && !isUnknown(failure.last) && !isOptional) {
            const known = this.#isNever(list)
              ? `nothing was ever heard of ${kind === 'Secret' ? 'it' : 'them'}`
              : STAYS;
            const next = kind === 'Secret' ? this.#nameIt(failure.last) : '';
            return problem(
              `the API server refuses to show ${kind === 'Secret' ? 'it' : 'these'}: ${failureText(failure.last)}; ${known}${next}`,
            );
          }
          away.push(list);
          return [];
        }
      }
    });
    const first = away[0];
    if (first === undefined) return problems;
    const failure =
      first.state.kind === 'starting' || first.state.kind === 'behind' ? first.state.failure : undefined;
    const what =
      failure && refusesSince(failure, now) === 'short'
        ? 'does not serve everything yet'
        : failure && isUnknown(failure.last)
          ? 'does not know who asks'
          : 'does not answer';
    const why = failure === undefined ? what : `${what} (${failureText(failure.last)})`;
    const message = `the API server ${this.#io.api.place} ${why}; ${away.some((list) => this.#isNever(list)) ? 'nothing was ever heard from it' : STAYS}`;
    return [{ object: 'store kubernetes', field: '', message }, ...problems];
  }

  /** Neither now nor before the last restart. Of Secrets each is a list of its own. */
  #isNever({ kind, name, isKnown }: FollowedList): boolean {
    const { refused, resources } = this.#selected;
    if (kind !== 'Secret') return refused.kinds.has(kind);
    return !isKnown && secretNamed(resources.secrets, name.slice(name.indexOf('/') + 1)) === undefined;
  }

  /** What an operator does about a Secret that the account may not read. */
  #nameIt(failure: ApiFailure): string {
    if (failure.kind !== 'refused' || failure.status !== 403) return '';
    return `; name it in the Role podroute-agent of namespace ${this.#io.namespace} (Helm: agent.passwordSecrets)`;
  }

  /** A failure is told like any other problem of the store, and the next change tries again. */
  async #keep(): Promise<void> {
    this.#keepTimer?.cancel();
    this.#keepTimer = undefined;
    const before = this.#kept?.problems()[0]?.message;
    await this.#kept?.keep(this.#selected);
    if (this.#kept?.problems()[0]?.message !== before) this.#tell();
  }
}

/** A server that has just come back refuses what it will show in a moment: it does not know the cluster's roles yet. */
const refusesSince = ({ refusesSinceMs }: Failing, now: number): 'long' | 'short' | undefined => {
  if (refusesSinceMs === undefined) return undefined;
  return now - refusesSinceMs < SHORT_ABSENCE_MS ? 'short' : 'long';
};

/** Of the agent's credentials, and so of all kinds alike. */
const isUnknown = (failure: ApiFailure): boolean => failure.kind === 'refused' && failure.status === 401;

const absenceText = (problems: readonly Problem[]): string =>
  problems.map(({ object, message }) => `${object} ${message}`).join('\n');

const STAYS = 'what was last heard stays in force';

/** A Store over the objects of a cluster. */
export function openKubernetesStore(io: KubernetesStoreIo): Store {
  return new KubernetesStore(io);
}
