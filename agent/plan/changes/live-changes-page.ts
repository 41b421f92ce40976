// docs/live-changes.md from the table of effects. Pure; generate-live-changes.ts writes the file.
import { type ChangeEffect, type FieldChange, fieldEffects } from './field-effects.ts';

const HEAD = `# What a change does while traffic flows
<!-- Generated from agent/plan/changes/field-effects.ts by \`node agent/plan/changes/generate-live-changes.ts\`. Do not edit. -->

Every field of BGPPeer, BGPConfiguration, BGPFilter and BFDProfile may be changed at any time. An agent compares the plan that is in force with
the new one and tells its speaker the difference: a session that nothing changed for is not touched, whatever happens to others.
A test changes every field below on a running cluster, and looks at all sessions and routes.
`;

const MEANINGS: Readonly<Record<ChangeEffect, string>> = {
  nothing: 'No session and no route depends on it.',
  live: 'It is put on the running sessions at once. They stay, and no route is looked at for it.',
  're-evaluation':
    'Sessions stay. Routes are looked at again from what is stored, so the neighbour is not asked for them again (RFC 2918), and only what comes out otherwise is sent and put into the kernel.',
  'next session':
    'Running sessions keep what they were opened with. `podroute status` names what waits (`WAIT FOR THE NEXT SESSION`), `podroute status SESSION` both values; `podroute session SESSION reset` brings it about.',
  reset:
    'The sessions that the object is for begin anew (Cease/6), because their OPEN or their connection says otherwise. No other session does.',
  'which sessions':
    'Sessions that are wanted now begin, those that nobody wants any more end. All others stay.',
  listener: 'Listening sockets are opened and closed. Sessions stay.',
  'all sessions': 'Every session of the node begins anew: each neighbour was told the old value in the OPEN.',
};

export function liveChangesPage(): string {
  const words = Object.entries(MEANINGS).map(([word, meaning]) => `| **${word}** | ${meaning} |`);
  const { BGPPeer, BGPConfiguration, BGPFilter, BFDProfile } = fieldEffects;
  return [
    HEAD,
    '| word | means |\n|---|---|',
    ...words,
    '\nWhat a file would change on a node, before it is applied: `podroute plan --diff FILE` ([cli.md](cli.md)).',
    '\n## BGPPeer\n',
    ...table(BGPPeer),
    '\n## BGPConfiguration\nOf the object `default` and of one of a node.\n',
    ...table(BGPConfiguration),
    '\n## BGPFilter\nOf the BGPPeers that name it. Fields of rules: in all four lists, unless a row names one.\n',
    ...table(filterRows(BGPFilter)),
    '\n## BFDProfile\nOf the BGPPeers that name it, and of the sessions between nodes when `nodeMeshBFD` does.\n',
    ...table(BFDProfile),
    '',
  ].join('\n');
}

function table(rows: readonly FieldChange[]): string[] {
  return [
    '| field | a change of it | |',
    '|---|---|---|',
    ...rows.map(({ field, effect, note = '' }) => `| \`${field}\` | ${effect} | ${note} |`),
  ];
}

const OF_A_LIST = /^(im|ex)portV[46][.]/;

/** A row that is the same in all lists stands once, without the list's name. */
function filterRows(rows: readonly FieldChange[]): FieldChange[] {
  const byField = Map.groupBy(rows, ({ field }) => field.replace(OF_A_LIST, ''));
  return [...byField].flatMap(([field, lists]) => {
    const [first] = lists;
    return lists.every(({ effect }) => effect === first?.effect) ? [{ ...first!, field }] : lists;
  });
}
