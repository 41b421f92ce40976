// How Node is started in both workloads. A container's entry has no command line of Node, so it is in the environment.

/**
 * Young objects get a quarter of what V8 would give them. By default a process that has read a large cluster once keeps tens of
 * megabytes of what is garbage until it is old, and an agent at rest makes little that would have it looked at. What an
 * operator writes under the same name in agent.env goes first.
 */
export const NODE_OPTIONS = { name: 'NODE_OPTIONS', value: '--max-semi-space-size=4' } as const;
