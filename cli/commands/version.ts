// podroute version
import packageJson from '../../package.json' with { type: 'json' };
import { type OutputFormat, print } from '../output-format.ts';

/** What this source tree is; the bundler puts it in. */
export const VERSION: string = packageJson.version;

export function version(options: { output: OutputFormat }): void {
  print(
    { version: VERSION, runtime: process.version },
    options.output,
    (v) => `podroute ${v.version} (Node ${v.runtime})`,
  );
}
