// How Node is started in both workloads, so that it holds little memory. A container's entry has no command line of Node, so
// it is in the environment. What an operator writes under the same names in agent.env goes first.
export const NODE_ENVIRONMENT = [
  // Young objects get a quarter of what V8 would give them: a process that has read a large cluster once keeps tens of megabytes
  // of garbage until it is old, and an agent at rest makes little that would have it looked at.
  { name: 'NODE_OPTIONS', value: '--max-semi-space-size=4' },
  // One heap of the C library for all threads: each of libuv's keeps one of its own otherwise.
  { name: 'MALLOC_ARENA_MAX', value: '1' },
] as const;
