// Paths of the node that pods of podroute have: under which path inside, and what makes them.
import { type Setting, setting } from './settings.ts';

interface HostPath {
  readonly name: string;
  readonly inside: string;
  readonly onHost: string | Setting;
  readonly type: 'Directory' | 'DirectoryOrCreate';
  readonly propagation?: 'HostToContainer';
}

export const HOST_PATHS = {
  run: { name: 'run', inside: '/run/podroute', onHost: '/run/podroute', type: 'DirectoryOrCreate' },
  state: {
    name: 'state',
    inside: '/var/lib/podroute',
    onHost: '/var/lib/podroute',
    type: 'DirectoryOrCreate',
  },
  cniConf: {
    name: 'cni-conf',
    inside: '/etc/cni/net.d',
    onHost: setting('hostPaths.cniConfDir'),
    type: 'DirectoryOrCreate',
  },
  cniBin: {
    name: 'cni-bin',
    inside: '/opt/cni/bin',
    onHost: setting('hostPaths.cniBinDir'),
    type: 'DirectoryOrCreate',
  },
  // Namespaces of pods that come later must be seen here, too.
  netns: {
    name: 'netns',
    inside: '/run/netns',
    onHost: setting('hostPaths.netns'),
    type: 'DirectoryOrCreate',
    propagation: 'HostToContainer',
  },
  // The container's own /proc/sys can only be read.
  sysctl: { name: 'sysctl', inside: '/host/proc/sys/net', onHost: '/proc/sys/net', type: 'Directory' },
} as const satisfies Readonly<Record<string, HostPath>>;

export const volume = ({ name, onHost, type }: HostPath) => ({ name, hostPath: { path: onHost, type } });
export const mount = ({ name, inside, propagation }: HostPath) => ({
  name,
  mountPath: inside,
  ...(propagation && { mountPropagation: propagation }),
});
