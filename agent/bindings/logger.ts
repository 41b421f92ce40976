// Logs by pino: one JSON object a line, or readable lines on a terminal.
import { pino } from 'pino';
import type { Log } from '../log.ts';
import type { LogLevel } from '../options.ts';

/** @param base what every line says, such as whose it is */
export async function openLog(level: LogLevel, base: Readonly<Record<string, string>>): Promise<Log> {
  if (!process.stdout.isTTY) {
    const options = { level, base, timestamp: pino.stdTimeFunctions.isoTime };
    return pino(options, pino.destination({ fd: 1, sync: true })) as Log;
  }
  const { default: pretty } = await import('pino-pretty');
  const target = pretty({
    colorize: true,
    sync: true,
    singleLine: true,
    translateTime: 'HH:MM:ss.l',
    ignore: 'pid,hostname',
  });
  return pino({ level }, target) as Log;
}
