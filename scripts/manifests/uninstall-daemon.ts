// The DaemonSet that takes podroute off every node: applied by hand when the agents are to go for good. It needs no account
// and no role, so it works before and after those have gone.
import { AGENT_LABELS, CLOSED } from './agent-daemon.ts';
import { HOST_PATHS, mount, volume } from './host-paths.ts';
import type { Manifest } from './manifest.ts';
import { NAMESPACE, setting } from './settings.ts';

const NAME = 'podroute-uninstall';
const LABELS = { 'app.kubernetes.io/name': 'podroute', 'app.kubernetes.io/component': 'uninstall' };

const { run, state, cniConf, cniBin } = HOST_PATHS;
const PLACES = [run, state, cniConf, cniBin];

const container = () => ({
  name: 'uninstall',
  image: setting('image'),
  imagePullPolicy: setting('imagePullPolicy'),
  args: ['uninstall', '--yes', '--stay'],
  // Asks the node anew, and not the process: ready is a node on which nothing of podroute is left.
  readinessProbe: {
    exec: { command: ['/usr/bin/podroute', 'uninstall'] },
    periodSeconds: 5,
    timeoutSeconds: 10,
    failureThreshold: 1,
  },
  // Kernel routes and the nftables table.
  securityContext: { ...CLOSED, capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } },
  resources: { requests: { cpu: '10m', memory: '64Mi' } },
  volumeMounts: PLACES.map(mount),
});

export function uninstallDaemon(): Manifest[] {
  return [
    {
      file: 'uninstall.yaml',
      only: 'leaving',
      about: 'Takes what podroute has left off every node. Ready is a node on which nothing of it is left.',
      object: {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        metadata: { name: NAME, namespace: NAMESPACE, labels: LABELS },
        spec: {
          selector: { matchLabels: LABELS },
          updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%' } },
          template: {
            metadata: { labels: LABELS },
            spec: {
              automountServiceAccountToken: false,
              hostNetwork: true,
              dnsPolicy: 'Default',
              enableServiceLinks: false,
              priorityClassName: setting('agent.priorityClassName'),
              tolerations: setting('agent.tolerations'),
              nodeSelector: setting('agent.nodeSelector'),
              imagePullSecrets: setting('imagePullSecrets'),
              terminationGracePeriodSeconds: 15,
              // Not where an agent's pod is, and none comes where this one is: an agent that starts needs what this takes.
              affinity: {
                podAntiAffinity: {
                  requiredDuringSchedulingIgnoredDuringExecution: [
                    { labelSelector: { matchLabels: AGENT_LABELS }, topologyKey: 'kubernetes.io/hostname' },
                  ],
                },
              },
              securityContext: { runAsUser: 0, seccompProfile: { type: 'RuntimeDefault' } },
              containers: [container()],
              volumes: PLACES.map(volume),
            },
          },
        },
      },
    },
  ];
}
