// `podroute plan --diff` for people: what would happen to which session, and which prefixes it would be sent.
import type { PlanDiffReply, PrefixesDiff, SessionDiff } from '#agent-api';
import { doubtful } from '../output-format.ts';

/** Prefixes that a line names; -o json has up to 1,000. */
const SHOWN = 20;

const EFFECTS = {
  nothing: 'no effect',
  later: 'with the next session',
  live: 'at once',
  soft: 'routes are looked at again',
  reset: 'the session begins anew',
} as const;

export function planDiffText(reply: PlanDiffReply): string {
  const { sessions, originated, withdrawn, objects, note } = reply;
  const own = [
    ...originated.map((prefix) => `announce ${prefix}`),
    ...withdrawn.map((prefix) => `withdraw ${prefix}`),
  ];
  const lines = [...sessions.flatMap(sessionLines), ...own];
  return [
    lines.length === 0 ? `${objects.join(', ')}: nothing would change on this node` : lines.join('\n'),
    ...(note === undefined ? [] : [doubtful(note)]),
  ].join('\n');
}

function sessionLines({ id, remote, from, what, changes, sent }: SessionDiff): string[] {
  return [
    `session ${id} (${remote}, ${from}): ${what}`,
    ...changes.map(({ setting, effect }) => `  ${setting}: ${EFFECTS[effect]}`),
    ...(sent === undefined
      ? []
      : [
          ...prefixLine('  + ', 'sent then', sent.appear),
          ...prefixLine('  - ', 'withdrawn', sent.vanish),
          ...prefixLine('  ~ ', 'sent with other attributes', sent.change),
        ]),
  ];
}

function prefixLine(sign: string, what: string, { count, first }: PrefixesDiff): string[] {
  if (count === 0) return [];
  const more = count > SHOWN ? ` and ${count - SHOWN} more` : '';
  return [`${sign}${count} ${what}: ${first.slice(0, SHOWN).join(', ')}${more}`];
}
