// Who may do what in the cluster: accounts and roles of least privilege. What RBAC cannot say, admission-policies.ts says.
import type { Manifest } from './manifest.ts';
import { AGENT, agentPolicies } from './admission-policies.ts';
import { NAMESPACE, Setting } from './settings.ts';

export const CONTROLLER = 'podroute-controller';

const RBAC = 'rbac.authorization.k8s.io';
const LEASES = 'coordination.k8s.io';
const OURS = 'podroute.io';
const CALICO = ['crd.projectcalico.org', 'projectcalico.org'];
const READ = ['get', 'list', 'watch'];
/** Of Calico's kinds those that are read in place. */
const CALICO_CONFIGURATION = ['bgpconfigurations', 'bgppeers', 'bgpfilters', 'ippools', 'ipreservations'];
const CONFIGURATION = [...CALICO_CONFIGURATION, 'bfdprofiles'];

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
      // Its own node's: an agent asks for no others, which RBAC cannot say.
      { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
      // The condition NetworkUnavailable, and a start-up taint that goes: see the policy.
      { apiGroups: [''], resources: ['nodes', 'nodes/status'], verbs: ['patch'] },
      { apiGroups: CALICO, resources: CALICO_CONFIGURATION, verbs: READ },
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
      'Passwords of neighbours and keys of BFD: these Secrets of this namespace and no others. List and watch are by one name, too.',
      [{ apiGroups: [''], resources: ['secrets'], resourceNames: PASSWORD_SECRETS, verbs: READ }],
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
      // A Node may be made anew while its block is being freed: it gets that back.
      { apiGroups: [OURS], resources: ['ipamblocks'], verbs: ['create'] },
      { apiGroups: [''], resources: ['nodes'], verbs: READ },
      { apiGroups: CALICO, resources: CALICO_CONFIGURATION, verbs: READ },
    ]),
    bound('ClusterRole', CONTROLLER),
    role(CONTROLLER, 'The lease by which one of many works.', [
      { apiGroups: [LEASES], resources: ['leases'], verbs: ['create'] },
      { apiGroups: [LEASES], resources: ['leases'], resourceNames: [CONTROLLER], verbs: ['get', 'update'] },
    ]),
    bound('Role', CONTROLLER),
    ...agentPolicies(),
  ];
}

function account(name: string, about?: string): Manifest {
  const metadata = { name, namespace: NAMESPACE };
  const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata };
  return { file: 'accounts.yaml', ...(about !== undefined && { about }), object };
}

/** Never none of them: RBAC takes that for all. */
const PASSWORD_SECRETS = ['bgp-passwords', new Setting('agent.passwordSecrets', '', 'items')];

/** The accounts' own, or another by its name. */
type Namespace = Setting | 'default';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly (string | Setting)[];
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
