// podroute completion bash|zsh|fish, and what those scripts ask while somebody writes: podroute __complete -- WORDS…
import type { Command } from 'commander';
import type { StatusReply } from '#agent-api';
import { ask } from '../client.ts';
import { COMPLETION_SCRIPTS, FILES_LINE, type Shell } from '../completion-scripts.ts';
import { suggestions } from '../completion-words.ts';

export function completion(shell: Shell): void {
  process.stdout.write(COMPLETION_SCRIPTS[shell]);
}

/** @param line the words behind 'podroute'; the last one, maybe empty, is being written */
export async function complete(root: Command, line: readonly string[], ownSocket: string): Promise<void> {
  const { words, files, sessions } = suggestions(root, line);
  const lines = words.map(({ word, about }) => `${word}\t${about}`);
  if (sessions !== undefined)
    lines.push(...(await sessionLines(sessions.socket ?? ownSocket, line.at(-1) ?? '')));
  if (files) lines.push(FILES_LINE);
  process.stdout.write(lines.map((text) => `${text}\n`).join(''));
}

/** What the ids of sessions are made of: whatever else answers there shall put no other text on somebody's line. */
const SESSION_ID = /^[\w.:/%-]+$/;

/** Sessions of the agent; none when it does not answer, as an error would stand in the middle of somebody's line. */
async function sessionLines(socket: string, current: string): Promise<string[]> {
  const status = await ask<StatusReply>(socket, '/v1/status').catch(() => undefined);
  return (status?.sessions ?? [])
    .filter(({ id }) => id.startsWith(current) && SESSION_ID.test(id))
    .map(({ id, remote, state }) => `${id}\t${`${remote} ${state}`.replaceAll(/\p{Cc}/gu, ' ')}`);
}
