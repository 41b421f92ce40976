// BFDProfile: how BFD watches the neighbours whose sessions name it, and what a session says of BFD. Times and bounds are
// those of RFC 5880 as routers have them.
import * as z from 'zod';
import { duration, flag, integer, oneOf, secretKey, text } from '../schema/fields.ts';
import { age, defineKind, type ResourceObject } from '../schema/kind.ts';
import { passwordDoubt, passwordFault, passwordIn, type Secret, secretNamed } from './secret.ts';

/** Octets that a key may have (RFC 5880 sections 4.2 to 4.4). */
const MOST_KEY_OCTETS = {
  SimplePassword: 16,
  KeyedMD5: 16,
  MeticulousKeyedMD5: 16,
  KeyedSHA1: 20,
  MeticulousKeyedSHA1: 20,
} as const;

const LEAST_SECONDS = 0.01;
const MOST_SECONDS = 60;
const INTERVAL = '300ms';

const authentication = z.strictObject({
  type: oneOf(
    'SimplePassword',
    'KeyedMD5',
    'MeticulousKeyedMD5',
    'KeyedSHA1',
    'MeticulousKeyedSHA1',
  ).describe(
    'RFC 5880 section 6.7. SimplePassword: the key itself is in every packet. Keyed: a digest, whose sequence number may stand still. Meticulous: it grows with each packet, so that none can be sent again by somebody else.',
  ),
  keyID: integer(0, 255).describe('Which key it is, by a number that the neighbour has for it too.'),
  keyFrom: secretKey(
    'Where the key is. Without it there is no BFD session, and where BFD is required no BGP session.',
  ).describe('The key: 1 to 16 octets, with SHA-1 to 20.'),
});

const bfdProfileSpec = z.strictObject({
  transmitInterval: duration(LEAST_SECONDS, MOST_SECONDS)
    .prefault(INTERVAL)
    .describe(
      'We send a packet this often, or as seldom as the neighbour asks for. A session that is not up sends one a second.',
    ),
  receiveInterval: duration(LEAST_SECONDS, MOST_SECONDS)
    .prefault(INTERVAL)
    .describe('The neighbour shall send no more often than this.'),
  detectMultiplier: integer(1, 255)
    .default(3)
    .describe(
      "The neighbour takes us for dead when so many of our packets are missing. When we do so is the neighbour's multiplier to say.",
    ),
  minimumTTL: integer(1, 255)
    .optional()
    .describe(
      'Of sessions over several hops: packets with less come from too far and are dropped (RFC 5883). Default: what the BGP session allows, 256 less its multihop or ttlSecurity; 1 inside our AS, where BGP has no limit. A neighbour that is one hop away always needs 255 (RFC 5881).',
    ),
  passive: flag()
    .default(false)
    .describe(
      'Send nothing before the neighbour does. Of two nodes of the cluster one speaks first all the same.',
    ),
  authentication: authentication
    .optional()
    .describe('Both sides sign their packets. A packet without, or with another key, is dropped.'),
});

export type BFDProfileSpec = z.output<typeof bfdProfileSpec>;
export type BFDProfile = ResourceObject<'BFDProfile', BFDProfileSpec>;

export const bfdProfile = defineKind({
  kind: 'BFDProfile',
  plural: 'bfdprofiles',
  singular: 'bfdprofile',
  shortNames: [],
  description: 'How BFD (RFC 5880) watches the neighbours of BGP sessions that name it.',
  spec: bfdProfileSpec,
  calico: false,
  columns: [
    { name: 'Transmit', type: 'string', jsonPath: '.spec.transmitInterval' },
    { name: 'Receive', type: 'string', jsonPath: '.spec.receiveInterval' },
    { name: 'Multiplier', type: 'integer', jsonPath: '.spec.detectMultiplier' },
    { name: 'Authentication', type: 'string', jsonPath: '.spec.authentication.type' },
    { name: 'Passive', type: 'boolean', jsonPath: '.spec.passive', priority: 1 },
    { name: 'Minimum-TTL', type: 'integer', jsonPath: '.spec.minimumTTL', priority: 1 },
    age,
  ],
});

/** What holds for a session with `bfd: {}`. */
export const DEFAULT_BFD: BFDProfileSpec = bfdProfileSpec.parse({});

/** What a BGP session says of BFD, in a BGPPeer and for the sessions between nodes. */
export const bfdOfSession = () =>
  z.strictObject({
    profile: text().optional().describe('The BFDProfile. Default: one with every default.'),
    required: flag()
      .default(false)
      .describe(
        'A BGP session begins only when BFD is up. Otherwise it need not be: BFD that was up and fails ends the BGP session, which may come back without it, and a neighbour may have no BFD yet.',
      ),
    onFailure: oneOf('Withdraw', 'Restart')
      .default('Withdraw')
      .describe(
        'What becomes of the routes of a neighbour that restarts gracefully, and whose BFD ends with its BGP (C bit clear, RFC 5882 section 4.3), when BFD fails while BGP is up. Withdraw: they go at once. Restart: they stay as after any restart, for routers that forward on while both begin anew; a dead one is then noticed when its restart time is over. One whose connection was closed before is restarting with either.',
      ),
    multihop: flag()
      .optional()
      .describe(
        'Over several hops (RFC 5883), or one (RFC 5881). Both sides must have the same. Default: as BGP has it (multihop, ttlSecurity); inside our AS over several with other nodes, and with others where the neighbour is on no network of the node.',
      ),
  });

export type BfdOfSession = z.output<ReturnType<typeof bfdOfSession>>;

/** The key of a profile, when it can be used; never part of a message. */
export function bfdKey(
  { spec }: BFDProfile,
  secrets: ReadonlyMap<string, Secret>,
  refused: ReadonlySet<string>,
): Uint8Array | undefined {
  if (spec.authentication === undefined || keyFault(spec.authentication, secrets, refused)) return undefined;
  const { name, key } = spec.authentication.keyFrom.secretKeyRef;
  return new TextEncoder().encode(passwordIn(secretNamed(secrets, name)!, key));
}

/** As passwordFault, of the key of a profile. */
export function bfdKeyFault(
  { spec }: BFDProfile,
  secrets: ReadonlyMap<string, Secret>,
  refused: ReadonlySet<string>,
): ReturnType<typeof passwordFault> {
  return spec.authentication && keyFault(spec.authentication, secrets, refused);
}

/** As passwordDoubt, of the key of a profile. */
export function bfdKeyDoubt({ spec }: BFDProfile, secrets: ReadonlyMap<string, Secret>): string | undefined {
  return spec.authentication && passwordDoubt(secrets, spec.authentication.keyFrom.secretKeyRef);
}

const keyFault = (
  { type, keyFrom }: NonNullable<BFDProfileSpec['authentication']>,
  secrets: ReadonlyMap<string, Secret>,
  refused: ReadonlySet<string>,
) => passwordFault(secrets, keyFrom.secretKeyRef, refused, { who: type, octets: MOST_KEY_OCTETS[type] });
