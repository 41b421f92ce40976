// What is in the image: Node with the libraries that it is linked with, the bundle, the addon and the CNI executable. No
// shell, no package manager, nothing that is not needed to run.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join, posix } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
const HOME = '/opt/podroute';

export type Entry =
  | { readonly path: string; readonly kind: 'folder'; readonly mode: number }
  | { readonly path: string; readonly kind: 'file'; readonly mode: number; readonly bytes: Buffer }
  | { readonly path: string; readonly kind: 'link'; readonly target: string };

/** What changes seldom is a layer of its own, which nodes fetch once. */
export interface Layers {
  readonly runtime: readonly Entry[];
  readonly program: readonly Entry[];
}

/** Throws when something was not built. */
export function imageContents(): Layers {
  const node = nodeProgram();
  const runtime = [
    ...libraries([node, join(ROOT, 'build', 'podroute_linux.node')]).map((path) => file(path, path, 0o755)),
    file('/usr/bin/node', node, 0o755),
    text('/etc/passwd', 'root:x:0:0:root:/:/\n'),
    text('/etc/group', 'root:x:0:\n'),
    // Where the hosts of a name are looked for: a library without this file asks in another order.
    text('/etc/nsswitch.conf', 'hosts: files dns\n'),
    // Runtimes name namespaces below either.
    { path: '/var/run', kind: 'link', target: '../run' } as const,
    { path: '/tmp', kind: 'folder', mode: 0o1777 } as const,
    ...MOUNTED.map((path) => ({ path, kind: 'folder', mode: 0o755 }) as const),
  ];
  const program = [
    text('/usr/bin/podroute', `#!/usr/bin/node\nimport '${HOME}/dist/podroute.js';\n`, 0o755),
    ...readdirSync(join(ROOT, 'dist')).map((name) => project(`dist/${name}`, 0o644)),
    project('build/podroute_linux.node', 0o644),
    project('build/podroute-cni', 0o755),
    project('package.json', 0o644),
    project('LICENSE', 0o644),
  ];
  return { runtime: withFolders(runtime), program: withFolders(program) };
}

/** The container runtime cannot make what it mounts on in a root file system that cannot be written. */
const MOUNTED = [
  '/proc',
  '/sys',
  '/dev',
  '/run/podroute',
  '/run/netns',
  '/run/secrets/kubernetes.io/serviceaccount',
  '/var/lib/podroute',
  '/etc/cni/net.d',
  '/opt/cni/bin',
  '/host/proc/sys/net',
];

/** The one that npm installed with the project: of the architecture that this runs on. */
function nodeProgram(): string {
  const path = join(ROOT, 'node_modules', 'node', 'bin', 'node');
  if (!existsSync(path)) throw new Error(`${path} is not there: npm run setup`);
  return realpathSync(path);
}

/** By the paths under which the loader looks for them. */
function libraries(programs: readonly string[]): string[] {
  const paths = programs.flatMap((program) =>
    [...execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(
      ([, path]) => path!,
    ),
  );
  return [...new Set(paths)].sort();
}

function file(path: string, from: string, mode: number): Entry {
  return { path, kind: 'file', mode, bytes: readFileSync(from) };
}

function project(name: string, mode: number): Entry {
  if (!existsSync(join(ROOT, name))) throw new Error(`${name} is not there: npm run build`);
  return file(`${HOME}/${name}`, join(ROOT, name), mode);
}

function text(path: string, content: string, mode = 0o644): Entry {
  return { path, kind: 'file', mode, bytes: Buffer.from(content) };
}

/** In the order of their paths, each with the folders above it. */
function withFolders(entries: readonly Entry[]): Entry[] {
  const all = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries) {
    for (let above = posix.dirname(path); above !== '/'; above = posix.dirname(above)) {
      if (!all.has(above)) all.set(above, { path: above, kind: 'folder', mode: 0o755 });
    }
  }
  return [...all.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}
