// The DaemonSet of the agents: capabilities instead of privileged, and a root file system that cannot be written.
import { HOST_PATHS, mount, volume } from './host-paths.ts';
import type { Manifest } from './manifest.ts';
import { NODE_ENVIRONMENT } from './node-options.ts';
import { AGENT } from './admission-policies.ts';
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
  // real-time priority of the thread of BFD
  'SYS_NICE',
] as const;

export const AGENT_LABELS = {
  'app.kubernetes.io/name': 'podroute',
  'app.kubernetes.io/component': 'agent',
};

const { run, state, cniConf, netns, sysctl } = HOST_PATHS;
const SERVING = [run, state, cniConf, netns, sysctl];

const probe = (path: string, times: object) => ({
  // Whatever its address is, it answers there.
  // Also of a node with IPv6 only, whose `lo` has it, and also when the agent listens on '[::]'.
  httpGet: { host: '127.0.0.1', port: setting('agent.httpPort'), path },
  ...times,
});

export const CLOSED = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true };

const installer = () => ({
  name: 'install-cni',
  image: setting('image'),
  imagePullPolicy: setting('imagePullPolicy'),
  args: ['install-cni', HOST_PATHS.cniBin.inside],
  securityContext: { ...CLOSED, capabilities: { drop: ['ALL'] } },
  resources: { requests: { cpu: '10m', memory: '64Mi' } },
  volumeMounts: [mount(HOST_PATHS.cniBin)],
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
    ...NODE_ENVIRONMENT,
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
  volumeMounts: [...SERVING.map(mount), { ...mount(HOST_PATHS.cniBin), readOnly: true }],
});

export function agentDaemon(): Manifest[] {
  return [
    {
      file: 'agents.yaml',
      only: 'serving',
      about: 'One agent a node.',
      object: {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: AGENT, namespace: NAMESPACE, labels: AGENT_LABELS },
        spec: {
          selector: { matchLabels: AGENT_LABELS },
          updateStrategy: {
            type: 'RollingUpdate',
            rollingUpdate: { maxUnavailable: setting('agent.maxUnavailable') },
          },
          template: {
            metadata: { labels: AGENT_LABELS },
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
              volumes: [...SERVING, HOST_PATHS.cniBin].map(volume),
            },
          },
        },
      },
    },
  ];
}
