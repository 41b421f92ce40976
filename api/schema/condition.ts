// Conditions of a status, as Kubernetes has them, and those that tell a change from a repetition.
import * as z from 'zod';
import { integer, oneOf, text } from './fields.ts';

/** Unknown fields are read over, here and in every status: a newer version may have written it. */
export const condition = z.object({
  type: text(64).describe('What it is about.'),
  status: oneOf('True', 'False', 'Unknown').describe('Whether it is so.'),
  reason: text(64).describe('One word for machines.'),
  message: text(1024).describe('The same for people.'),
  observedGeneration: integer(0, Number.MAX_SAFE_INTEGER)
    .optional()
    .describe('The metadata.generation that it is said of.'),
  lastTransitionTime: text(64).describe('RFC 3339; since when the status is what it is.'),
});

export type Condition = z.output<typeof condition>;

const LONGEST_MESSAGE = 1024;

/** Fits into a condition. */
export const cutMessage = (text: string): string =>
  text.length <= LONGEST_MESSAGE ? text : `${text.slice(0, LONGEST_MESSAGE - 1)}…`;

/** With the time of the earlier condition of its type where the status is the same. @param now RFC 3339 */
export function sinceWhen(
  { message, ...rest }: Omit<Condition, 'lastTransitionTime'>,
  before: readonly Condition[] | undefined,
  now: string,
): Condition {
  const earlier = before?.find(({ type, status }) => type === rest.type && status === rest.status);
  return { ...rest, message: cutMessage(message), lastTransitionTime: earlier?.lastTransitionTime ?? now };
}
