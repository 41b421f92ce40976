// A made-up table goes through a speaker of its own that talks to nobody, so that the engine has compiled the
// paths that every route takes before the first real table arrives: measured, that costs half the CPU time and
// holds up the event loop less. Nothing of the real speaker is touched.
import { type Clock, type Random, systemScheduler } from '#world';
import type { PeerConfig } from '../config.ts';
import { encodeKeepalive, encodeOpen, NO_CAPABILITIES, SAFI_UNICAST } from '../message/index.ts';
import { ACCEPT_ALL } from '../policy/policy.ts';
import { Speaker } from '../speaker.ts';
import { Errands } from './errands.ts';
import { announcements, PREFIXES, SCRIPT_BYTES, withdrawals } from './made-up-routes.ts';
import { Stage, type StageConnection } from './stage.ts';

const OWN_AS = 64_600;
const OWN_ADDRESS = '10.0.0.1';
/** A route reflector client. */
const CLIENT = '10.0.0.5';
const ROUNDS = 2;
/** Handed over at once, so that other work of the process waits for a few milliseconds at most. */
const CHUNK_BYTES = 16_384;
/** A speaker that is busy for so long is not waited for any longer. */
const PATIENCE_MS = 10_000;

/** Two who feed iBGP routes, one who feeds eBGP routes, and those who get everything: a client and a router. */
const CAST = [
  { address: '10.0.0.2', asNumber: OWN_AS, feeds: true },
  { address: '10.0.0.3', asNumber: OWN_AS, feeds: true },
  { address: '10.0.0.4', asNumber: 64_604, feeds: true },
  { address: CLIENT, asNumber: OWN_AS, feeds: false },
  { address: '10.0.0.6', asNumber: 64_606, feeds: false },
] as const;

export interface RehearsalIo {
  readonly clock: Clock;
  readonly random: Random;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

/**
 * Takes about a second of CPU time, in turns of a few milliseconds.
 * @param like a neighbour of the real speaker: the made-up ones are configured alike, but for addresses and AS
 * @returns octets of routes that the made-up neighbours were sent
 */
export async function rehearse(io: RehearsalIo, like: PeerConfig): Promise<number> {
  const stage = new Stage();
  const errands = new Errands(io.clock);
  await using speaker = new Speaker(
    {
      asNumber: OWN_AS,
      routerId: OWN_ADDRESS,
      listen: [{ address: OWN_ADDRESS, port: 179 }],
      multipath: { ebgp: 1, ibgp: 1, relax: false },
    },
    { random: io.random, clock: errands, scheduler: errands, transport: stage },
  );
  await speaker.start();
  const actors = CAST.map((role) => {
    speaker.addPeer(peer(like, role.address, role.asNumber));
    return { ...role, connection: enter(stage, role.address, role.asNumber) };
  });
  const script = Buffer.allocUnsafeSlow(SCRIPT_BYTES);
  const feeders = actors.filter((actor) => actor.feeds);
  for (let round = 0; round < ROUNDS && !io.signal.aborted; round++) {
    for (const [flavour, { connection, asNumber }] of feeders.entries()) {
      const speech = {
        flavour: 1 + flavour + round * feeders.length,
        internal: asNumber === OWN_AS,
        asNumber,
      };
      for (const family of [0, 1] as const)
        await say(connection, script, announcements(script, speech, family), io, errands);
    }
    for (const { connection } of feeders) {
      for (const family of [0, 1] as const) {
        await say(connection, script, withdrawals(script, family, 1000 * round), io, errands);
      }
    }
  }
  return actors.reduce((sum, { connection }) => sum + connection.totalBytesAccepted, 0);
}

function enter(stage: Stage, address: string, asNumber: number): StageConnection {
  const connection = stage.enter(OWN_ADDRESS, address);
  const routerId = Number(address.split('.')[3]) | 0x0a000000;
  const unicast = [1, 2].map((afi) => ({ afi, safi: SAFI_UNICAST }));
  const capabilities = { ...NO_CAPABILITIES, multiprotocol: unicast, fourByteAs: asNumber };
  const open = encodeOpen({ asNumber, holdTimeSeconds: 0, routerId, capabilities });
  connection.hear(open, 0, open.length);
  const keepalive = encodeKeepalive();
  connection.hear(keepalive, 0, keepalive.length);
  return connection;
}

/** Says all of it, and waits until everybody has been told. */
async function say(
  connection: StageConnection,
  bytes: Buffer,
  length: number,
  { clock, signal }: RehearsalIo,
  errands: Errands,
): Promise<void> {
  const isDone = async (isBusy: () => boolean): Promise<boolean> => {
    const end = clock.now() + PATIENCE_MS;
    do await new Promise<void>((done) => systemScheduler.soon(done));
    while (isBusy() && !connection.isOver && !signal.aborted && clock.now() < end);
    return !isBusy() && !connection.isOver && !signal.aborted;
  };
  for (let at = 0; at < length; at += CHUNK_BYTES) {
    connection.hear(bytes, at, Math.min(length, at + CHUNK_BYTES));
    if (!(await isDone(() => connection.isPaused))) return;
  }
  await isDone(() => errands.isBusy);
}

function peer(like: PeerConfig, address: string, asNumber: number): PeerConfig {
  // Gone is what a neighbour would have to agree with, and what only a socket can do.
  const {
    md5Key: _key,
    localAddress: _address,
    localAs: _localAs,
    role: _role,
    require: _require,
    shutdown: _shutdown,
    ...open
  } = like;
  return {
    ...open,
    id: address,
    remote: { kind: 'address', address, port: 179 },
    remoteAs: asNumber,
    passive: true,
    holdTimeSeconds: 0,
    families: ['ipv4', 'ipv6'],
    ttl: { kind: 'multihop', hops: 255 },
    nextHop: 'auto',
    nextHopSelf: { ipv6: '2001:db8::1' },
    routeReflectorClient: address === CLIENT,
    addPaths: 'none',
    maxPrefixes: { ...like.maxPrefixes, limit: 2 * PREFIXES },
    import: ACCEPT_ALL,
    export: ACCEPT_ALL,
  };
}
