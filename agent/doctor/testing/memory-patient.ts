// A machine in memory for the doctor: a test says what is otherwise than on a fresh one without an agent.
import { KernelError, MemoryKernel } from '#linux';
import type { Patient } from '../patient.ts';

const ENOENT = 2;

export interface MemoryPatient extends Patient {
  readonly kernel: MemoryKernel;
  /** By path. */
  readonly files: Map<string, string>;
}

export function memoryPatient(otherwise: Partial<Patient> = {}): MemoryPatient {
  const kernel = new MemoryKernel();
  const files = new Map<string, string>();
  return {
    places: {
      socketPath: '/run/podroute/agent.sock',
      cniSocketPath: '/run/podroute/cni.sock',
      stateDir: '/var/lib/podroute',
      cniConfDir: '/etc/cni/net.d',
      cniBinDir: '/opt/cni/bin',
    },
    version: '1.2.3',
    isRoot: true,
    agent: 'nobody listens',
    now: () => Date.UTC(2026, 5, 1),
    sysctl: kernel.sysctl,
    peer: (path) => new KernelError('connect to', path, ENOENT),
    read: async (path) => {
      const text = files.get(path);
      return text === undefined ? undefined : Buffer.from(text);
    },
    list: async (folder) => {
      const inside = [...files.keys()].filter((path) => path.startsWith(`${folder}/`));
      return inside.length === 0 ? undefined : inside.map((path) => path.slice(folder.length + 1));
    },
    run: async () => undefined,
    listeners: async () => [],
    echo: async (_address, sizes) => new Set(sizes),
    disk: async (folder) => ({ folder, freeBytes: 2 ** 36, sizeBytes: 2 ** 37, syncMs: 1 }),
    features: async () => ({ 'network namespaces': undefined }),
    clock: () => ({ isSynchronised: true, leapSecondToday: false }),
    builtCniPlugin: undefined,
    ...otherwise,
    kernel,
    files,
  };
}
