// What an operator may do to one session. Nothing of it is written down: a restarted agent follows its objects.

/**
 * disable: down until enabled · reset: a new session · refresh-in: the neighbour's routes through import policy again ·
 * refresh-out: ours to it again
 */
export type SessionAction = 'enable' | 'disable' | 'reset' | 'refresh-in' | 'refresh-out';

/** POST /v1/session?id=ID&action=ACTION[&message=TEXT], when it is under way; a refusal is an ErrorReply. */
export interface SessionActionReply {
  readonly id: string;
  readonly action: SessionAction;
  /** What happens now, in a sentence. */
  readonly text: string;
}
