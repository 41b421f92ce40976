// The machine that this command runs on, as the doctor looks at it.
import { execFile } from 'node:child_process';
import { open, readdir } from 'node:fs/promises';
import {
  clockDiscipline,
  echo,
  type Kernel,
  openKernel,
  readSysctl,
  tcpListeners,
  tryDisk,
  tryKernelFeatures,
  unixPeer,
} from '#linux';
import type { AgentSays, CommandResult, Patient, Places } from '../doctor/patient.ts';
import { builtCniPlugin } from './built-cni-plugin.ts';

const MOST_BYTES = 4 << 20;
const COMMAND_TIMEOUT_MS = 2_500;
const MOST_OUTPUT = 32 << 20;
const PATH = '/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin';

export async function thisMachine(
  places: Places,
  version: string,
  agent: AgentSays | string,
): Promise<Patient> {
  const kernel = await openKernel();
  return {
    places,
    version,
    agent,
    isRoot: process.geteuid?.() === 0,
    now: () => Date.now(),
    read,
    list: (folder) => absent(readdir(folder)),
    kernel: asOneMoment(kernel),
    sysctl: { read: readSysctl },
    peer: unixPeer,
    run,
    listeners: tcpListeners,
    echo,
    disk: tryDisk,
    features: tryKernelFeatures,
    clock: clockDiscipline,
    builtCniPlugin: await builtCniPlugin(),
  };
}

/** Several checks ask for the same: a table with a million routes is read once. */
function asOneMoment(kernel: Kernel): Patient['kernel'] {
  const asked = new Map<string, Promise<unknown>>();
  const once = <T>(what: string, ask: () => Promise<T>): Promise<T> => {
    const before = asked.get(what) as Promise<T> | undefined;
    const answer = before ?? ask();
    asked.set(what, answer);
    return answer;
  };
  return {
    links: () => once('links', () => kernel.links()),
    addresses: () => once('addresses', () => kernel.addresses()),
    routes: (filter) => once(`routes ${JSON.stringify(filter)}`, () => kernel.routes(filter)),
    neighbours: () => once('neighbours', () => kernel.neighbours()),
    lookup: (address) => once(`lookup ${address}`, () => kernel.lookup(address)),
  };
}

/** Files below /proc have no size: read until the end. */
async function read(path: string): Promise<Uint8Array | undefined> {
  const file = await absent(open(path, 'r'));
  if (file === undefined) return undefined;
  try {
    const chunks: Buffer[] = [];
    for (let all = 0; all < MOST_BYTES; ) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(64 << 10));
      if (bytesRead === 0) break;
      chunks.push(buffer.subarray(0, bytesRead));
      all += bytesRead;
    }
    return Buffer.concat(chunks);
  } finally {
    await file.close();
  }
}

async function absent<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function run(
  [program = '', ...args]: readonly string[],
  { input, env }: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<CommandResult | undefined> {
  const settings = {
    timeout: COMMAND_TIMEOUT_MS,
    maxBuffer: MOST_OUTPUT,
    env: { PATH, LC_ALL: 'C', ...env },
  };
  return new Promise((done, fail) => {
    const child = execFile(program, args, settings, (error, stdout) => {
      if (error === null) done({ exitCode: 0, stdout });
      else if (error.code === 'ENOENT') done(undefined);
      else if (typeof error.code === 'number') done({ exitCode: error.code, stdout });
      else fail(error);
    });
    // One that ends without reading says why by its exit code.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input ?? '');
  });
}
