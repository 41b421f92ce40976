// One whole node from what it is given: locks, store, kernel, addresses, plan and sessions, pods, status, in this order.
// What was opened is closed in reverse order, also when the start fails halfway. Binds nothing real itself: many nodes can
// run in one process.
import { type CniServer, networkName } from '#cni-plugin';
import { Ipam } from '#ipam';
import type { Kernel, Sysctl } from '#linux';
import type { BGPNodeStatusStatus } from '#api';
import type { Store } from '#store';
import { Agent } from './agent.ts';
import { answer, answerMetrics, answerPublic, answerStatus, type StatusRequest } from './http/endpoints.ts';
import { answerAddresses } from './http/ipam-endpoints.ts';
import { PlanDiffDesk } from './http/plan-diff-endpoint.ts';
import { answerSessions } from './http/session-endpoints.ts';
import { noteRun } from './earlier-run.ts';
import { LateSockets } from './late-sockets.ts';
import type { AgentOptions } from './options.ts';
import { LockedError, type NodeBindings, PODS_LOCK } from './outside.ts';
import { startCni, subjectLog } from './pods/cni-service.ts';
import { LeakWatch } from './pods/leak-watch.ts';
import { LinkWatch } from './speaker/link-watch.ts';
import { planDiff } from './diff/plan-diff.ts';
import { RouterWatch } from './speaker/router-watch.ts';
import { CallFigures } from './status/call-figures.ts';
import { AgentStatusSource } from './status-source.ts';
import { EventRecorder } from './status/event-recorder.ts';
import { NodeMarker } from './status/node-marker.ts';
import { nodeStatus } from './status/node-status.ts';
import { StatusWriter } from './status/status-writer.ts';

export type NodeSettings = Omit<AgentOptions, 'store' | 'logLevel'>;

export interface RunningNode extends AsyncDisposable {
  readonly agent: Agent;
  readonly status: AgentStatusSource;
  /** Undefined with --fib none. */
  readonly cni: CniServer | undefined;
}

/** Resolves when the node serves its sockets. Disposing says farewell to neighbours; kernel routes and pods stay. */
export async function startNode(settings: NodeSettings, bindings: NodeBindings): Promise<RunningNode> {
  await using opening = new AsyncDisposableStack();
  const { nodeName, table, version, socketPath } = settings;
  const { clock, random, scheduler, log, process, http, rehearse } = bindings;
  const startedAtMs = clock.wall();
  const startedMs = clock.now();
  const uptimeMs = () => clock.now() - startedMs;
  const lockTroubles = await takeLocks(settings, bindings, opening);
  const store = opening.use(bindings.openStore());
  await store.start();
  // In the store, which has to be there: a lock would make the folder that a mistyped --store names.
  lockTroubles.push(...(await takeNameLock(settings, bindings, opening)));
  const host = settings.fib === 'none' ? undefined : await openHost(settings, bindings, store, opening);
  const transport = bindings.openTransport(host?.links);
  const hasRunBefore = host === undefined && (await noteRun(bindings.disk, settings.stateDir, log));
  const agent = opening.use(
    new Agent(
      { nodeName, table },
      {
        clock,
        random,
        scheduler,
        log,
        store,
        transport,
        hasRunBefore,
        openDetection: () => bindings.openDetection(),
        ...(rehearse && { rehearse }),
        ...(host && { host }),
      },
    ),
  );
  const tell = (from: 'start' | 'pods' | 'reports' | 'marks') => (messages: readonly string[]) =>
    agent.board.set(
      from,
      messages.map((message) => ({ object: `Node ${nodeName}`, field: '', message })),
    );
  tell('start')(lockTroubles);
  const sockets = new LateSockets(clock, (refused) => tell('start')([...lockTroubles, ...refused]));
  await agent.start();
  const calls = host && new CallFigures();
  const cni =
    host === undefined
      ? undefined
      : await startCni(
          { ...settings, ...(calls && { called: calls.called }) },
          bindings,
          host,
          { sockets, tell: tell('pods') },
          opening,
        );

  const leaks = cni && host && watchLeaks(settings, bindings, { cni, ipam: host.ipam, store }, opening);
  const status = new AgentStatusSource(agent, {
    version,
    pid: process.pid,
    runtime: process.runtime,
    startedAtMs,
    uptimeMs,
    process: () => process.status(),
    signatureDrops: () => process.signatureDrops?.(),
    processFigures: () => process.figures(),
    calls,
    scheduler,
    now: () => clock.wall(),
    whyNoPods: () => cni?.whyUnready(),
    podPacketsDropped: () => cni?.droppedPackets(),
    leaks,
  });
  const diffs = new PlanDiffDesk((meant) => planDiff(meant, agent, { clock, scheduler }));
  const answerAll = (request: StatusRequest) =>
    answerMetrics(request, status) ??
    answerStatus(request, status) ??
    answerAddresses(request, cni) ??
    answerSessions(request, agent.driver) ??
    diffs.answer(request) ??
    answer(request, status);
  opening.use(await sockets.open('socket for commands', () => http.serveUnixSocket(socketPath, answerAll)));
  if (settings.http !== undefined) {
    const answerAnybody = (request: StatusRequest) =>
      answerMetrics(request, status) ?? answerPublic(request, status);
    const place = settings.http;
    opening.use(await sockets.open('--http', () => http.serveTcp(place, answerAnybody)));
  }
  if (bindings.isOfCluster) tellCluster(settings, bindings, { agent, status, store, tell }, opening);
  log.info({ socket: socketPath, tookMs: uptimeMs() }, 'started');
  const opened = opening.move();
  return { agent, status, cni, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** Undefined: the store has no Pods, or nobody shall look. */
function watchLeaks(
  { cniConfDir, leakGraceSeconds }: NodeSettings,
  { clock, disk, log }: NodeBindings,
  { cni, ipam, store }: { readonly cni: CniServer; readonly ipam: Ipam; readonly store: Store },
  opening: AsyncDisposableStack,
): LeakWatch | undefined {
  if (store.ownPods === undefined || cniConfDir === undefined || leakGraceSeconds === 0) return undefined;
  const ownPods = () => store.ownPods?.();
  const network = () => networkName(cniConfDir, disk);
  const io = { clock, log, ipam, cni, ownPods, network };
  const leaks = opening.use(new LeakWatch(leakGraceSeconds * 1_000, io));
  leaks.start();
  return leaks;
}

interface Told {
  readonly agent: Agent;
  readonly status: AgentStatusSource;
  readonly store: Store;
  readonly tell: (from: 'reports' | 'marks') => (messages: readonly string[]) => void;
}

/** What the cluster is told of this node: its status, Events, and whether pods can run here. */
function tellCluster(
  { nodeName, startupTaint }: NodeSettings,
  { clock, random, log }: NodeBindings,
  { agent, status, store, tell }: Told,
  opening: AsyncDisposableStack,
): void {
  const { notes } = store;
  const resources = () => store.snapshot();
  const events = notes && opening.use(new EventRecorder(nodeName, { clock, random, notes, resources, log }));
  const read = async (before: BGPNodeStatusStatus | undefined) => {
    const reply = await status.statusInTurns();
    events?.observe(reply);
    return nodeStatus(reply, agent.ipam?.usage().blocks ?? [], before, new Date(clock.wall()).toISOString());
  };
  opening.use(new StatusWriter(nodeName, { clock, random, store, read, tell: tell('reports') })).start();
  if (notes === undefined || agent.fib === undefined) return;
  const uid = () => store.snapshot().nodes.get(nodeName)?.metadata.uid;
  const io = { clock, random, notes, uid, whyUnavailable: () => status.notReady(), tell: tell('marks') };
  opening.use(new NodeMarker(nodeName, startupTaint, io)).start();
}

/**
 * What only one agent of this host may use. Rejects when another has it. The state directory's lock is done without when
 * the folder cannot be written: what it is for does not work then, and BGP does.
 * @returns why it could not be taken
 */
async function takeLocks(
  settings: NodeSettings,
  { locks, process, log }: NodeBindings,
  opening: AsyncDisposableStack,
): Promise<string[]> {
  const { nodeName, fib, table, stateDir } = settings;
  const holder = holderOf(settings, process);
  opening.use(await locks.lockHere(`node ${nodeName}`, holder));
  if (fib === 'kernel') {
    opening.use(await locks.lockHere(`kernel routing table ${table}`, holder));
    opening.use(await locks.lockHere(PODS_LOCK, holder));
  }
  return takeIfWritable(() => locks.lockFolder(stateDir, holder), log, opening);
}

/** The node's name among all that share the store. As takeLocks() with the state directory. */
async function takeNameLock(
  settings: NodeSettings,
  { locks, process, log }: NodeBindings,
  opening: AsyncDisposableStack,
): Promise<string[]> {
  return takeIfWritable(() => locks.lockName(settings.nodeName, holderOf(settings, process)), log, opening);
}

async function takeIfWritable(
  take: () => Promise<AsyncDisposable>,
  log: NodeBindings['log'],
  opening: AsyncDisposableStack,
): Promise<string[]> {
  try {
    opening.use(await take());
    return [];
  } catch (error) {
    if (error instanceof LockedError) throw error;
    const text = `cannot keep other agents out: ${error instanceof Error ? error.message : String(error)}`;
    log.warn({}, text);
    return [text];
  }
}

function holderOf({ nodeName }: NodeSettings, { pid }: NodeBindings['process']): string {
  return `pid ${pid}, node ${nodeName}`;
}

interface Host {
  readonly kernel: Kernel;
  readonly sysctl: Sysctl;
  readonly links: LinkWatch;
  readonly routers: RouterWatch;
  readonly ipam: Ipam;
}

/** What the agent has besides a speaker: kernel routes and pods. */
async function openHost(
  { nodeName, stateDir }: NodeSettings,
  { host, clock, random, disk, log, isOfCluster = false }: NodeBindings,
  store: Store,
  opening: AsyncDisposableStack,
): Promise<Host> {
  const kernel = opening.use(await host.openKernel());
  const links = opening.use(new LinkWatch(kernel, log));
  await links.start();
  const { routerDiscovery: discovery } = host;
  const routers = opening.use(new RouterWatch({ links, discovery, clock, random, log }));
  const tuning = isOfCluster ? { orphanGraceMs: Number.POSITIVE_INFINITY } : {};
  const ipam = new Ipam({ node: nodeName, stateDir, tuning }, { clock, disk, store, log: subjectLog(log) });
  await ipam.start();
  opening.use(ipam);
  return { kernel, sysctl: host.sysctl, links, routers, ipam };
}
