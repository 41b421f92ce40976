// Who may do what in the cluster: accounts, roles of least privilege, and a policy that holds an agent to its own node by the
// node name in its token, which RBAC cannot.
import { NAMESPACE, type Setting } from './settings.ts';
import type { Manifest } from './manifest.ts';

export const AGENT = 'podroute-agent';
export const CONTROLLER = 'podroute-controller';

const RBAC = 'rbac.authorization.k8s.io';
const LEASES = 'coordination.k8s.io';
const OURS = 'podroute.io';
const CALICO = ['crd.projectcalico.org', 'projectcalico.org'];
const READ = ['get', 'list', 'watch'];
const CONFIGURATION = ['bgpconfigurations', 'bgppeers', 'bgpfilters', 'ippools', 'ipreservations'];

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
  ...['unschedulable', 'podCIDRs', 'providerID'].map((field) => isSame(`spec.?${field}`)),
  `${list('object.spec.?taints')}.all(one, one in ${list('oldObject.spec.?taints')})`,
  `${list('oldObject.spec.?taints')}.all(one, one.key.startsWith('podroute.io/') || one in ${list('object.spec.?taints')})`,
].join(' && ');
const STATUS_IS_SAME = [
  METADATA_IS_SAME,
  ...['addresses', 'capacity', 'allocatable', 'nodeInfo', 'phase', 'daemonEndpoints', 'images'].map(
    sameStatus,
  ),
  ...['volumesInUse', 'volumesAttached', 'config', 'runtimeHandlers', 'features'].map(sameStatus),
  `${OTHER_CONDITIONS('object')} == ${OTHER_CONDITIONS('oldObject')}`,
].join(' && ');

export function access(): Manifest[] {
  return [
    account(AGENT, 'The account of the agents. A pod gets its token, in which the name of its node is.'),
    account(CONTROLLER),
    clusterRole(AGENT, 'What an agent does in the whole cluster.', [
      { apiGroups: [OURS], resources: [...CONFIGURATION, 'ipclaims', 'ipamblocks'], verbs: READ },
      { apiGroups: [OURS], resources: ['ipamblocks'], verbs: ['create', 'update', 'delete'] },
      { apiGroups: [OURS], resources: ['bgpnodestatuses'], verbs: ['get', 'create'] },
      { apiGroups: [OURS], resources: ['bgpnodestatuses/status'], verbs: ['update'] },
      { apiGroups: [''], resources: ['nodes'], verbs: READ },
      // The condition NetworkUnavailable, and a start-up taint that goes: see the policy.
      { apiGroups: [''], resources: ['nodes', 'nodes/status'], verbs: ['patch'] },
      { apiGroups: CALICO, resources: CONFIGURATION, verbs: READ },
    ]),
    bound('ClusterRole', AGENT),
    role(
      AGENT,
      'Events about objects of no namespace stand in this one.',
      [{ apiGroups: [''], resources: ['events'], verbs: ['create', 'patch'] }],
      'default',
    ),
    bound('Role', AGENT, 'default'),
    role(
      AGENT,
      'Passwords of neighbours: Secrets of this namespace and of no other. Nothing else that is secret belongs here.',
      [{ apiGroups: [''], resources: ['secrets'], verbs: READ }],
    ),
    bound('Role', AGENT),
    clusterRole(CONTROLLER, 'What the controller does in the whole cluster. It reads no Secrets.', [
      {
        apiGroups: [OURS],
        resources: [...CONFIGURATION, 'ipclaims', 'ipamblocks', 'bgpnodestatuses'],
        verbs: READ,
      },
      { apiGroups: [OURS], resources: ['bgppeers/status', 'ippools/status'], verbs: ['update'] },
      // Holds a pool that is in use by a finalizer.
      { apiGroups: [OURS], resources: ['ippools'], verbs: ['update'] },
      { apiGroups: [OURS], resources: ['ipamblocks', 'bgpnodestatuses'], verbs: ['delete'] },
      { apiGroups: [''], resources: ['nodes'], verbs: READ },
      { apiGroups: CALICO, resources: CONFIGURATION, verbs: READ },
    ]),
    bound('ClusterRole', CONTROLLER),
    role(CONTROLLER, 'The lease by which one of many works.', [
      { apiGroups: [LEASES], resources: ['leases'], verbs: ['create'] },
      { apiGroups: [LEASES], resources: ['leases'], resourceNames: [CONTROLLER], verbs: ['get', 'update'] },
    ]),
    bound('Role', CONTROLLER),
    ...ownNodeOnly(),
  ];
}

function account(name: string, about?: string): Manifest {
  const metadata = { name, namespace: NAMESPACE };
  const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata };
  return { file: 'accounts.yaml', ...(about !== undefined && { about }), object };
}

/** The accounts' own, or another by its name. */
type Namespace = Setting | 'default';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

function clusterRole(name: string, about: string, rules: readonly Rule[]): Manifest {
  const object = { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', metadata: { name }, rules };
  return { file: 'rbac.yaml', about, object };
}

function role(
  name: string,
  about: string,
  rules: readonly Rule[],
  namespace: Namespace = NAMESPACE,
): Manifest {
  const metadata = { name, namespace };
  return { file: 'rbac.yaml', about, object: { apiVersion: `${RBAC}/v1`, kind: 'Role', metadata, rules } };
}

/** The role of an account's name goes to that account. */
function bound(kind: 'ClusterRole' | 'Role', name: string, namespace: Namespace = NAMESPACE): Manifest {
  return {
    file: 'rbac.yaml',
    object: {
      apiVersion: `${RBAC}/v1`,
      kind: `${kind}Binding`,
      metadata: { name, ...(kind === 'Role' && { namespace }) },
      roleRef: { apiGroup: RBAC, kind, name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: NAMESPACE }],
    },
  };
}

function ownNodeOnly(): Manifest[] {
  return [
    {
      file: 'policy.yaml',
      about:
        'An agent writes the blocks and the status of its own node, and of no other, and little of its Node.',
      object: {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: 'podroute-own-node' },
        spec: {
          failurePolicy: 'Fail',
          matchConstraints: {
            resourceRules: [
              {
                apiGroups: [OURS],
                apiVersions: ['*'],
                operations: ['CREATE', 'UPDATE', 'DELETE'],
                resources: ['ipamblocks', 'bgpnodestatuses', 'bgpnodestatuses/status'],
              },
              {
                apiGroups: [''],
                apiVersions: ['v1'],
                operations: ['UPDATE'],
                resources: ['nodes', 'nodes/status'],
              },
            ],
          },
          matchConditions: [
            {
              // Whatever the namespace: one that was renamed must not open the door.
              name: 'is-an-agent',
              expression: `request.userInfo.username.startsWith('system:serviceaccount:') && request.userInfo.username.endsWith(':${AGENT}')`,
            },
          ],
          variables: [{ name: 'node', expression: NODE_NAME }],
          validations: [
            {
              expression: "variables.node != ''",
              message:
                "this token names no node: an agent uses its own pod's token, of Kubernetes 1.32 or newer",
            },
            {
              expression: `!(${isOf('ipamblocks')}) || ((${isOperation('CREATE')} || ${NODE_BEFORE}) && (${isOperation('DELETE')} || ${NODE_AFTER}))`,
              messageExpression:
                "'the agent of node ' + variables.node + ' writes blocks of its own node only'",
            },
            {
              expression: `!(${isOf('bgpnodestatuses')}) || (request.name == variables.node && (${isOperation('DELETE')} || ${NODE_AFTER}))`,
              messageExpression:
                "'the agent of node ' + variables.node + ' writes the status of its own node only'",
            },
            {
              expression: `!(${isOf('nodes')}) || request.name == variables.node`,
              messageExpression: "'the agent of node ' + variables.node + ' writes its own Node only'",
            },
            {
              expression: `!(${isOf('nodes')} && request.?subResource.orValue('') == '') || (${NODE_IS_SAME})`,
              message: 'of its Node an agent changes nothing but to take taints of podroute.io off',
            },
            {
              expression: `!(${isOf('nodes')} && request.?subResource.orValue('') == 'status') || (${STATUS_IS_SAME})`,
              message: "of its Node's status an agent changes nothing but the condition NetworkUnavailable",
            },
          ],
        },
      },
    },
    {
      file: 'policy.yaml',
      object: {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name: 'podroute-own-node' },
        spec: { policyName: 'podroute-own-node', validationActions: ['Deny'] },
      },
    },
  ];
}
