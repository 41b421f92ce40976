// Processes that outlive the one that started them, known by pid and start time so that a reused pid is never hit.
import { waitUntil } from '#world';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';

export interface ProcessRecord {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks since boot. */
  readonly startTime: string;
}

export function recordOf(pid: number): ProcessRecord {
  return { pid, startTime: startTimeOf(pid) ?? '' };
}

export function stillRuns(record: ProcessRecord): boolean {
  return startTimeOf(record.pid) === record.startTime;
}

/** Sends the signal, then SIGKILL after 5 s. Resolves when the process is gone. */
export async function endProcess(record: ProcessRecord, signal: NodeJS.Signals): Promise<void> {
  if (!stillRuns(record)) return;
  process.kill(record.pid, signal);
  const gone = () => !stillRuns(record);
  await waitUntil(`process ${record.pid} to end`, 5000, gone).catch(async () => {
    if (stillRuns(record)) process.kill(record.pid, 'SIGKILL');
    await waitUntil(`process ${record.pid} to be killed`, 5000, gone);
  });
}

/** undefined when there is no such process, or only its zombie. */
function startTimeOf(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

/** Whether somebody accepts connections on a unix socket; a dead agent leaves its file behind. */
export function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** What a process wrote last; empty when there is no such file. */
export const logTail = (path: string): string =>
  existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(-15).join('\n') : '';
