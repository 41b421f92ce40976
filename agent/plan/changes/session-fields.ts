// What BGPPeer calls the settings of a session that the BGP library has in its own words, their values as a document has
// them, and when a change of one takes effect: field-effects.ts, where the library only knows the setting around it.
import type { SessionDiff } from '#agent-api';
import { type ConfigChange, type PeerConfig } from '#bgp';
import { familyLabel } from '#ip';
import { fieldEffects } from './field-effects.ts';
import {
  ADD_PATHS,
  DEFAULT_ROUTES,
  LOCAL_AS_RULES,
  NEXT_HOPS,
  OVER_LIMIT,
  RESTART_MODES,
  ROLES,
} from './field-words.ts';

interface SessionField {
  /** 'maxPrefixes.limit' */
  readonly field: string;
  /** As a document has it; undefined: nobody wrote it. Absent: a secret, or too long to be shown. */
  readonly words?: (config: PeerConfig) => string | undefined;
}

type SessionChange = SessionDiff['changes'][number];

const one = (field: string, words?: SessionField['words']): readonly SessionField[] => [
  words === undefined ? { field } : { field, words },
];

const seconds = (value: number | undefined) => (value === undefined ? undefined : `${value}s`);
const text = (value: number | boolean | string | undefined) =>
  value === undefined ? undefined : String(value);

function wordOf(words: Readonly<Record<string, unknown>>, value: unknown): string | undefined {
  const wanted = JSON.stringify(value);
  return Object.keys(words).find((word) => JSON.stringify(words[word]) === wanted);
}

const families = one('families', (config) => config.families.map(familyLabel).join(', '));

const role = one('role', (config) => {
  // Inside one AS there is no role, and what else it means stays.
  if (config.routeServerClient) return 'RouteServer';
  return config.enforceFirstAs ? wordOf(ROLES, config.role) : 'RouteServerClient';
});

/** Of what is not in here no object has a field. */
const SESSION_FIELDS: { readonly [Name in keyof PeerConfig]?: readonly SessionField[] } = {
  remote: [
    { field: 'port', words: ({ remote }) => (remote.kind === 'address' ? text(remote.port) : undefined) },
    { field: 'peerIP', words: ({ remote }) => (remote.kind === 'address' ? remote.address : undefined) },
    {
      field: 'peerInterface',
      words: ({ remote }) => (remote.kind === 'address' ? remote.device : undefined),
    },
    { field: 'peerRange', words: ({ remote }) => (remote.kind === 'range' ? remote.prefix : undefined) },
    {
      field: 'maxPeers',
      words: ({ remote }) => (remote.kind === 'range' ? text(remote.maxPeers) : undefined),
    },
  ],
  remoteAs: one('asNumber', ({ remoteAs }) => text(remoteAs)),
  localAs: one('localASNumber', ({ localAs }) => text(localAs)),
  localAsRules: one('localASMode', ({ localAsRules }) => wordOf(LOCAL_AS_RULES, localAsRules)),
  localAddress: one('sourceAddress', ({ localAddress }) => localAddress ?? 'None'),
  passive: one('passive', ({ passive }) => text(passive)),
  holdTimeSeconds: one('holdTime', ({ holdTimeSeconds }) => seconds(holdTimeSeconds)),
  keepaliveTimeSeconds: one('keepaliveTime', ({ keepaliveTimeSeconds }) => seconds(keepaliveTimeSeconds)),
  connectRetrySeconds: one('connectRetryTime', ({ connectRetrySeconds }) => seconds(connectRetrySeconds)),
  families,
  extendedNextHop: families,
  ttl: [
    { field: 'multihop', words: ({ ttl }) => (ttl.kind === 'multihop' ? text(ttl.hops) : undefined) },
    { field: 'ttlSecurity', words: ({ ttl }) => (ttl.kind === 'gtsm' ? text(ttl.hops) : undefined) },
  ],
  md5Key: one('password'),
  nextHop: one('nextHopMode', ({ nextHop }) => wordOf(NEXT_HOPS, nextHop)),
  routeReflectorClient: one('routeReflectorClient', (config) => text(config.routeReflectorClient)),
  routeServerClient: role,
  enforceFirstAs: role,
  role,
  addPaths: one('addPaths', ({ addPaths }) => wordOf(ADD_PATHS, addPaths)),
  addPathLimit: one('addPathLimit', ({ addPathLimit }) => text(addPathLimit)),
  maxPrefixes: [
    { field: 'maxPrefixes.limit', words: ({ maxPrefixes }) => text(maxPrefixes.limit) },
    { field: 'maxPrefixes.warnPercent', words: ({ maxPrefixes }) => text(maxPrefixes.warnPercent) },
    { field: 'maxPrefixes.restartTime', words: ({ maxPrefixes }) => seconds(maxPrefixes.restartSeconds) },
    {
      field: 'maxPrefixes.action',
      words: ({ maxPrefixes }) => wordOf(OVER_LIMIT, maxPrefixes.action) ?? 'Close',
    },
  ],
  allowedLocalAs: one('numAllowedLocalASNumbers', ({ allowedLocalAs }) => text(allowedLocalAs)),
  asOverride: one('asOverride', ({ asOverride = false }) => text(asOverride)),
  removePrivateAs: one('removePrivateAS', ({ removePrivateAs }) => text(removePrivateAs)),
  replacePrivateAs: one('privateASAction', (config) => (config.replacePrivateAs ? 'Replace' : undefined)),
  linkBandwidth: one('linkBandwidth'),
  defaultOriginate: one('defaultOriginate', (config) =>
    wordOf(DEFAULT_ROUTES, config.defaultOriginate ?? []),
  ),
  advertisementIntervalSeconds: one('advertisementInterval', (config) =>
    seconds(config.advertisementIntervalSeconds ?? 0),
  ),
  gracefulRestart: [
    { field: 'gracefulRestart.mode', words: ({ gracefulRestart: of }) => wordOf(RESTART_MODES, of.mode) },
    {
      field: 'gracefulRestart.restartTime',
      words: ({ gracefulRestart: of }) => seconds(of.restartSeconds),
    },
    {
      field: 'gracefulRestart.longLivedTime',
      words: ({ gracefulRestart: of }) => seconds(of.longLivedSeconds),
    },
  ],
};

/** Of a setting that waits for the next session; of `remote` that is the port. */
export const sessionField = (name: keyof PeerConfig): string => SESSION_FIELDS[name]?.[0]?.field ?? name;

const SESSION_EFFECTS: Readonly<Record<string, SessionChange['effect']>> = {
  live: 'live',
  're-evaluation': 'soft',
  'next session': 'later',
  reset: 'reset',
};

const EFFECT_OF = new Map(
  fieldEffects.BGPPeer.flatMap(({ field, effect }) => {
    const word = SESSION_EFFECTS[effect];
    return word === undefined ? [] : [[field, word] as const];
  }),
);

/** Each field once, and never a key or a policy in words. */
export function sessionChanges(
  was: PeerConfig,
  will: PeerConfig,
  fields: ConfigChange['fields'],
): SessionChange[] {
  const changes = new Map<string, SessionChange>();
  for (const { name, effect: ofLibrary } of fields) {
    for (const { field, words } of SESSION_FIELDS[name] ?? one(name)) {
      if (changes.has(field)) continue;
      const effect = ofLibrary === 'nothing' ? ofLibrary : (EFFECT_OF.get(field) ?? ofLibrary);
      const [from, to] = [was, will].map((config) => words?.(config) ?? 'not set') as [string, string];
      if (words === undefined) changes.set(field, { setting: field, effect });
      else if (from !== to) changes.set(field, { setting: field, effect, from, to });
    }
  }
  return [...changes.values()];
}
