// podroute version: of this command, and of the agent where one runs.
import packageJson from '../../package.json' with { type: 'json' };
import type { VersionReply } from '#agent-api';
import { ask } from '../client.ts';
import { CommandError, EXIT, tell } from '../exit.ts';
import { type OutputFormat, print } from '../output-format.ts';

/** The commit that a bundle was made of; put in by scripts/build.ts where no file differs from it. */
interface BuiltFrom {
  readonly commit: string;
  /** Of the commit, ISO 8601. */
  readonly date: string;
}
declare global {
  var PODROUTE_BUILT_FROM: BuiltFrom | undefined;
}

/** What this source tree is; the bundler puts it in. */
export const VERSION: string = packageJson.version;

interface Versions {
  readonly client: { readonly version: string; readonly runtime: string } & Partial<BuiltFrom>;
  /** Absent where none answers. */
  readonly agent?: VersionReply;
}

/** `podroute --version`: '0.1.0', with the commit where it is known for sure. */
export function versionText(): string {
  const from = globalThis.PODROUTE_BUILT_FROM;
  return from === undefined ? VERSION : `${VERSION} (commit ${from.commit}, ${from.date})`;
}

export async function version(options: { socket: string; output: OutputFormat }): Promise<void> {
  const agent = await ask<VersionReply>(options.socket, '/v1/version').catch((error: unknown) => {
    if (error instanceof CommandError && error.exitCode === EXIT.agentUnreachable) return undefined;
    throw error;
  });
  const client = { version: VERSION, runtime: process.version, ...globalThis.PODROUTE_BUILT_FROM };
  const versions: Versions = { client, ...(agent === undefined ? {} : { agent }) };
  print(versions, options.output, versionsText);
  if (agent !== undefined && agent.version !== VERSION) {
    tell(
      `version: the agent is ${agent.version} and this command ${VERSION}: restart the agent, or use the command beside it`,
    );
  }
}

function versionsText({ agent }: Versions): string {
  const from = globalThis.PODROUTE_BUILT_FROM;
  const commit = from === undefined ? '' : `, commit ${from.commit} of ${from.date}`;
  const its =
    agent === undefined
      ? 'none answers'
      : `${agent.version} (Node ${agent.runtime}, node ${agent.node}, pid ${agent.pid})`;
  return `podroute ${VERSION} (Node ${process.version}${commit})\nagent    ${its}`;
}
