// One run: two hosts, the speaker in one, the load in the other, and what came out.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { addAddresses, addNeighbours, connect, createHost } from '#lab';
import { type BlastResult, blastCommand, runBlast } from './blast.ts';
import { addressPlus, type BenchCase, type LoadKind, placeOf, type Size } from './cases.ts';
import { delayBetween, type EventLoopDelay } from './event-loop.ts';
import type { Job, RunningSpeaker, Speaker } from './speakers/speaker.ts';

/** V8 gives memory back within ten seconds. */
const REST_MS = 12_000;

export interface RunResult extends BlastResult {
  /** RSS of the speaker at rest, see restingKb(). */
  readonly idle_kb: number;
  /** While the table arrived. */
  readonly eventLoop?: EventLoopDelay;
}

/** A speaker started for a load, and the host that the load comes from; everything is removed at the end. */
export async function withSpeaker<T>(
  speaker: Speaker,
  load: LoadKind,
  size: Size,
  profile: boolean,
  body: (running: RunningSpeaker, load: ReturnType<typeof createHost>, job: Job) => Promise<T>,
): Promise<T> {
  const place = placeOf(load, size);
  const folder = mkdtempSync(join(tmpdir(), 'podroute-bench-'));
  await using dut = createHost('dut', { group: 'bench' });
  await using loader = createHost('load', { group: 'bench' });
  const { devices } = connect(dut, loader, {
    addresses: [[`${place.speakerAddress}/${place.prefixLength}`], []],
  });
  const addresses = Array.from({ length: place.peerCount }, (_, i) => addressPlus(place.firstPeer, i));
  addAddresses(
    loader,
    devices[1],
    addresses.map((a) => `${a}/${place.prefixLength}`),
  );
  addNeighbours(dut, devices[0], loader, devices[1], addresses);
  // Where a feed's next hops lead to.
  dut.ip('route', 'add', 'default', 'via', place.firstPeer);
  const job: Job = { host: dut, load, place, folder: profile ? profileFolder() : folder, profile };
  try {
    const running = await speaker.start(job);
    try {
      return await body(running, loader, job);
    } finally {
      await running.process.stop(15_000);
      if (profile) console.error(`profile in ${job.folder}`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function runCase(
  speaker: Speaker,
  benchCase: BenchCase,
  size: Size,
  profile: boolean,
  idleKb: number,
): Promise<RunResult> {
  return withSpeaker(speaker, benchCase.load, size, profile, async (running, loader, job) => {
    await settled(running.process.pid);
    const target = { place: job.place, port: running.port, pid: running.process.pid };
    const result = await runBlast(loader, blastCommand(benchCase.load, size, target)).catch(
      (error: Error) => {
        throw new Error(`${error.message}\n${speaker.title} said:\n${running.process.output.slice(-2000)}`);
      },
    );
    const { announce_from: from, announce_s: seconds } = result;
    const eventLoop =
      running.ticks === undefined ? undefined : delayBetween(running.ticks, from, from + seconds);
    return { ...result, idle_kb: idleKb, ...(eventLoop === undefined ? {} : { eventLoop }) };
  });
}

/** RSS of a speaker to which nobody has connected, when it has come to rest after its start. */
export function restingKb(speaker: Speaker): Promise<number> {
  return withSpeaker(speaker, 'table', { peers: 1, prefixes: 1 }, false, async (running) => {
    await new Promise((wake) => setTimeout(wake, REST_MS));
    return residentKb(running.process.pid);
  });
}

/** Until a speaker that has just started has nothing to do: 300 ms with hardly any CPU time; 5 s at most. */
async function settled(pid: number): Promise<void> {
  for (let quiet = 0, before = cpuTicks(pid), i = 0; quiet < 3 && i < 50; i++) {
    await new Promise((wake) => setTimeout(wake, 100));
    const now = cpuTicks(pid);
    quiet = now - before <= 1 ? quiet + 1 : 0;
    before = now;
  }
}

/** User and system time so far, in hundredths of a second. */
function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

function residentKb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

function profileFolder(): string {
  const folder = resolve(import.meta.dirname, '../../build/profile', String(process.pid));
  mkdirSync(folder, { recursive: true });
  return folder;
}
