import { type OutputFormat, print } from '../output.ts';
import { VERSION } from '../version.ts';

export function version(options: { output: OutputFormat }): void {
  print(
    { version: VERSION, runtime: process.version },
    options.output,
    (v) => `podroute ${v.version} (Node ${v.runtime})`,
  );
}
