// Nodes as kubelets write them, and two blocks each, for a cluster that is large on paper.

export const NODES = 1000;

/** One JSON list for `kubectl create`. */
export function clusterObjects(): string {
  const pool = ours('IPPool', 'large', { cidr: '10.128.0.0/12', blockSize: 26, disabled: true });
  const nodes = Array.from({ length: NODES }, (_, i) => node(i));
  const blocks = Array.from({ length: 2 * NODES }, (_, i) => block(i));
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [pool, ...nodes, ...blocks] });
}

const nameOf = (i: number): string => `worker-${String(i).padStart(4, '0')}.example.org`;

const ours = (kind: string, name: string, spec: object, labels: object = {}) => ({
  apiVersion: 'podroute.io/v1',
  kind,
  metadata: { name, labels },
  spec,
});

function block(i: number): object {
  const cidr = `10.${128 + (i >> 10)}.${(i >> 2) & 255}.${(i & 3) * 64}/26`;
  const name = cidr.replace('/', '-').replaceAll('.', '-');
  const owner = nameOf(i >> 1);
  return ours('IPAMBlock', name, { cidr, node: owner, pool: 'large' }, { 'podroute.io/node': owner });
}

/** About 5 KB, as a kubelet's are. */
function node(i: number): object {
  const name = nameOf(i);
  const time = '2026-01-01T00:00:00Z';
  const conditions = ['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready'].map((type) => ({
    type,
    status: type === 'Ready' ? 'True' : 'False',
    lastHeartbeatTime: time,
    lastTransitionTime: time,
    reason: `Kubelet${type}`,
    message: `kubelet has posted its status of ${type}`,
  }));
  const images = Array.from({ length: 30 }, (_, n) => ({
    names: [`registry.example.org/team-${n}/service@sha256:${String(n).padStart(64, '0')}`],
    sizeBytes: 100_000_000 + n,
  }));
  const resources = { cpu: '64', memory: '263846684Ki', pods: '110', 'ephemeral-storage': '900Gi' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'topology.kubernetes.io/zone': `zone-${i % 3}`,
        rack: `r${i >> 4}`,
      },
    },
    spec: { podCIDRs: [`10.${64 + (i >> 8)}.${i & 255}.0/24`] },
    status: {
      addresses: [
        { type: 'InternalIP', address: `172.20.${i >> 8}.${i & 255}` },
        { type: 'Hostname', address: name },
      ],
      conditions,
      images,
      capacity: resources,
      allocatable: resources,
    },
  };
}
