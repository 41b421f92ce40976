// A container runtime as far as CNI sees it: reads a real conflist and calls the real executable.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Host } from './hosts.ts';

export interface CniInvocation {
  readonly command: 'ADD' | 'DEL' | 'CHECK' | 'GC' | 'STATUS';
  readonly containerId: string;
  /** Path of the pod's network namespace. */
  readonly netns: string;
  readonly podName: string;
  /** Further CNI_ARGS: the Pod's UID, which newer runtimes give, or what is asked for. */
  readonly args?: string | undefined;
}

export interface CniAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** From exec to exit of the executable, with nsenter's share. */
  readonly milliseconds: number;
}

/** What of an ADD's result the lab uses. */
export interface CniResult {
  readonly interfaces: readonly { readonly name: string; readonly sandbox?: string }[];
  readonly ips: readonly { readonly address: string }[];
}

interface Conflist {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins: readonly Readonly<Record<string, unknown>>[];
}

/** The first conflist of the folder in alphabetical order, as containerd and CRI-O choose. */
export function readConflist(folder: string): Conflist | undefined {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return undefined;
  }
  const first = names.filter((n) => n.endsWith('.conflist')).sort()[0];
  return first === undefined
    ? undefined
    : (JSON.parse(readFileSync(join(folder, first), 'utf8')) as Conflist);
}

/** Calls the first plugin of the node's conflist in the node's namespace. Never throws for a plugin's error. */
export async function invokeCni(
  node: Host,
  confDir: string,
  executable: string,
  invocation: CniInvocation,
): Promise<CniAnswer> {
  const conflist = readConflist(confDir);
  if (conflist === undefined)
    throw new Error(`${node.name}: no conflist in ${confDir}: the agent is not ready`);
  const plugin = conflist.plugins[0];
  const input = JSON.stringify({ ...plugin, cniVersion: conflist.cniVersion, name: conflist.name });
  const args = invocation.args === undefined ? '' : `;${invocation.args}`;
  const begin = performance.now();
  const child = spawn('nsenter', [`--net=${node.path}`, '--', executable], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      CNI_COMMAND: invocation.command,
      CNI_CONTAINERID: invocation.containerId,
      CNI_NETNS: invocation.netns,
      CNI_IFNAME: 'eth0',
      CNI_PATH: executable.slice(0, executable.lastIndexOf('/')),
      CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${invocation.podName}${args}`,
      PATH: process.env['PATH'],
    },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? -1));
  });
  return { exitCode, stdout, stderr, milliseconds: performance.now() - begin };
}
