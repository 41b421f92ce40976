// What RBAC cannot say of an agent's writes: policies that hold it to its own node by the node name in its token, and its
// blocks to the pools. A policy sees one object at a time: that no two blocks overlap follows from names that say the CIDR
// and from one size of block in each pool.
import type { Manifest } from './manifest.ts';

export const AGENT = 'podroute-agent';

const OURS = 'podroute.io';
const CALICO = ['crd.projectcalico.org', 'projectcalico.org'];

const NODE_NAME = "request.userInfo.?extra[?'authentication.kubernetes.io/node-name'][?0].orValue('')";
const isOf = (resource: string) => `request.resource.resource == '${resource}'`;
const isOperation = (operation: string) => `request.operation == '${operation}'`;
const NODE_BEFORE = 'oldObject.spec.node == variables.node';
const NODE_AFTER = 'object.spec.node == variables.node';
const list = (path: string) => `${path}.orValue([])`;
const isSame = (path: string) => `object.${path} == oldObject.${path}`;
const sameStatus = (field: string) => isSame(`status.?${field}`);
const OTHER_CONDITIONS = (of: string) =>
  `${list(`${of}.status.?conditions`)}.filter(one, one.type != 'NetworkUnavailable')`;
/** Also a write of the status can change these: labels say which pods a node gets. */
const METADATA_IS_SAME = ['labels', 'annotations', 'finalizers', 'ownerReferences']
  .map((field) => isSame(`metadata.?${field}`))
  .join(' && ');
/** Besides its taints, of which those of podroute may go, a Node has what an agent leaves alone. */
const NODE_IS_SAME = [
  METADATA_IS_SAME,
  ...['unschedulable', 'podCIDR', 'podCIDRs', 'providerID', 'externalID'].map((field) =>
    isSame(`spec.?${field}`),
  ),
  ...['configSource', 'podPreemptionPolicy'].map((field) => isSame(`spec.?${field}`)),
  `${list('object.spec.?taints')}.all(one, one in ${list('oldObject.spec.?taints')})`,
  `${list('oldObject.spec.?taints')}.all(one, one.key.startsWith('podroute.io/') || one in ${list('object.spec.?taints')})`,
].join(' && ');
const STATUS_IS_SAME = [
  METADATA_IS_SAME,
  ...['addresses', 'capacity', 'allocatable', 'nodeInfo', 'phase', 'daemonEndpoints', 'images'].map(
    sameStatus,
  ),
  ...['volumesInUse', 'volumesAttached', 'config', 'runtimeHandlers', 'features', 'declaredFeatures'].map(
    sameStatus,
  ),
  `${OTHER_CONDITIONS('object')} == ${OTHER_CONDITIONS('oldObject')}`,
].join(' && ');

/** Of IPv6 the name has all eight groups in full. Kubernetes takes one text of each prefix length only. */
const NAMED_CIDR =
  "object.metadata.name.substring(0, 39).replace('-', ':') + '/' + object.metadata.name.substring(40)";
const IS_NAMED_AS_IPV6 = [
  "object.metadata.name.matches('^([0-9a-f]{4}-){8}[0-9]{1,3}$')",
  `isCIDR(${NAMED_CIDR})`,
  `cidr(${NAMED_CIDR}) == cidr(object.spec.cidr)`,
].join(' && ');
const NAME_IS_CIDR = `object.spec.cidr.replace('.', '-').replace('/', '-') == object.metadata.name || (${IS_NAMED_AS_IPV6})`;
const ADDED_NOTHING = ['annotations', 'finalizers', 'ownerReferences']
  .map((field) => `!has(object.metadata.${field})`)
  .join(' && ');
const KEPT_THE_REST = [
  ...['annotations', 'finalizers', 'ownerReferences'].map((field) => isSame(`metadata.?${field}`)),
  'variables.labelsBefore.all(key, key in variables.labels)',
].join(' && ');
const NODE_LABEL = `${OURS}/node`;
const LABELS_ARE_OURS = `variables.labels.all(key, key == '${NODE_LABEL}' ? variables.labels[key] == variables.node : key in variables.labelsBefore && variables.labels[key] == variables.labelsBefore[key])`;

const REPORTER = 'podroute.io/agent';
const isEventOf = (of: string) =>
  [
    `${of}.?source.host.orValue('') == variables.node`,
    `${of}.?reportingInstance.orValue('') == variables.node`,
    `${of}.?reportingComponent.orValue('') == '${REPORTER}'`,
  ].join(' && ');
const ABOUT_WHAT_IT_MAY = [
  "(object.involvedObject.?kind.orValue('') == 'Node' && object.involvedObject.?name.orValue('') == variables.node)",
  ...[OURS, ...CALICO].map(
    (group) => `object.involvedObject.?apiVersion.orValue('').startsWith('${group}/')`,
  ),
].join(' || ');

interface Validation {
  readonly expression: string;
  readonly message?: string;
  readonly messageExpression?: string;
}

/** What an expression is about, and that it holds there. */
const when = (about: string, holds: string): string => `!(${about}) || (${holds})`;
const writes = (what: string): string => `'the agent of node ' + variables.node + ' writes ${what}'`;

const OF_BLOCKS: readonly Validation[] = [
  {
    expression: when(
      isOf('ipamblocks'),
      `(${isOperation('CREATE')} || ${NODE_BEFORE}) && (${isOperation('DELETE')} || ${NODE_AFTER})`,
    ),
    messageExpression: writes('blocks of its own node only'),
  },
  {
    expression: when(`${isOf('ipamblocks')} && ${isOperation('CREATE')}`, NAME_IS_CIDR),
    messageExpression:
      "'the name of a block says its CIDR, by which two that claim it meet: not ' + object.metadata.name + ' for ' + object.spec.cidr",
  },
  {
    expression: when(
      `${isOf('ipamblocks')} && ${isOperation('CREATE')}`,
      `has(object.spec.pool) && ${ADDED_NOTHING}`,
    ),
    message: 'a block that an agent makes names its pool, and has no annotations, finalizers or owners',
  },
  {
    // Also of a pool that is not among ours: no pool has larger blocks (podroute's and Calico's).
    expression: when(
      `${isOf('ipamblocks')} && ${isOperation('CREATE')}`,
      "cidr(object.spec.cidr).prefixLength() >= (object.spec.cidr.contains(':') ? 116 : 20)",
    ),
    messageExpression: "'block ' + object.spec.cidr + ' is larger than any pool has them'",
  },
  {
    expression: when(
      `${isOf('ipamblocks')} && ${isOperation('UPDATE')}`,
      `object.spec == oldObject.spec && ${KEPT_THE_REST}`,
    ),
    message: 'of a block an agent changes nothing but its label',
  },
  {
    expression: when(`${isOf('ipamblocks')} && !(${isOperation('DELETE')})`, LABELS_ARE_OURS),
    messageExpression: `'an agent labels a block with ${NODE_LABEL}=' + variables.node + ' and nothing else'`,
  },
];

const OF_THE_NODE: readonly Validation[] = [
  {
    expression: when(
      isOf('bgpnodestatuses'),
      `request.name == variables.node && (${isOperation('DELETE')} || ${NODE_AFTER})`,
    ),
    messageExpression: writes('the status of its own node only'),
  },
  {
    expression: when(
      `${isOf('bgpnodestatuses')} && ${isOperation('CREATE')}`,
      `${ADDED_NOTHING} && !has(object.metadata.labels)`,
    ),
    message: 'a BGPNodeStatus that an agent makes has no labels, annotations, finalizers or owners',
  },
  {
    expression: when(isOf('nodes'), 'request.name == variables.node'),
    messageExpression: writes('its own Node only'),
  },
  {
    expression: when(`${isOf('nodes')} && request.?subResource.orValue('') == ''`, NODE_IS_SAME),
    message: 'of its Node an agent changes nothing but to take taints of podroute.io off',
  },
  {
    expression: when(`${isOf('nodes')} && request.?subResource.orValue('') == 'status'`, STATUS_IS_SAME),
    message: "of its Node's status an agent changes nothing but the condition NetworkUnavailable",
  },
];

const OF_EVENTS: readonly Validation[] = [
  {
    expression: when(
      isOf('events'),
      `(${isOperation('CREATE')} || (${isEventOf('oldObject')})) && ${isEventOf('object')}`,
    ),
    messageExpression: writes(`Events that it reports itself, as ${REPORTER} of its own node, only`),
  },
  {
    expression: when(
      isOf('events'),
      `(${ABOUT_WHAT_IT_MAY}) && (${isOperation('CREATE')} || ${isSame('involvedObject')})`,
    ),
    message: 'an agent writes Events about its own Node and about the kinds that it follows',
  },
];

/** Of a param, which is each IPPool in turn. */
const POOL = 'cidr(params.spec.cidr)';
const BLOCK = 'cidr(object.spec.cidr)';
const FITS = `${POOL}.containsCIDR(${BLOCK}) && ${BLOCK}.prefixLength() == variables.size`;
const OVERLAPS = `${POOL}.containsIP(${BLOCK}.ip()) || ${BLOCK}.containsIP(${POOL}.ip())`;
const USUAL_SIZE = "(params.spec.cidr.contains(':') ? 122 : 26)";

export function agentPolicies(): Manifest[] {
  const all = ['CREATE', 'UPDATE', 'DELETE'];
  return [
    ...policy(
      'podroute-own-node',
      'An agent writes the blocks, the status and the Events of its own node, and of no other, and little of its Node.',
      {
        matchConstraints: {
          resourceRules: [
            rule([OURS], '*', all, ['ipamblocks', 'bgpnodestatuses', 'bgpnodestatuses/status']),
            rule([''], 'v1', ['UPDATE'], ['nodes', 'nodes/status']),
            rule([''], 'v1', ['CREATE', 'UPDATE'], ['events']),
          ],
        },
        variables: [
          { name: 'node', expression: NODE_NAME },
          { name: 'labels', expression: 'object.metadata.?labels.orValue({})' },
          {
            name: 'labelsBefore',
            expression: `${isOperation('UPDATE')} ? oldObject.metadata.?labels.orValue({}) : {}`,
          },
        ],
        validations: [
          {
            expression: "variables.node != ''",
            message:
              "this token names no node: an agent uses its own pod's token, of Kubernetes 1.32 or newer",
          },
          ...OF_BLOCKS,
          ...OF_THE_NODE,
          ...OF_EVENTS,
        ],
      },
      {},
    ),
    ...policy(
      'podroute-blocks-of-pools',
      'A block has the size that its pool says, and so overlaps no other. Looked at with each IPPool in turn.',
      {
        paramKind: { apiVersion: `${OURS}/v1`, kind: 'IPPool' },
        matchConstraints: { resourceRules: [rule([OURS], '*', ['CREATE'], ['ipamblocks'])] },
        variables: [
          {
            name: 'size',
            expression: `has(params.spec.blockSize) ? params.spec.blockSize : (${POOL}.prefixLength() > ${USUAL_SIZE} ? ${POOL}.prefixLength() : ${USUAL_SIZE})`,
          },
          { name: 'isOfThePool', expression: "object.spec.?pool.orValue('') == params.metadata.name" },
        ],
        validations: [
          {
            expression: `variables.isOfThePool || (${OVERLAPS}) ? ${FITS} : true`,
            messageExpression:
              "'block ' + object.spec.cidr + ' is no block of /' + string(variables.size) + ' inside IPPool ' + params.metadata.name + ' (' + params.spec.cidr + ')'",
          },
        ],
      },
      // None: pools of Calico, read in place, or none that could be overlapped.
      { paramRef: { selector: {}, parameterNotFoundAction: 'Allow' } },
    ),
  ];
}

const rule = (
  apiGroups: readonly string[],
  version: string,
  operations: readonly string[],
  resources: readonly string[],
) => ({ apiGroups, apiVersions: [version], operations, resources });

interface PolicySpec {
  readonly paramKind?: { readonly apiVersion: string; readonly kind: string };
  readonly matchConstraints: object;
  readonly variables: readonly { readonly name: string; readonly expression: string }[];
  readonly validations: readonly Validation[];
}

/** For agents, whatever their namespace: one that was renamed must not open the door. */
function policy(name: string, about: string, spec: PolicySpec, binding: object): Manifest[] {
  const { paramKind, matchConstraints, variables, validations } = spec;
  const isAgent = `request.userInfo.username.startsWith('system:serviceaccount:') && request.userInfo.username.endsWith(':${AGENT}')`;
  const object = (kind: string, of: object) => ({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind,
    metadata: { name },
    spec: of,
  });
  return [
    {
      file: 'policy.yaml',
      about,
      object: object('ValidatingAdmissionPolicy', {
        failurePolicy: 'Fail',
        ...(paramKind && { paramKind }),
        matchConstraints,
        matchConditions: [{ name: 'is-an-agent', expression: isAgent }],
        variables,
        validations,
      }),
    },
    {
      file: 'policy.yaml',
      object: object('ValidatingAdmissionPolicyBinding', {
        policyName: name,
        ...binding,
        validationActions: ['Deny'],
      }),
    },
  ];
}
