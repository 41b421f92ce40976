// What the commands ask the agent, with the message and exit code for an agent that does not answer.
import { AgentUnreachableError, askAgent } from '#agent';
import { CommandError, EXIT } from './exit.ts';

/** What the agent answers on its socket. Throws CommandError: 3 when nobody answers, 1 when the agent says no. */
export async function ask<T>(socket: string, path: string, method: 'GET' | 'POST' = 'GET'): Promise<T> {
  try {
    return await askAgent<T>(socket, path, method);
  } catch (error) {
    const code = error instanceof AgentUnreachableError ? EXIT.agentUnreachable : EXIT.badNews;
    throw new CommandError((error as Error).message, code);
  }
}
