// What an operator may set of an installation: a value of the Helm chart, whose default the kustomize base has. One
// table makes values.yaml, its schema, and the places where the values stand.

export interface SettingFacts {
  readonly about: string;
  readonly value: unknown;
  /** JSON schema of the value. */
  readonly schema: object;
}

const text = { type: 'string' };
const objects = (about: string): SettingFacts => ({
  about,
  value: [],
  schema: {
    type: 'array',
    items: {
      type: 'object',
      additionalProperties: false,
      required: ['name', 'spec'],
      properties: { name: { type: 'string', minLength: 1 }, spec: { type: 'object' } },
    },
  },
});
const path = (about: string, value: string): SettingFacts => ({
  about,
  value,
  schema: { ...text, pattern: '^/' },
});

/** By path below .Values; a group's head comment is that of its first value. */
export const SETTINGS = {
  image: {
    about: 'The image of `npm run image`, where your nodes get it from.',
    value: 'podroute:0.1.0',
    schema: { ...text, minLength: 1 },
  },
  imagePullPolicy: {
    about: 'Always, IfNotPresent or Never.',
    value: 'IfNotPresent',
    schema: { enum: ['Always', 'IfNotPresent', 'Never'] },
  },
  imagePullSecrets: {
    about: 'Secrets of the namespace: [{ name: … }]',
    value: [],
    schema: { type: 'array', items: { type: 'object' } },
  },
  uninstall: {
    about:
      'true: in the place of agents and controller, what takes podroute off every node (docs/kubernetes.md).',
    value: false,
    schema: { type: 'boolean' },
  },
  'agent.logLevel': {
    about: 'trace, debug, info, warn, error or fatal.',
    value: 'info',
    schema: { enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] },
  },
  'agent.httpAddress': {
    about: "Health and metrics: 127.0.0.1 for the node alone; 0.0.0.0 or '[::]' for whoever reaches it.",
    value: '127.0.0.1',
    schema: { enum: ['127.0.0.1', '0.0.0.0', '[::]'] },
  },
  'agent.httpPort': {
    about: 'Their port, on every node.',
    value: 9479,
    schema: { type: 'integer', minimum: 1, maximum: 65535 },
  },
  'agent.env': {
    about:
      'More variables, such as KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT where nodes do not reach the API server by its Service.',
    value: [],
    schema: { type: 'array', items: { type: 'object', required: ['name'] } },
  },
  'agent.passwordSecrets': {
    about:
      "Secrets of the namespace with neighbours' passwords or keys of BFD, beside bgp-passwords: agents may read these, and no others.",
    value: [],
    schema: { type: 'array', items: { ...text, minLength: 1 } },
  },
  'agent.resources': {
    about: 'No limits: a node without its agent gets no pods, and a full table takes what it takes.',
    value: { requests: { cpu: '50m', memory: '128Mi' } },
    schema: { type: 'object' },
  },
  'agent.tolerations': {
    about: 'Every node, whatever its taints.',
    value: [{ operator: 'Exists' }],
    schema: { type: 'array', items: { type: 'object' } },
  },
  'agent.nodeSelector': {
    about: 'The nodes with an agent.',
    value: { 'kubernetes.io/os': 'linux' },
    schema: { type: 'object', additionalProperties: text },
  },
  'agent.priorityClassName': {
    about: 'Evicted last.',
    value: 'system-node-critical',
    schema: text,
  },
  'agent.maxUnavailable': {
    about:
      'How many agents are replaced at a time: neighbours withdraw the pods of their nodes for a moment.',
    value: 1,
    schema: {
      anyOf: [
        { type: 'integer', minimum: 1 },
        { type: 'string', pattern: '^[0-9]+%$' },
      ],
    },
  },
  'controller.replicas': {
    about: 'One works, the others wait.',
    value: 2,
    schema: { type: 'integer', minimum: 0 },
  },
  'controller.logLevel': {
    about: 'trace, debug, info, warn, error or fatal.',
    value: 'info',
    schema: { enum: ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] },
  },
  'controller.nodeGraceSeconds': {
    about: 'How long a Node must have been away before its blocks are freed.',
    value: 600,
    schema: { type: 'integer', minimum: 0, maximum: 86400 },
  },
  'controller.resources': {
    about: 'It follows the objects of the whole cluster.',
    value: { requests: { cpu: '20m', memory: '128Mi' } },
    schema: { type: 'object' },
  },
  'hostPaths.cniBinDir': path('Where the container runtime looks for CNI executables.', '/opt/cni/bin'),
  'hostPaths.cniConfDir': path('Where it looks for network configurations.', '/etc/cni/net.d'),
  'hostPaths.netns': path('Where it keeps network namespaces.', '/run/netns'),
  bgpConfiguration: {
    about: "spec of the BGPConfiguration 'default'; {}: a full mesh in AS 64512.",
    value: {},
    schema: { type: 'object' },
  },
  ipPools: objects("Pools of pods' addresses: [{ name, spec }]; none: each Node's podCIDRs."),
  bgpPeers: objects('Neighbours: [{ name, spec }].'),
  bgpFilters: objects('Filters that neighbours name: [{ name, spec }].'),
  bfdProfiles: objects('How BFD watches neighbours that name them: [{ name, spec }].'),
} as const satisfies Readonly<Record<string, SettingFacts>>;

export type SettingName = keyof typeof SETTINGS;

/**
 * How a value stands in its place: as it is; as a text, with something before it; or, of a list, each item among others.
 */
export type SettingForm = 'value' | 'text' | 'items';

/** The place of a setting in an object. */
export class Setting {
  readonly name: SettingName | 'namespace';
  readonly before: string;
  readonly form: SettingForm;

  constructor(name: SettingName | 'namespace', before = '', form: SettingForm = 'value') {
    this.name = name;
    this.before = before;
    this.form = form;
  }
}

export const setting = (name: SettingName): Setting => new Setting(name);

/** The namespace that everything is in: the release's in Helm. */
export const NAMESPACE = new Setting('namespace');
export const DEFAULT_NAMESPACE = 'podroute-system';
