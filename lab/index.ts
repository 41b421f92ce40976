// The lab's door: what the command line (`podroute lab`) and tests may use.
export { hints } from './hints.ts';
export { KubernetesApi } from './kubernetes/kubernetes-api.ts';
export { chartRenderer, kubernetesPrograms } from './kubernetes/programs.ts';
export { Lab } from './lab.ts';
export { Flood, type FloodResult } from './flood.ts';
export {
  addAddresses,
  addNeighbours,
  connect,
  createHost,
  type Host,
  type HostProcess,
  type SpawnOptions,
  startProcess,
} from './hosts.ts';
export { endProcess, recordOf } from './processes.ts';
export { FRR_FOLDER, frrCommand, hasOneUser } from './routers.ts';
export type { TopologyName } from './topology.ts';
