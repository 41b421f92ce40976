// What the agent's socket does to single sessions: POST /v1/session?id=ID&action=ACTION[&message=TEXT]. Only on the unix
// socket, which is root's.
import type { SessionAction, SessionActionReply } from '#agent-api';
import { listed } from '../listed.ts';
import { json, refusal, type Reply, type StatusRequest } from './endpoints.ts';

/** The sessions of the agent, by their ids. */
export interface SessionDesk {
  /** Undefined: there is no such session; else what happens now, or why nothing does. */
  act(id: string, action: SessionAction, message: string): string | { readonly refused: string } | undefined;
  ids(): readonly string[];
}

const ACTIONS: Readonly<Record<SessionAction, true>> = {
  enable: true,
  disable: true,
  reset: true,
  'refresh-in': true,
  'refresh-out': true,
};

/** RFC 9003: what a NOTIFICATION can carry, in octets. */
const LONGEST_MESSAGE = 255;
/** Ids that a refusal names. */
const NAMED = 20;

/** @returns undefined for any other path */
export function answerSessions({ method, url }: StatusRequest, desk: SessionDesk): Reply | undefined {
  const { pathname, searchParams } = new URL(url, 'http://agent');
  if (pathname !== '/v1/session') return undefined;
  if (method !== 'POST') return refusal(405, `${method}: only POST is served here`);
  const id = searchParams.get('id') ?? '';
  const action = searchParams.get('action') ?? '';
  const message = searchParams.get('message') ?? '';
  if (!isAction(action)) {
    return refusal(400, `action=${action}: expected one of ${Object.keys(ACTIONS).join(', ')}`);
  }
  const length = Buffer.byteLength(message);
  if (length > LONGEST_MESSAGE) {
    return refusal(400, `message of ${length} octets: a neighbour can be told at most ${LONGEST_MESSAGE}`);
  }
  const text = desk.act(id, action, message);
  if (text === undefined) {
    const known = listed(desk.ids(), NAMED);
    return refusal(404, `no session ${id} on this node; there are: ${known || 'none'}`);
  }
  if (typeof text !== 'string') return refusal(409, `session ${id} ${text.refused}`);
  return json({ id, action, text } satisfies SessionActionReply);
}

function isAction(text: string): text is SessionAction {
  return Object.hasOwn(ACTIONS, text);
}
