// The Deployment of the controller: an ordinary pod that is no root, and may be on any node.
import { CONTROLLER } from './access.ts';
import type { Manifest } from './manifest.ts';
import { NODE_ENVIRONMENT } from './node-options.ts';
import { NAMESPACE, Setting, setting } from './settings.ts';

const LABELS = { 'app.kubernetes.io/name': 'podroute', 'app.kubernetes.io/component': 'controller' };
/** The `nobody` of images without users. */
const NOBODY = 65532;
const PORT = 9480;

const probe = (times: object) => ({ httpGet: { port: PORT, path: '/healthz' }, ...times });

const controller = () => ({
  name: 'controller',
  image: setting('image'),
  imagePullPolicy: setting('imagePullPolicy'),
  args: [
    'controller',
    '--store=kubernetes',
    `--http=$(POD_IP):${PORT}`,
    '--log-level=$(LOG_LEVEL)',
    '--node-grace-seconds=$(NODE_GRACE_SECONDS)',
  ],
  env: [
    { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'LOG_LEVEL', value: setting('controller.logLevel') },
    { name: 'NODE_GRACE_SECONDS', value: new Setting('controller.nodeGraceSeconds', '', 'text') },
    ...NODE_ENVIRONMENT,
  ],
  ports: [{ name: 'health', containerPort: PORT }],
  startupProbe: probe({ periodSeconds: 2, failureThreshold: 60 }),
  livenessProbe: probe({ periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }),
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  },
  resources: setting('controller.resources'),
});

export function controllerDeployment(): Manifest[] {
  return [
    {
      file: 'controller.yaml',
      only: 'serving',
      about: 'One works, by a lease; without any, sessions, routes and pods go on.',
      object: {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: CONTROLLER, namespace: NAMESPACE, labels: LABELS },
        spec: {
          replicas: setting('controller.replicas'),
          selector: { matchLabels: LABELS },
          template: {
            metadata: { labels: LABELS },
            spec: {
              serviceAccountName: CONTROLLER,
              enableServiceLinks: false,
              priorityClassName: 'system-cluster-critical',
              nodeSelector: { 'kubernetes.io/os': 'linux' },
              tolerations: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' }],
              // Each on another node, where there is one.
              topologySpreadConstraints: [
                {
                  maxSkew: 1,
                  topologyKey: 'kubernetes.io/hostname',
                  whenUnsatisfiable: 'ScheduleAnyway',
                  labelSelector: { matchLabels: LABELS },
                },
              ],
              imagePullSecrets: setting('imagePullSecrets'),
              securityContext: {
                runAsNonRoot: true,
                runAsUser: NOBODY,
                runAsGroup: NOBODY,
                seccompProfile: { type: 'RuntimeDefault' },
              },
              containers: [controller()],
            },
          },
        },
      },
    },
    {
      file: 'controller.yaml',
      only: 'serving',
      object: {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: CONTROLLER, namespace: NAMESPACE },
        spec: { maxUnavailable: 1, selector: { matchLabels: LABELS } },
      },
    },
  ];
}
