// bgpblast, our load generator in C (blast/main.c says what it does): built once into build/, run in a host.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Host, HostProcess } from '#lab';
import type { BenchCase, Place, Size } from './cases.ts';

const BUILD = resolve(import.meta.dirname, '../../build');
const SOURCE = join(import.meta.dirname, 'blast');
const FEED = join(import.meta.dirname, 'data/pch2015-full-table.updates.gz');

/** What bgpblast prints; times in seconds unless the name says otherwise, memory of the speaker in KB. */
export interface BlastResult {
  readonly mode: string;
  readonly prefixes: number;
  /** CLOCK_MONOTONIC. */
  readonly announce_from: number;
  readonly announce_s: number;
  readonly announce_cpu_s: number;
  readonly withdraw_s: number;
  readonly withdraw_cpu_s: number;
  readonly flap_ms_p50: number;
  readonly flap_ms_p99: number;
  readonly flap_ms_max: number;
  /** Prefixes at sinks that are not as sent. */
  readonly wrong: number;
  readonly empty_kb: number;
  readonly loaded_kb: number;
  readonly peak_kb: number;
  readonly end_peak_kb: number;
  readonly end_kb: number;
}

/** Compiles when a source is newer. Throws with the compiler's words, or with what to install. */
function buildBlast(): string {
  const binary = join(BUILD, 'bgpblast');
  const sources = readdirSync(SOURCE).map((name) => join(SOURCE, name));
  const newest = Math.max(...sources.map((path) => statSync(path).mtimeMs));
  if (existsSync(binary) && statSync(binary).mtimeMs > newest) return binary;
  mkdirSync(BUILD, { recursive: true });
  const files = sources.filter((path) => path.endsWith('.c'));
  const result = spawnSync('cc', ['-O2', '-Wall', '-std=gnu11', '-o', binary, ...files], {
    encoding: 'utf8',
  });
  if (result.error !== undefined) throw new Error('bench: no C compiler: apt-get install gcc libc6-dev');
  if (result.status !== 0) throw new Error(`bench: bgpblast does not compile:\n${result.stderr}`);
  return binary;
}

/** The recorded table transfer, unpacked. */
function feedFile(): string {
  const file = join(BUILD, 'pch2015-full-table.updates');
  if (!existsSync(file)) writeFileSync(file, gunzipSync(readFileSync(FEED)));
  return file;
}

export interface BlastTarget {
  readonly place: Place;
  readonly port: number;
  readonly pid: number;
}

export function blastCommand(
  mode: BenchCase['load'],
  size: Size,
  target: BlastTarget,
  more: readonly string[] = [],
): string[] {
  const command = [buildBlast(), mode, '-t', target.place.speakerAddress, '-p', String(target.port)];
  command.push('-a', target.place.firstPeer, '-A', String(target.place.asNumber), '-P', String(target.pid));
  command.push('-k', String(size.peers), '-n', String(size.prefixes));
  if (mode === 'feed') command.push('-f', feedFile());
  return [...command, ...more];
}

/** Runs to the end. Throws with what bgpblast said when a session fails or nothing moves for two minutes. */
export async function runBlast(host: Host, command: readonly string[]): Promise<BlastResult> {
  const process: HostProcess = host.spawn(command);
  const { code } = await process.exited;
  const line = process.output.split('\n').find((text) => text.startsWith('{'));
  if (code !== 0 || line === undefined) throw new Error(`bgpblast: exit ${code}: ${process.output.trim()}`);
  const said = process.output.replace(line, '').trim();
  if (said !== '') console.error(said);
  return JSON.parse(line) as BlastResult;
}
