// A container of a pod's template, run on a host of the lab as a kubelet would have it run: the image's files as its root, which
// cannot be written, the template's mounts and capabilities, no new privileges. Only the pod's network is the host's.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Host, HostProcess } from '#lab';

export interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly securityContext: {
    readonly readOnlyRootFilesystem: boolean;
    readonly allowPrivilegeEscalation: boolean;
    readonly capabilities: { readonly drop: readonly string[]; readonly add?: readonly string[] };
  };
  readonly readinessProbe?: { readonly exec?: { readonly command: readonly string[] } };
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
}

export interface PodSpec {
  readonly securityContext: { readonly runAsUser: number };
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly { readonly name: string; readonly hostPath: { readonly path: string } }[];
}

/** Those of the machine that all hosts of a lab have; others are the host's own. */
const OF_THE_MACHINE = ['/run/netns', '/proc/sys/net'];
const ACCOUNT = '/run/secrets/kubernetes.io/serviceaccount';

export class PodByHand {
  readonly #host: Host;
  readonly #folder: string;
  readonly #spec: PodSpec;
  readonly #env: Readonly<Record<string, string>>;

  /**
   * @param folder for the root file system and the host's paths
   * @param env what the kubelet adds
   * @param account files of the service account
   */
  constructor(
    host: Host,
    folder: string,
    archive: string,
    spec: PodSpec,
    env: Readonly<Record<string, string>>,
    account: Readonly<Record<string, string>>,
  ) {
    this.#host = host;
    this.#folder = folder;
    this.#spec = spec;
    this.#env = env;
    unpack(archive, this.root);
    // Drops capabilities from inside the new root.
    for (const file of ['/usr/bin/setpriv', ...librariesOf('/usr/bin/setpriv')]) {
      const inside = file.endsWith('/setpriv') ? join(this.root, 'tmp/setpriv') : join(this.root, file);
      mkdirSync(dirname(inside), { recursive: true });
      copyFileSync(file, inside);
    }
    mkdirSync(join(folder, 'account'));
    for (const [name, text] of Object.entries(account)) writeFileSync(join(folder, 'account', name), text);
  }

  get root(): string {
    return join(this.#folder, 'root');
  }

  /** Where a path of the host is. */
  onHost(path: string): string {
    return OF_THE_MACHINE.includes(path) ? path : join(this.#folder, 'host', path);
  }

  /** @param spec of the pod that the container is of, where it is another pod's of the same image and the same host */
  start(
    { args, env = [], securityContext, volumeMounts = [] }: Container,
    spec: PodSpec = this.#spec,
  ): HostProcess {
    const { readOnlyRootFilesystem, allowPrivilegeEscalation, capabilities } = securityContext;
    if (!readOnlyRootFilesystem || allowPrivilegeEscalation || capabilities.drop.join() !== 'ALL') {
      throw new Error('this container is less closed than those that can be run here');
    }
    const mounts = volumeMounts.flatMap(({ name, mountPath, readOnly = false }) => {
      const from = this.onHost(spec.volumes!.find((one) => one.name === name)!.hostPath.path);
      if (!OF_THE_MACHINE.includes(from)) mkdirSync(from, { recursive: true });
      return [
        `mount --bind ${from} ${this.root}${mountPath}`,
        ...(readOnly ? [`mount -o remount,bind,ro ${this.root}${mountPath}`] : []),
      ];
    });
    const script = [
      'set -e',
      `mount --bind ${this.root} ${this.root}`,
      `mount -t proc proc ${this.root}/proc`,
      `mount --bind ${this.root}/proc/sys ${this.root}/proc/sys`,
      `mount -o remount,bind,ro ${this.root}/proc/sys`,
      `mount --rbind /dev ${this.root}/dev`,
      ...mounts,
      `mount --bind ${this.#folder}/account ${this.root}${ACCOUNT}`,
      `mount -o remount,bind,ro ${this.root}`,
      'exec "$@"',
    ];
    const values = new Map(Object.entries(this.#env));
    const filled = (text: string) =>
      text.replaceAll(/\$\((\w+)\)/g, (whole, name: string) => values.get(name) ?? whole);
    for (const { name, value } of env) if (value !== undefined) values.set(name, filled(value));
    const { runAsUser } = spec.securityContext;
    const bounding = ['-all', ...(capabilities.add ?? []).map((name) => `+${name.toLowerCase()}`)].join(',');
    return this.#host.spawn([
      ...['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', script.join('\n'), 'sh'],
      ...['env', '-i', 'PATH=/usr/sbin:/usr/bin', ...[...values].map(([name, value]) => `${name}=${value}`)],
      ...['chroot', this.root, '/tmp/setpriv', '--no-new-privs', `--bounding-set=${bounding}`],
      ...[`--reuid=${runAsUser}`, `--regid=${runAsUser}`, '--clear-groups'],
      ...['--inh-caps=-all', '/usr/bin/podroute', ...args.map(filled)],
    ]);
  }
}

function librariesOf(program: string): string[] {
  const text = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...text.matchAll(/=> (\/\S+)/g)].map(([, path]) => path!);
}

/** Layer over layer, as a container runtime does. */
export function unpack(archive: string, root: string): void {
  const of = (name: string) => execFileSync('tar', ['-xOf', archive, name], { maxBuffer: 1 << 28 });
  const [{ Layers }] = JSON.parse(of('manifest.json').toString()) as [{ Layers: string[] }];
  mkdirSync(root, { recursive: true });
  for (const layer of Layers) {
    const { status, stderr } = spawnSync('tar', ['-xzf', '-', '-C', root], { input: of(layer) });
    if (status !== 0) throw new Error(`${layer}: ${stderr.toString()}`);
  }
}
