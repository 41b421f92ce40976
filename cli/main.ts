// The `podroute` command: runs what was asked for, and tells how it went by exit code and one kind of line on stderr.
import { CommanderError } from 'commander';
import { CommandError, EXIT, tell } from './exit.ts';
import { program } from './program.ts';

async function main(): Promise<void> {
  try {
    await program().parseAsync(process.argv);
  } catch (error) {
    process.exitCode = exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.good : EXIT.wrongUse;
  tell(error instanceof Error ? error.message : String(error));
  return error instanceof CommandError ? error.exitCode : EXIT.badNews;
}

// A reader that stops early (podroute routes | head) is no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(EXIT.good);
  });
}
await main();
