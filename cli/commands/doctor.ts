// podroute doctor: tries what an operator would try, and prints the command that mends what is wrong.
import type { PlanReply, StatusReply, VersionReply } from '#agent-api';
import { type Examination, examineThisMachine } from '#agent';
import { ask } from '../client.ts';
import { EXIT } from '../exit.ts';
import { type OutputFormat, print, table } from '../output-format.ts';
import { VERSION } from './version.ts';

interface DoctorOptions {
  readonly socket: string;
  readonly cniSocket: string;
  readonly stateDir: string;
  readonly cniConfDir: string;
  readonly cniBinDir: string;
  readonly output: OutputFormat;
}

const PATIENCE_MS = 3_000;

export async function doctor(options: DoctorOptions): Promise<void> {
  const { socket: socketPath, cniSocket: cniSocketPath, stateDir, cniConfDir, cniBinDir } = options;
  const places = { socketPath, cniSocketPath, stateDir, cniConfDir, cniBinDir };
  const { examination, leave } = await examineThisMachine(places, VERSION, await askAgent(socketPath));
  print(examination, options.output, doctorTable);
  const code = isWell(examination) ? EXIT.good : EXIT.badNews;
  process.stdout.write('', () => leave(code));
}

/** A text: why it does not answer. The checks go on without it. */
async function askAgent(socket: string) {
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(
    () => late.resolve(`it hangs: no answer within ${PATIENCE_MS / 1000} s`),
    PATIENCE_MS,
  );
  const asked = Promise.all([
    ask<VersionReply>(socket, '/v1/version'),
    ask<StatusReply>(socket, '/v1/status'),
    ask<PlanReply>(socket, '/v1/plan'),
  ]).then(
    ([version, status, plan]) => ({ version, status, plan }),
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const answer = await Promise.race([asked, late.promise]);
  clearTimeout(timer);
  return answer;
}

/** Nothing is wrong; a warning is no bad news. */
export const isWell = ({ results }: Examination): boolean => results.every(({ state }) => state !== 'wrong');

export function doctorTable({ results }: Examination): string {
  const rows = results.flatMap(({ check, state, what, mend = [] }) => [
    [check, state, what],
    ...mend.map((command) => [' ', ' ', `  $ ${command}`]),
  ]);
  const count = (wanted: string) => results.filter(({ state }) => state === wanted).length;
  const sum = `${count('good')} good, ${count('warning')} warning(s), ${count('wrong')} wrong, ${count('not tested')} not tested`;
  const isSwitched = results.some(({ mend }) => mend?.some((command) => command.startsWith('sysctl -w ')));
  const keep =
    'What sysctl -w sets lasts until the next boot: put it into /etc/sysctl.d/90-podroute.conf as well.';
  return [table(['CHECK', 'STATE', 'WHAT'], rows), '', ...(isSwitched ? [keep] : []), sum].join('\n');
}
