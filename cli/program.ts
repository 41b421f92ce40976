// Every subcommand with its arguments and options. Each is a thin client of the agent's socket or a pure function of
// files; what it needs is imported when it runs, so that `podroute version` does not pay for the agent.
import { Argument, Command, Option } from 'commander';
import { SESSION_ACTIONS } from './commands/session.ts';
import { versionText } from './commands/version.ts';
import { SHELLS } from './completion-scripts.ts';
import { DETAILS } from './details.ts';
import { EXIT_MEANINGS } from './exit.ts';
import { OUTPUT_FORMATS } from './output-format.ts';

const DEFAULT_SOCKET = '/run/podroute/agent.sock';

function socketOption(): Option {
  return new Option('--socket <path>', "the agent's socket").env('PODROUTE_SOCKET').default(DEFAULT_SOCKET);
}

function outputOption(): Option {
  return new Option('-o, --output <format>', 'how to print').choices(OUTPUT_FORMATS).default('table');
}

/** The tree of commands; help, completion and docs/cli.md are made of it. */
export function program(): Command {
  const root = new Command('podroute')
    .description('BGP-routed, unencapsulated pod network for Kubernetes')
    .version(versionText(), '-V, --version', 'version of this command')
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'podroute: ')) })
    .showHelpAfterError('(podroute --help lists what there is)');

  root
    .command('agent')
    .description("run this node's agent: BGP, kernel routes, pod addresses, CNI")
    .requiredOption('--node-name <name>', 'the Node object that this agent is')
    .requiredOption(
      '--store <store>',
      'where the objects are: kubernetes (an API server), kubernetes:KUBECONFIG, or dir:PATH (a folder of YAML files)',
    )
    .addOption(
      new Option('--fib <mode>', 'where learned routes go; none: a route reflector or a looking glass')
        .choices(['kernel', 'none'])
        .default('kernel'),
    )
    .option('--table <number>', 'kernel routing table', '254')
    .option(
      '--router-id <id>',
      "an IPv4 address, or 'hash' (of the node's name); also PODROUTE_ROUTER_ID or CALICO_ROUTER_ID in the environment",
    )
    .option('--socket <path>', 'socket for the other commands', DEFAULT_SOCKET)
    .option('--state-dir <path>', 'what must survive a restart', '/var/lib/podroute')
    .option('--cni-socket <path>', 'socket for the CNI executable', '/run/podroute/cni.sock')
    .option('--cni-conf-dir <path>', 'where the conflist is written once ADD can be served', '/etc/cni/net.d')
    .option('--http <addr:port>', 'serve /healthz, /readyz and /metrics over TCP')
    .option(
      '--startup-taint <key>',
      'of a cluster: the taint that is taken off the Node once pods can be served, such as podroute.io/agent-not-ready',
    )
    .option(
      '--leak-grace-seconds <number>',
      'of a cluster: an address is given back when its Pod is gone for so long and nobody uses it; 0: never',
      '900',
    )
    .addOption(
      new Option('--log-level <level>', 'least severe level to log')
        .choices(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
        .default('info'),
    )
    .action(async (options) => (await import('./commands/agent.ts')).agent(options));

  root
    .command('controller')
    .description(
      'the cluster’s duties, by one of many that hold a lease: adds up the status of peers and pools, frees what deleted nodes left',
    )
    .requiredOption(
      '--store <store>',
      'where the objects are: kubernetes (an API server), kubernetes:KUBECONFIG, or dir:PATH (a folder of YAML files)',
    )
    .option('--identity <name>', 'who holds the lease is called so (default: the host, and something random)')
    .option(
      '--namespace <name>',
      "the lease's (default: that of the pod or the kubeconfig, else kube-system)",
    )
    .option('--lease-seconds <number>', 'how long others wait for a leader that says nothing', '15')
    .option(
      '--node-grace-seconds <number>',
      'how long a Node must have been away before its blocks are freed',
      '600',
    )
    .option('--http <addr:port>', 'serve /healthz and /readyz over TCP')
    .addOption(
      new Option('--log-level <level>', 'least severe level to log')
        .choices(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
        .default('info'),
    )
    .action(async (options) => (await import('./commands/controller.ts')).controller(options));

  root
    .command('status')
    .description(
      'BGP sessions, routes and addresses of this node, and what is wrong; with a session all of that one',
    )
    .argument('[session]', 'show everything about this session')
    .option('-w, --watch', 'print again every second until interrupted')
    .option('--all', 'every node of the cluster, as its agent has written of itself: asks the API server')
    .option(
      '--store <store>',
      'with --all: kubernetes, or kubernetes:KUBECONFIG (default: the cluster that kubectl asks)',
    )
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async (session, options) => (await import('./commands/status.ts')).status(session, options));

  root
    .command('doctor')
    .description(
      'try what an operator would try on this node, with or without an agent, and print the command that mends what is wrong',
    )
    .option('--cni-socket <path>', "the agent's socket for the CNI executable", '/run/podroute/cni.sock')
    .option('--state-dir <path>', "the agent's state directory", '/var/lib/podroute')
    .option('--cni-conf-dir <path>', 'where the container runtime looks for conflists', '/etc/cni/net.d')
    .option('--cni-bin-dir <path>', 'where it looks for CNI executables', '/opt/cni/bin')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async (options) => (await import('./commands/doctor.ts')).doctor(options));

  root
    .command('install-cni')
    .description('put the CNI executable into a folder: what runs from there now goes on undisturbed')
    .argument('[folder]', 'where the container runtime looks for CNI executables', '/opt/cni/bin')
    .action(async (folder) => (await import('./commands/install-cni.ts')).installCni(folder));

  root
    .command('uninstall')
    .description(
      'say what podroute has left on this node, and with --yes take it away; while pods of podroute run, what they need stays',
    )
    .option('--yes', 'do it')
    .option(
      '--stay',
      'with --yes, for a DaemonSet: try again until all is gone, and then wait for SIGTERM instead of ending',
    )
    .option('--state-dir <path>', "the agent's state directory", '/var/lib/podroute')
    .option('--run-dir <path>', 'where its sockets and locks are', '/run/podroute')
    .option('--cni-conf-dir <path>', 'where the container runtime looks for conflists', '/etc/cni/net.d')
    .option('--cni-bin-dir <path>', 'where it looks for CNI executables', '/opt/cni/bin')
    .addOption(outputOption())
    .action(async (options) => (await import('./commands/uninstall.ts')).uninstall(options));

  root
    .command('session')
    .description(
      'disable a session until it is enabled (or the agent starts anew), reset it, or have its routes come or go again',
    )
    .argument('<session>', 'its id, as in podroute status')
    .addArgument(new Argument('<action>', 'what to do').choices(SESSION_ACTIONS))
    .addArgument(new Argument('[direction]', 'of refresh').choices(['in', 'out']))
    .option('--message <text>', 'with disable and reset: what the neighbour is told (RFC 9003)')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async (id, action, direction, options) =>
      (await import('./commands/session.ts')).session(id, action, direction, options),
    );

  root
    .command('routes')
    .description('routes of this node: those in use (> the best path, = used beside it), or all to a prefix')
    .argument(
      '[prefix]',
      'only this prefix (with --longer also those inside it); an address shows its longest match',
    )
    .addOption(
      new Option('--received <session>', 'as received from this session, before import policy').conflicts([
        'advertised',
        'best',
        'fib',
      ]),
    )
    .addOption(
      new Option('--advertised <session>', 'as sent to this session, or why not').conflicts(['best', 'fib']),
    )
    .addOption(new Option('--best', 'only paths in use (the default without a prefix)').conflicts('fib'))
    .option('--fib', 'what is in the kernel, or why it is not')
    .option(
      '--why',
      'why each path won, lost or was refused; with a prefix also to whom it is sent, and what each rule did',
    )
    .option('--longer', 'with a prefix: everything inside it as well')
    .addOption(new Option('--family <family>', 'only this family').choices(['ipv4', 'ipv6']))
    .option('--limit <number>', 'print at most so many', '1000')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async (prefix, options) => (await import('./commands/routes.ts')).routes(prefix, options));

  root
    .command('plan')
    .description('the peers, prefixes and filters that this node should have, and from which objects')
    .option('--dir <path>', 'from these files, without asking an agent (needs --node)')
    .addOption(
      new Option(
        '--store <store>',
        "from a cluster's objects (kubernetes, kubernetes:KUBECONFIG), Calico's among them; nothing is written (needs --node)",
      ).conflicts('dir'),
    )
    .option('--node <name>', 'with --dir or --store: the Node whose plan it is')
    .addOption(
      new Option(
        '--diff <file>',
        'what applying this file would change on this node, for each session: routes of it that are used, and prefixes that it is sent; nothing is applied',
      ),
    )
    .option('--delete', 'with --diff: what deleting the objects of the file would change')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async (options) => (await import('./commands/plan.ts')).plan(options));

  root
    .command('validate')
    .description('say what is wrong in YAML files before they are applied')
    .argument('<file...>', 'files or folders')
    .addOption(outputOption())
    .action(async (files, options) => (await import('./commands/validate.ts')).validate(files, options));

  const ipam = root.command('ipam').description('pod addresses of this node');
  ipam
    .command('show')
    .description('blocks and addresses in use')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async (options) => (await import('./commands/ipam.ts')).ipamShow(options));
  ipam
    .command('check')
    .description('hold the addresses in use against links and routes of the kernel')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async (options) => (await import('./commands/ipam.ts')).ipamCheck(options));
  ipam
    .command('release')
    .description('free an address whose pod is gone (one that is in use is refused)')
    .argument('<address>', 'an address as ipam check shows it, or the block (CIDR) of a node that is gone')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async (address, options) => (await import('./commands/ipam.ts')).ipamRelease(address, options));

  const lab = root
    .command('lab')
    .description('a whole network on this machine, in namespaces, to try things in');
  lab
    .command('up')
    .description('three nodes, pods and (topology tor) a BIRD router')
    .addOption(
      new Option('--topology <name>', 'how nodes are joined')
        .choices(['tor', 'dual-tor', 'unnumbered', 'mesh', 'rr'])
        .default('tor'),
    )
    .action(async (options) => (await import('./commands/lab.ts')).labUp(options));
  lab
    .command('down')
    .description('end the lab: processes, namespaces and files')
    .action(async () => (await import('./commands/lab.ts')).labDown());
  lab
    .command('status')
    .description('what of the lab runs')
    .addOption(outputOption())
    .action(async (options) => (await import('./commands/lab.ts')).labStatus(options));

  root
    .command('version')
    .description('versions of this command and of the agent; a note on stderr when they differ')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async (options) => (await import('./commands/version.ts')).version(options));

  root
    .command('completion')
    .description('a script for your shell, which then completes commands, options and sessions')
    .addArgument(new Argument('<shell>', 'which').choices(SHELLS))
    .action(async (shell) => (await import('./commands/completion.ts')).completion(shell));
  root
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .action(async (words) => {
      const socket = process.env['PODROUTE_SOCKET'] ?? DEFAULT_SOCKET;
      await (await import('./commands/completion.ts')).complete(root, words, socket);
    });

  addDetails(root, '');
  return root;
}

/** Examples and exit codes below the options of every command. */
function addDetails(command: Command, words: string): void {
  const { examples = [], badNews, note } = DETAILS[words] ?? {};
  const codes = EXIT_MEANINGS.map(
    ([code, meaning]) => `  ${code}  ${code === 1 ? (badNews ?? meaning) : meaning}`,
  );
  const width = Math.max(...examples.map(({ line }) => line.length));
  const lines = examples.map(({ line, about }) => `  podroute ${line.padEnd(width)}  ${about}`);
  if (note !== undefined) command.addHelpText('after', `\n${note}`);
  if (lines.length > 0) {
    command.addHelpText('after', `\nExit codes:\n${codes.join('\n')}\n\nExamples:\n${lines.join('\n')}`);
  }
  for (const below of command.commands) addDetails(below, `${words} ${below.name()}`.trim());
}
