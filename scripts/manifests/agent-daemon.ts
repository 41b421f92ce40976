// The DaemonSet of the agents: capabilities instead of privileged, a root file system that cannot be written, and every
// path of the host by its name.
import { AGENT } from './policies.ts';
import type { Manifest } from './manifest.ts';
import { NAMESPACE, Setting, setting } from './settings.ts';

/** Agents of Kubernetes test with exactly these. */
export const CAPABILITIES = [
  // links, routes, nftables, TCP MD5
  'NET_ADMIN',
  // router advertisements (ICMPv6)
  'NET_RAW',
  // TCP 179
  'NET_BIND_SERVICE',
  // setns into the network namespace of a pod
  'SYS_ADMIN',
  // /proc/PID/ns/net of a pod, where the runtime names it so
  'SYS_PTRACE',
] as const;

const LABELS = { 'app.kubernetes.io/name': 'podroute', 'app.kubernetes.io/component': 'agent' };

interface HostPath {
  readonly name: string;
  readonly inside: string;
  readonly onHost: string | Setting;
  readonly type: 'Directory' | 'DirectoryOrCreate';
  readonly propagation?: 'HostToContainer';
}

const HOST_PATHS: readonly HostPath[] = [
  { name: 'run', inside: '/run/podroute', onHost: '/run/podroute', type: 'DirectoryOrCreate' },
  { name: 'state', inside: '/var/lib/podroute', onHost: '/var/lib/podroute', type: 'DirectoryOrCreate' },
  {
    name: 'cni-conf',
    inside: '/etc/cni/net.d',
    onHost: setting('hostPaths.cniConfDir'),
    type: 'DirectoryOrCreate',
  },
  // Namespaces of pods that come later must be seen here, too.
  {
    name: 'netns',
    inside: '/run/netns',
    onHost: setting('hostPaths.netns'),
    type: 'DirectoryOrCreate',
    propagation: 'HostToContainer',
  },
  // The container's own /proc/sys can only be read.
  { name: 'sysctl', inside: '/host/proc/sys/net', onHost: '/proc/sys/net', type: 'Directory' },
];

const CNI_BIN: HostPath = {
  name: 'cni-bin',
  inside: '/opt/cni/bin',
  onHost: setting('hostPaths.cniBinDir'),
  type: 'DirectoryOrCreate',
};

const volume = ({ name, onHost, type }: HostPath) => ({ name, hostPath: { path: onHost, type } });
const mount = ({ name, inside, propagation }: HostPath) => ({
  name,
  mountPath: inside,
  ...(propagation && { mountPropagation: propagation }),
});

const probe = (path: string, times: object) => ({
  // Whatever its address is, it answers there.
  httpGet: { host: '127.0.0.1', port: setting('agent.httpPort'), path },
  ...times,
});

const CLOSED = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true };

const installer = () => ({
  name: 'install-cni',
  image: setting('image'),
  imagePullPolicy: setting('imagePullPolicy'),
  args: ['install-cni', CNI_BIN.inside],
  securityContext: { ...CLOSED, capabilities: { drop: ['ALL'] } },
  resources: { requests: { cpu: '10m', memory: '64Mi' } },
  volumeMounts: [mount(CNI_BIN)],
});

const agent = () => ({
  name: 'agent',
  image: setting('image'),
  imagePullPolicy: setting('imagePullPolicy'),
  args: [
    'agent',
    '--node-name=$(NODE_NAME)',
    '--store=kubernetes',
    '--http=$(HTTP)',
    '--log-level=$(LOG_LEVEL)',
    // Of nodes that come with it no pod is asked for before it is gone.
    '--startup-taint=podroute.io/agent-not-ready',
  ],
  env: [
    { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    { name: 'HTTP_ADDRESS', value: setting('agent.httpAddress') },
    { name: 'HTTP', value: new Setting('agent.httpPort', '$(HTTP_ADDRESS):', 'text') },
    { name: 'LOG_LEVEL', value: setting('agent.logLevel') },
    { name: 'PODROUTE_PROC_SYS', value: '/host/proc/sys' },
    new Setting('agent.env', '', 'items'),
  ],
  ports: [{ name: 'metrics', containerPort: setting('agent.httpPort') }],
  // Alive is whoever answers: a neighbour that is down is no reason to restart anything.
  startupProbe: probe('/healthz', { periodSeconds: 2, failureThreshold: 60 }),
  livenessProbe: probe('/healthz', { periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
  // Ready is who can serve ADD and has its first routes.
  readinessProbe: probe('/readyz', { periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 }),
  securityContext: { ...CLOSED, capabilities: { drop: ['ALL'], add: CAPABILITIES } },
  resources: setting('agent.resources'),
  // podroute doctor looks at what the init container installed.
  volumeMounts: [...HOST_PATHS.map(mount), { ...mount(CNI_BIN), readOnly: true }],
});

export function agentDaemon(): Manifest[] {
  return [
    {
      file: 'agents.yaml',
      about: 'One agent a node.',
      object: {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: AGENT, namespace: NAMESPACE, labels: LABELS },
        spec: {
          selector: { matchLabels: LABELS },
          updateStrategy: {
            type: 'RollingUpdate',
            rollingUpdate: { maxUnavailable: setting('agent.maxUnavailable') },
          },
          template: {
            metadata: { labels: LABELS },
            spec: {
              serviceAccountName: AGENT,
              hostNetwork: true,
              // A namespace may be named /proc/PID/ns/net, with the host's PID.
              hostPID: true,
              dnsPolicy: 'Default',
              enableServiceLinks: false,
              priorityClassName: setting('agent.priorityClassName'),
              tolerations: setting('agent.tolerations'),
              nodeSelector: setting('agent.nodeSelector'),
              imagePullSecrets: setting('imagePullSecrets'),
              terminationGracePeriodSeconds: 15,
              securityContext: {
                runAsUser: 0,
                seccompProfile: { type: 'RuntimeDefault' },
                // The runtime's profile keeps /proc/PID/ns/net of pods closed.
                appArmorProfile: { type: 'Unconfined' },
              },
              initContainers: [installer()],
              containers: [agent()],
              volumes: [...HOST_PATHS, CNI_BIN].map(volume),
            },
          },
        },
      },
    },
  ];
}
