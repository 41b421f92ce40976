// podroute session ID enable|disable|reset|refresh-in|refresh-out
import type { SessionAction, SessionActionReply } from '#agent-api';
import { ask } from '../client.ts';
import { CommandError, EXIT } from '../exit.ts';
import { type OutputFormat, print } from '../output-format.ts';

export const SESSION_ACTIONS = ['enable', 'disable', 'reset', 'refresh'] as const;
const DIRECTIONS = ['in', 'out'] as const;

interface SessionOptions {
  readonly socket: string;
  readonly output: OutputFormat;
  readonly message?: string;
}

/** @param direction of a refresh only: 'in' or 'out' */
export async function session(
  id: string,
  verb: (typeof SESSION_ACTIONS)[number],
  direction: string | undefined,
  options: SessionOptions,
): Promise<void> {
  const action = actionOf(verb, direction);
  const query = new URLSearchParams({ id, action, message: options.message ?? '' });
  const reply = await ask<SessionActionReply>(options.socket, `/v1/session?${query.toString()}`, 'POST');
  print(reply, options.output, ({ id: name, text }) => `session ${name} ${text}`);
}

function actionOf(verb: (typeof SESSION_ACTIONS)[number], direction: string | undefined): SessionAction {
  const found = DIRECTIONS.find((word) => word === direction);
  if (verb === 'refresh' && found === undefined) {
    throw new CommandError(
      `session: refresh ${direction ?? ''}: say 'refresh in' or 'refresh out'`,
      EXIT.wrongUse,
    );
  }
  if (verb === 'refresh') return `refresh-${found!}`;
  if (direction !== undefined) {
    throw new CommandError(`session: ${verb} takes no '${direction}'`, EXIT.wrongUse);
  }
  return verb;
}
