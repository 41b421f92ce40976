// What the commands ask the agent, with the message and exit code for an agent that does not answer.
import { AgentUnreachableError, getFromAgent } from '#agent';
import { CommandError, EXIT } from './exit.ts';

/** GET of a path on the agent's socket. Throws CommandError: 3 when nobody answers, 1 when the agent says no. */
export async function ask<T>(socket: string, path: string): Promise<T> {
  try {
    return await getFromAgent<T>(socket, path);
  } catch (error) {
    const code = error instanceof AgentUnreachableError ? EXIT.agentUnreachable : EXIT.badNews;
    throw new CommandError((error as Error).message, code);
  }
}
