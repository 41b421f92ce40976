// The plan of the house, as data: which room may import which, what stands on what inside a room, and the exceptions
// with their reasons. scripts/check-rooms.ts compares it with the files.

export interface Room {
  /** Imports never go up; tests and `testing/` folders may enter every room on their own floor or below. */
  readonly floor: number;
  /** The rooms that product files may enter, by their doors. */
  readonly rooms: readonly string[];
  readonly packages?: readonly string[];
  /** Packages whose types may be named; at run time they are not there. */
  readonly typePackages?: readonly string[];
  /** All of it is tests or tools: the rules for product files (testing folders, I/O) do not hold. */
  readonly isTestRoom?: true;
}

const BELOW_AGENT = ['ip', 'world', 'bfd', 'bgp', 'linux', 'api', 'agent-api', 'store', 'ipam', 'cni-plugin'];

export const ROOMS: Readonly<Record<string, Room>> = {
  ip: { floor: 0, rooms: [], packages: ['ip-address'] },
  world: { floor: 0, rooms: [] },
  bfd: { floor: 1, rooms: ['ip', 'world'] },
  bgp: { floor: 1, rooms: ['ip', 'world'] },
  linux: { floor: 1, rooms: ['ip', 'world'] },
  api: {
    floor: 1,
    rooms: ['ip', 'world'],
    packages: ['zod', 'yaml'],
    typePackages: ['@kubernetes/client-node'],
  },
  'agent-api': { floor: 2, rooms: ['ip'] },
  store: { floor: 2, rooms: ['ip', 'world', 'api'], packages: ['yaml', '@kubernetes/client-node'] },
  ipam: { floor: 2, rooms: ['ip', 'world', 'api'] },
  'cni-plugin': { floor: 3, rooms: ['ip', 'world', 'linux', 'api', 'ipam'], packages: ['esbuild'] },
  agent: { floor: 4, rooms: BELOW_AGENT, packages: ['pino', 'pino-pretty', 'yaml'] },
  controller: { floor: 4, rooms: ['ip', 'world', 'linux', 'api', 'agent-api', 'store', 'ipam'] },
  lab: { floor: 5, rooms: [...BELOW_AGENT, 'agent'], packages: ['yaml'] },
  cli: {
    floor: 6,
    rooms: ['ip', 'api', 'agent-api', 'store', 'agent', 'controller', 'lab'],
    packages: ['commander', 'yaml'],
  },
  test: { floor: 7, rooms: [], packages: ['esbuild'], isTestRoom: true },
  scripts: {
    floor: 8,
    rooms: [],
    packages: ['esbuild', 'fast-check', 'mocha', 'oxc-parser', 'tar-stream', 'yaml'],
    isTestRoom: true,
  },
};

/** What tests may use besides the packages of their room. */
export const TEST_PACKAGES = ['fast-check', 'yaml'];

/**
 * What stands on what in a folder, from the ground up; names in one line stand beside each other. Files that are not
 * named stand on top. A folder without a line: its subfolders stand beside each other, and its files on top of them.
 */
export const ORDER: Readonly<Record<string, readonly string[]>> = {
  agent: [
    'log options histogram listed',
    'plan detection',
    'fib',
    'speaker',
    'status',
    'diff',
    'http',
    'outside late-sockets',
    'pods',
    'doctor uninstall',
    'bindings',
  ],
  'agent/doctor': ['finding', 'patient'],
  'agent/plan': ['types', 'node-bgp', 'policy'],
  'agent/status': ['probe-command signature-evidence down-causes node-events', 'advice'],
  'agent/fib': [
    'table-prefix',
    'foreign-routes',
    'resolve',
    'tracked-hops',
    'targets leftovers',
    'hop-sets',
    'fib-columns',
    'kernel',
  ],
  api: ['schema', 'kinds', 'read', 'crd'],
  bgp: [
    'io log-limit',
    'limited-log',
    'columns',
    'prefix',
    'message transport',
    'policy',
    'config',
    'session',
    'rib',
    'speaker-status',
    'route-events session-lines selection-deferral',
    'speaker',
    'rehearsal',
  ],
  'bgp/message': ['constants context big-endian', 'next-hop', 'attributes'],
  'bgp/message/attributes': ['attribute-list export-plan verdict', 'row', 'kinds'],
  'bgp/session': [
    'fsm',
    'connection',
    'types link-rules',
    'record',
    'ports',
    'gate heard-bfd inquiry input rivals',
    'session',
    'peer',
    'neighbours',
  ],
  'bgp/rib': ['attributes', 'table', 'faults', 'in', 'out', 'show', 'foresight'],
  'bgp/rib/out': ['export-rules', 'sending'],
  cli: [
    'exit client files output-format details completion-scripts completion-words',
    'routes-table session-details status-table cluster-table',
    'commands',
    'program',
  ],
  controller: [
    'duty-log node-reports retries',
    'cluster-view peer-sum pool-sum status-keeper gone-nodes pool-finalizers',
    'controller',
  ],
  'cni-plugin': ['outside', 'server', 'conflist', 'bindings'],
  'cni-plugin/server': [
    'cni-error',
    'call',
    'network-config',
    'attachment',
    'call-order uplink-mtu source-guard',
    'verbs',
  ],
  lab: ['hosts', 'kubernetes'],
  linux: [
    'errno kernel-error kernel pod-wiring pod-sources describe datagrams',
    'netlink',
    'router-messages',
    'router-discovery',
    'native',
    'nftables',
    'memory real',
    'trial',
  ],
  store: [
    'cluster-notes',
    'lease store store-place',
    'last-good',
    'kept-objects',
    'directory kubernetes memory-store',
  ],
};

/** Folders that are a list of equals, and may have more than MOST_FILES. */
export const LISTS_OF_EQUALS: Readonly<Record<string, string>> = {};

/** Folders have at most this many files (test files do not count, except in rooms of tests). */
export const MOST_FILES = 15;

/** Folders have at least this many files and folders; test support and the rooms of tests aside. */
export const FEWEST_ENTRIES = 5;

/** Folders that have fewer, with the reason. */
export const FEW_ENTRIES: Readonly<Record<string, string>> = {
  'agent/detection': 'what a thread of its own runs as well, and nothing else of the agent',
  'agent/pods': 'the agent without pods (--fib none) does without all of it',
  'api/crd': 'writes manifests/ when it is built: nothing at run time may lean on it',
  'bgp/prefix': 'one table, on a floor of its own: it knows columns/, and neither messages nor routes',
  'bgp/rehearsal': 'a made-up speaker above the real one, entered by a door of its own',
  'bgp/rib/table': 'paths and the choice among them, below in/ and out/, which must not know each other',
  'cni-plugin/bindings': 'what does I/O stands in bindings/; the executable in C is the other end',
  ipam: 'services/ comes beside node/',
  'lab/kubernetes': 'Kubernetes’ own programs, of which a cluster will have more',
  'store/directory': 'one store of two; what both need stands above it',
};

/** Files longer than MOST_LINES, with the reason. */
export const LONG_FILES: Readonly<Record<string, string>> = {};
export const MOST_LINES = 400;

/** Names that may stand more than once in a room: doors, types, and the commands, which are named as what they show. */
export const REPEATED_NAMES = /(^|\/)(index|types)\.ts$|^cli\/commands\//;

/** Names that files of several rooms have, with the one meaning that they have there. */
export const SHARED_NAMES: Readonly<Record<string, string>> = {
  'address.ts': 'an address: in ip/ its text and words, in linux/netlink/ its message',
  'build.ts': 'makes a native piece',
  'constants.ts': 'the numbers of a wire format',
  'main.ts': 'where a process begins',
  'node.ts': 'a node of the cluster: its object in api/kinds/, the whole of it running in agent/',
  'outside.ts': "what a room's owner hands in",
};

/**
 * What product files may have of Node besides what they bind: computing only. Everything that reaches outside the
 * process (files, sockets, timers, threads, other processes, names, chance) is had by an interface of world/ or linux/.
 */
export const PURE_MODULES: Readonly<Record<string, 'all' | readonly string[]>> = {
  'node:crypto': ['createHash', 'hash', 'timingSafeEqual'],
  'node:events': 'all',
  'node:os': ['constants', 'endianness'],
  'node:path': 'all',
  'node:util': 'all',
  'node:zlib': ['crc32'],
};
export const BINDS_IO = [
  /^world\/(system-clock|wait-until)\.ts$/,
  /^bgp\/transport\//,
  /^store\/kubernetes\/(credentials|https-api-server)\.ts$/,
  /^cni-plugin\/bindings\//,
  /^linux\/(real|native|trial)\//,
  /^agent\/bindings\//,
  /^(agent|controller)\/main\.ts$/,
  /^(cli|lab)\//,
  /\/(build|generate-[a-z-]+)\.ts$/,
];
