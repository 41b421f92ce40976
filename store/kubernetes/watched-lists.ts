// The lists that a node follows, each with what was heard of it: podroute's kinds, Nodes, Calico's kinds where the cluster
// has them, and the Secrets that something refers to, one by one. Of Nodes and IPAMBlocks it follows its own alone while it
// needs no others: those grow with the cluster.
import { ipamBlockLabels, type Kind, type Resources } from '#api';
import type { Clock, Random, Timer } from '#world';
import type { FileContent } from '../last-good.ts';
import type { ApiServer } from './api-server.ts';
import { ListContents } from './list-contents.ts';
import { type ListState, Reflector, type WatchedList } from './reflector.ts';
import {
  CALICO_GROUPS,
  CALICO_KINDS,
  labelSelectorOf,
  listName,
  listPath,
  PLAN_KINDS,
  RESOURCE_PATHS,
} from './resource-paths.ts';

const FOLLOWED = [...PLAN_KINDS, 'Node'] as const satisfies readonly Kind[];

/** On whose behalf lists are followed. */
export type Reader = 'agent' | 'controller';

/** Kinds of which a node's own can be followed alone. */
export type OwnKind = 'Node' | 'IPAMBlock';

/** A cluster gets or loses Calico's kinds seldom. */
const GROUPS_MS = 300_000;
const GROUPS_RETRY_MS = 5_000;

export interface FollowedList {
  readonly name: string;
  readonly kind: Kind;
  readonly state: ListState;
  readonly heardMs: number | undefined;
  readonly isKnown: boolean;
  /** That the server does not have it is nothing wrong. */
  readonly isOptional: boolean;
}

export interface ListsSink {
  /** Something that podroute reads is another now. */
  changed(): void;
  /** Whether a list can be heard is. */
  stateChanged(): void;
}

interface Followed {
  readonly contents: ListContents;
  readonly reflector: Reflector;
  readonly isOptional: boolean;
  /** This node's alone. */
  readonly isOwn?: boolean;
}

export class WatchedLists implements Disposable {
  readonly #io: { readonly api: ApiServer; readonly clock: Clock; readonly random: Random };
  readonly #namespace: string;
  readonly #reader: Reader;
  readonly #sink: ListsSink;
  /** In the order in which the first of two documents for one object wins. */
  readonly #lists = new Map<string, Followed>();
  readonly #secrets = new Map<string, Followed>();
  /** Shall take the place of the list of its kind as soon as it was heard. */
  readonly #next = new Map<OwnKind, Followed>();
  readonly #node: string | undefined;
  #calicoGroup: string | undefined;
  #areGroupsKnown = false;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(
    namespace: string,
    { reader, node }: { readonly reader: Reader; readonly node: string | undefined },
    io: { readonly api: ApiServer; readonly clock: Clock; readonly random: Random },
    sink: ListsSink,
  ) {
    this.#namespace = namespace;
    this.#reader = reader;
    this.#node = node;
    this.#io = io;
    this.#sink = sink;
  }

  start(): void {
    const kinds: readonly Kind[] = this.#reader === 'controller' ? [...FOLLOWED, 'BGPNodeStatus'] : FOLLOWED;
    for (const kind of kinds)
      this.#lists.set(kind, this.#followKind(kind, kind === 'Node' || kind === 'IPAMBlock'));
    void this.#lookForCalico();
  }

  /**
   * Follows all objects of a kind, or its own alone. What was heard stays until the other list was; while all are wanted and
   * were not heard, the kind is one of which there may be more.
   *
   * @returns whether it is so
   */
  followOwn(kind: OwnKind, isOwn: boolean): boolean {
    const current = this.#lists.get(kind);
    const next = this.#next.get(kind);
    const isWanted = isOwn && this.#ownSelector(kind) !== undefined;
    if (current?.isOwn === isWanted) {
      next?.reflector[Symbol.dispose]();
      this.#next.delete(kind);
      return true;
    }
    if (next === undefined) {
      this.#next.set(kind, this.#followKind(kind, isWanted));
      return false;
    }
    if (!next.contents.isKnown) return false;
    current?.reflector[Symbol.dispose]();
    this.#next.delete(kind);
    this.#lists.set(kind, next);
    this.#sink.changed();
    return true;
  }

  /** Kinds of which no others than this node's are heard. */
  ownKinds(): Set<Kind> {
    return new Set(
      [...this.#lists.values()].flatMap(({ isOwn, contents }) => (isOwn ? [contents.kind] : [])),
    );
  }

  /** What all lists hold. One that nobody needs to have, and that is not there, is left out. */
  contents(): FileContent[] {
    // One that shall hold more and was not heard yet: what was known stays.
    const wider = new Map([...this.#next].filter(([, { isOwn }]) => !isOwn));
    const lists = [...this.#lists].map(([kind, list]) => wider.get(kind as OwnKind) ?? list);
    return [...lists, ...this.#secrets.values()]
      .filter(({ contents, isOptional, reflector }) => {
        return contents.isKnown || !isOptional || reflector.state().kind !== 'absent';
      })
      .map(({ contents }) => contents.content());
  }

  /** Every list was heard, or is not there. */
  get areKnown(): boolean {
    return this.#areGroupsKnown && this.#all().every(isKnown);
  }

  states(): FollowedList[] {
    return this.#all().map(({ contents, reflector, isOptional }) => ({
      name: contents.name,
      kind: contents.kind,
      state: reflector.state(),
      heardMs: reflector.heardMs,
      isKnown: contents.isKnown,
      isOptional,
    }));
  }

  /**
   * Follows these Secrets of podroute's namespace, and no others. By name: an agent need not be able to read more.
   * @returns whether all of them were heard
   */
  followSecrets(names: ReadonlySet<string>): boolean {
    for (const [name, { reflector }] of this.#secrets) {
      if (names.has(name)) continue;
      reflector[Symbol.dispose]();
      this.#secrets.delete(name);
      this.#sink.changed();
    }
    for (const name of this.#reader === 'controller' ? [] : names) {
      if (this.#secrets.has(name)) continue;
      const path = listPath(RESOURCE_PATHS.Secret, this.#namespace);
      this.#secrets.set(
        name,
        this.#follow(
          { path, fieldSelector: `metadata.name=${name}` },
          { name: `secrets/${name}`, kind: 'Secret', apiVersion: 'v1' },
          false,
        ),
      );
    }
    return [...this.#secrets.values()].every(isKnown);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const { reflector } of this.#all()) reflector[Symbol.dispose]();
  }

  #all(): Followed[] {
    return [...this.#lists.values(), ...this.#next.values(), ...this.#secrets.values()];
  }

  #followKind(kind: Kind, isOwn: boolean): Followed {
    const path = RESOURCE_PATHS[kind];
    const apiVersion = path.base.replace(/^\/apis?\//, '');
    const selector = isOwn ? this.#ownSelector(kind) : undefined;
    const list = { path: listPath(path), ...selector };
    const followed = this.#follow(list, { name: listName(path), kind, apiVersion }, false);
    return { ...followed, isOwn: selector !== undefined };
  }

  /** Undefined: nobody's, or there is no way to ask for its own alone. */
  #ownSelector(kind: Kind): Omit<WatchedList, 'path'> | undefined {
    if (this.#node === undefined) return undefined;
    if (kind === 'Node') return { fieldSelector: `metadata.name=${this.#node}` };
    const labels = ipamBlockLabels(this.#node);
    return kind === 'IPAMBlock' && labels ? { labelSelector: labelSelectorOf(labels) } : undefined;
  }

  #serverAnswers(): void {
    for (const all of [this.#lists, this.#secrets, this.#next])
      for (const { reflector } of all.values()) reflector.serverAnswers();
  }

  #follow(
    list: WatchedList,
    identity: ConstructorParameters<typeof ListContents>[0],
    isOptional: boolean,
  ): Followed {
    const contents = new ListContents(identity);
    const reflector = new Reflector(list, this.#io, {
      part: (object) => contents.part(object),
      replaced: (objects) => void (contents.replace(objects) && this.#sink.changed()),
      changed: (object) => void (contents.put(object) && this.#sink.changed()),
      removed: (object) => void (contents.remove(object) && this.#sink.changed()),
      stateChanged: () => {
        if (reflector.isAnswered) this.#serverAnswers();
        this.#sink.stateChanged();
      },
    });
    reflector.start();
    return { contents, reflector, isOptional };
  }

  async #lookForCalico(): Promise<void> {
    let delayMs = GROUPS_MS;
    try {
      const answer = await this.#io.api.ask({ method: 'GET', path: '/apis' });
      if (this.#isClosed) return;
      const { groups } = answer as { groups: readonly { versions: readonly { groupVersion: string }[] }[] };
      const served = new Set(
        groups.flatMap(({ versions }) => versions.map(({ groupVersion }) => groupVersion)),
      );
      this.#followCalico(CALICO_GROUPS.find((group) => served.has(group)));
      if (!this.#areGroupsKnown) {
        this.#areGroupsKnown = true;
        this.#sink.changed();
      }
    } catch {
      if (!this.#areGroupsKnown) delayMs = GROUPS_RETRY_MS;
    }
    if (this.#isClosed) return;
    const jitter = 0.75 + this.#io.random.next() / 2;
    this.#timer = this.#io.clock.setTimer(delayMs * jitter, () => void this.#lookForCalico());
  }

  /** What was read of Calico's stays when its kinds are gone: their objects are told to be deleted one by one. */
  #followCalico(group: string | undefined): void {
    if (group === undefined || group === this.#calicoGroup) return;
    this.#calicoGroup = group;
    for (const [kind, plural] of Object.entries(CALICO_KINDS) as [keyof typeof CALICO_KINDS, string][]) {
      this.#lists.get(`calico ${kind}`)?.reflector[Symbol.dispose]();
      const name = `${plural}.${group.split('/')[0]}`;
      const list = this.#follow(
        { path: `/apis/${group}/${plural}` },
        { name, kind, apiVersion: group },
        true,
      );
      this.#lists.set(`calico ${kind}`, list);
    }
  }
}

const isKnown = ({ contents, reflector }: Followed): boolean =>
  contents.isKnown || reflector.state().kind === 'absent';

/** The Secrets that something in force refers to: no others are asked for. */
export function referredSecrets({
  bgpPeers,
  bgpConfigurations,
  bfdProfiles,
}: Pick<Resources, 'bgpPeers' | 'bgpConfigurations' | 'bfdProfiles'>): ReadonlySet<string> {
  const profiles = new Set([
    ...[...bgpPeers.values()].map(({ spec }) => spec.bfd?.profile),
    ...[...bgpConfigurations.values()].map(({ spec }) => spec.nodeMeshBFD?.profile),
  ]);
  const references = [
    ...[...bgpPeers.values()].map(({ spec }) => spec.password?.secretKeyRef.name),
    ...[...bgpConfigurations.values()].map(({ spec }) => spec.nodeMeshPassword?.secretKeyRef.name),
    ...[...bfdProfiles.values()]
      .filter(({ metadata }) => profiles.has(metadata.name))
      .map(({ spec }) => spec.authentication?.keyFrom.secretKeyRef.name),
  ];
  return new Set(references.filter((name) => name !== undefined));
}
