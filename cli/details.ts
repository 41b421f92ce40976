// What help and docs/cli.md say of a command beside its options: examples, and which answers are bad news (exit code 1).
// examples.test.ts runs every example.

export interface Example {
  /** Behind 'podroute'. */
  readonly line: string;
  readonly about: string;
}

export interface Details {
  readonly examples: readonly Example[];
  /** When a command ends with 1. */
  readonly badNews?: string;
  readonly note?: string;
}

/** By the words of the command; '' is podroute itself. */
export const DETAILS: Readonly<Record<string, Details>> = {
  '': {
    note: "The agent's socket is HTTP: curl --unix-socket /run/podroute/agent.sock http://x/v1/status",
    examples: [
      { line: 'status', about: 'is all well on this node, and if not, what next' },
      { line: 'doctor', about: 'is this machine fit for it, and what mends it' },
      { line: 'status tor-a', about: 'everything about one session' },
      { line: 'routes 10.244.3.7 --why', about: 'how a packet to this address goes, and why' },
      { line: "session tor-a disable --message 'rack 7 is rewired'", about: 'keep a session down' },
      { line: 'validate bgp.yaml', about: 'what is wrong in it, before it is applied' },
    ],
  },
  agent: {
    examples: [
      { line: 'agent --node-name n1 --store dir:objects', about: 'objects from files below objects/' },
      {
        line: 'agent --node-name rr1 --store dir:objects --fib none',
        about: 'a route reflector: no kernel routes, no pods',
      },
    ],
    badNews:
      'the agent cannot run, or something that it cannot go on without ended; 2: there is no such store',
  },
  controller: {
    examples: [
      { line: 'controller --store kubernetes', about: 'in a Deployment, with two replicas or more' },
      { line: 'controller --store dir:objects --node-grace-seconds 60', about: 'over files below objects/' },
    ],
    badNews: 'the controller cannot run; 2: there is no such store',
  },
  status: {
    examples: [
      { line: 'status', about: 'the node at a glance' },
      { line: 'status tor-a', about: 'one session: timers, capabilities, counters, history' },
      { line: 'status -o json', about: 'for programs' },
      {
        line: 'status --all --store kubernetes:admin.conf',
        about: 'every node; also as kubectl podroute status --all',
      },
    ],
    badNews:
      'a session is down or has a hint, pods get no addresses, a route is not in the kernel, or there is a problem',
  },
  session: {
    examples: [
      { line: "session tor-a disable --message 'rack 7 is rewired'", about: 'down until enabled' },
      { line: 'session tor-a enable', about: 'let it come up again' },
      { line: 'session tor-a refresh in', about: "the neighbour's routes through import policy again" },
    ],
    badNews: 'the agent refuses: the session is disabled, and only enable helps',
  },
  routes: {
    examples: [
      { line: 'routes', about: 'every route in use' },
      { line: 'routes 10.244.3.7 --why', about: 'the longest match of an address, and why it won' },
      { line: 'routes --received tor-a', about: 'what a neighbour sent, before import policy' },
      { line: 'routes 10.244.0.0/16 --longer --fib', about: 'what of it is in the kernel' },
    ],
    badNews: 'there is no such route',
  },
  plan: {
    examples: [
      { line: 'plan', about: 'what this node should do, and from which objects' },
      { line: 'plan --dir objects --node n1', about: 'what it would do with these files' },
      { line: 'plan --diff bgp.yaml', about: 'what would change here, before it is applied' },
      { line: 'plan --diff peer.yaml --delete', about: 'what would go with its objects' },
      {
        line: 'plan --dir objects --node n1 --diff bgp.yaml',
        about: 'what would change there, without its agent',
      },
    ],
    note: 'For people it is no table: the plan alone as YAML, and what is wrong on stderr. -o yaml and -o json have both. --diff compares the plan in force with one in which the objects of FILE (at most 256 KiB) take the place of those of their names, or with --delete are gone. What the node has heard goes through the import policies, the choice of paths and the export policies of both plans: prefixes are those of sessions that are up, for what this node knows now. What is not foreseen stands at the end. With --dir or --store and --node it compares the objects there with and without FILE: sessions, settings and own prefixes, as no routes are known there.',
    badNews:
      'no plan can be made, or an object is wrong; of an agent, and with --diff, warnings are bad news, too',
  },
  validate: {
    examples: [
      { line: 'validate bgp.yaml', about: 'one file' },
      { line: 'validate objects', about: 'all files below a folder, together' },
    ],
    badNews: 'a document is wrong (warnings alone are exit code 0)',
  },
  'ipam show': { examples: [{ line: 'ipam show', about: 'blocks, and how full they are' }] },
  'ipam check': {
    examples: [{ line: 'ipam check', about: 'addresses that a pod left behind, or that have no route' }],
    badNews: 'an address is not as it should be',
  },
  'ipam release': {
    examples: [
      { line: 'ipam release 10.244.0.7', about: 'an address whose pod is gone' },
      { line: 'ipam release 10.244.0.0/26', about: 'the block of a node that is gone' },
    ],
    badNews: 'it is in use, or it is nothing of this node',
  },
  'lab up': {
    examples: [{ line: 'lab up --topology mesh', about: 'three nodes that speak with one another' }],
  },
  'lab down': { examples: [{ line: 'lab down', about: 'end it' }] },
  'lab status': {
    examples: [{ line: 'lab status', about: 'what runs' }],
    badNews: 'a process of it has ended',
  },
  doctor: {
    examples: [{ line: 'doctor', about: 'also without an agent: what would keep one from working' }],
    badNews: 'something is wrong (warnings alone are exit code 0)',
  },
  'install-cni': {
    examples: [{ line: 'install-cni bin', about: 'bin/podroute, whole at every moment' }],
    badNews: 'it cannot be written there',
  },
  uninstall: {
    examples: [
      { line: 'uninstall', about: 'what would go, and what would stay' },
      { line: 'uninstall --yes', about: 'take it away, when the agent has been stopped' },
      { line: 'uninstall --yes --stay', about: 'as manifests/kubernetes/uninstall does on every node' },
    ],
    badNews: 'something of podroute is still there, or an agent runs',
    note: 'net.ipv4.ip_forward and net.ipv6.conf.all.forwarding stay as they are, and so does the store.',
  },
  completion: {
    examples: [
      { line: 'completion bash', about: 'in ~/.bashrc: source <(podroute completion bash)' },
      { line: 'completion zsh', about: 'in ~/.zshrc, behind compinit: source <(podroute completion zsh)' },
      {
        line: 'completion fish',
        about: 'podroute completion fish > ~/.config/fish/completions/podroute.fish',
      },
    ],
  },
  version: {
    examples: [{ line: 'version', about: 'of this command, and of the agent where one runs' }],
  },
};
