// The lab's door: what the command line (`podroute lab`), the demo and tests may use.
export { captureDuring, parsePacket, type CapturedPacket } from './capture.ts';
export { hints } from './hints.ts';
export { invokeCni, type CniAnswer } from './cni-runtime.ts';
export { Lab, type LabOptions, type Pod } from './lab.ts';
export { ping, pingUntilReached } from './ping.ts';
export { TOPOLOGIES, topology, type Topology, type TopologyName } from './topology.ts';
export { waitFor } from './wait.ts';
