// The lab's door: what the command line (`podroute lab`) and tests may use.
export { hints } from './hints.ts';
export { Lab } from './lab.ts';
export type { TopologyName } from './topology.ts';
