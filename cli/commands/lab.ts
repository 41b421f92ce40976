// podroute lab up|down|status: one lab a machine, in /run/podroute-lab.
import { hints, Lab, type TopologyName } from '#lab';
import { CommandError, EXIT } from '../exit.ts';
import { bad, numbers, type OutputFormat, print, table } from '../output-format.ts';

const FOLDER = '/run/podroute-lab';
const NAME = 'podroute-lab';

function needsRoot(): void {
  if (process.getuid?.() !== 0) {
    throw new CommandError(
      'lab: network namespaces need root: run it with sudo (npm run demo also runs without)',
      EXIT.wrongUse,
    );
  }
}

export async function labUp(options: { topology: TopologyName }): Promise<void> {
  needsRoot();
  const lab = await Lab.up({ topology: options.topology, folder: FOLDER, name: NAME, keep: true });
  for (const node of lab.nodes) {
    for (const index of [1, 2]) await lab.addPod(node.name, `pod${index}-${node.name}`);
  }
  await lab.settled();
  await lab.allUp();
  lab.release();
  console.log(`${options.topology}: ${lab.plan.summary}: up. Try:\n${hints(lab)}`);
}

export async function labDown(): Promise<void> {
  needsRoot();
  await openLab().down();
  console.log('lab: everything is gone');
}

export function labStatus(options: { output: OutputFormat }): void {
  const lab = openLab();
  const processes = lab.processes();
  const answer = {
    topology: lab.plan.name,
    folder: FOLDER,
    processes,
    pods: [...lab.pods.values()].map((pod) => ({ name: pod.name, node: pod.node, addresses: pod.addresses })),
  };
  print(answer, options.output, (value) =>
    [
      `${value.topology}: ${lab.plan.summary} (${value.folder})`,
      table(
        ['PROCESS', numbers('PID'), 'STATE'],
        value.processes.map((p) => [p.name, String(p.pid), p.runs ? 'runs' : bad('ended')]),
      ),
      table(
        ['POD', 'NODE', 'ADDRESSES'],
        value.pods.map((pod) => [pod.name, pod.node, pod.addresses.join(' ')]),
      ),
    ].join('\n\n'),
  );
  if (processes.some((p) => !p.runs)) process.exitCode = EXIT.badNews;
}

function openLab(): Lab {
  try {
    return Lab.open(FOLDER);
  } catch (error) {
    throw new CommandError((error as Error).message, EXIT.badNews);
  }
}
