// Connections by the hundred: from a configured neighbour, from nobody's address, from a range that is full, and
// sessions that come up and break. What is kept of them is bounded, the log too, and real sessions do not notice.
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { open, KEEPALIVE, message, hex } from '../testing/messages.ts';
import { assertBounded, report } from './testing/figures.ts';
import { assertInTime, Innocents } from './testing/innocents.ts';
import type { Figures } from './testing/orders.ts';
import { asOf, neighbourConfig, SpeakerUnderFire } from './testing/speaker-under-fire.ts';

const MORE_LOG_LINES = 40;
const NEIGHBOUR = 4;
const RANGE = neighbourConfig(0, {
  id: 'fleet',
  remote: { kind: 'range', prefix: '127.0.7.0/24', maxPeers: 5 },
  remoteAs: 'external',
});

interface Outcome {
  readonly before: Figures;
  readonly after: Figures;
  readonly lines: readonly string[];
}

/** What the flood does to innocents, figures and log. Ends with every socket of `attack` closed. */
async function underFlood(
  speaker: SpeakerUnderFire,
  what: string,
  attack: () => Promise<readonly Socket[]>,
): Promise<Outcome> {
  using innocents = await Innocents.start(speaker);
  await innocents.live(100);
  const logged = (await speaker.log()).lines;
  const before = await speaker.figures('measure');
  const [seen, sockets] = await Promise.all([innocents.live(800), attack()]);
  const after = await speaker.figures();
  const { lines, log } = await speaker.log();
  report(`${what}, ${lines - logged} log lines`, before, after, seen);
  assertInTime(seen);
  assertBounded(before, after);
  assert.ok(
    after.openFiles - before.openFiles < 60,
    `${after.openFiles - before.openFiles} more files are open`,
  );
  assert.ok(lines - logged < MORE_LOG_LINES, `${lines - logged} log lines:\n${log.slice(logged).join('\n')}`);
  for (const socket of sockets) socket.destroy();
  return { before, after, lines: log.slice(logged) };
}

async function connections(
  count: number,
  dial: (i: number) => Promise<Socket>,
  then?: (socket: Socket) => void,
): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let i = 0; i < count; i += 20) {
    const some = await Promise.all(Array.from({ length: 20 }, (_, n) => dial(i + n)));
    for (const socket of some) {
      socket.on('error', () => {});
      socket.resume();
      then?.(socket);
    }
    sockets.push(...some);
  }
  return sockets;
}

describe('BGP under a flood of connections', function () {
  this.timeout(20_000);
  const peers = [...[2, 3, NEIGHBOUR].map((host) => neighbourConfig(host)), RANGE];

  it('from a configured neighbour that says nothing: eight are kept', async () => {
    await using speaker = await SpeakerUnderFire.start(peers);
    const { after } = await underFlood(speaker, '400 silent connections of a neighbour', () =>
      connections(400, () => speaker.dial(NEIGHBOUR)),
    );
    const status = after.peers.find(({ id }) => id === `n${NEIGHBOUR}`)!;
    assert.ok(status.connections <= 9, `${status.connections} connections`);
  });

  it('from a configured neighbour that comes and goes', async () => {
    await using speaker = await SpeakerUnderFire.start(peers);
    const { lines } = await underFlood(
      speaker,
      '150 connections of a neighbour, one after another',
      async () => {
        for (let i = 0; i < 150; i++) {
          const socket = await speaker.dial(NEIGHBOUR);
          await new Promise((done) => socket.once('data', done));
          socket.destroy();
        }
        return [];
      },
    );
    assert.ok(lines.length > 5, 'what happens is in the log');
    const real = await speaker.neighbour(NEIGHBOUR);
    await speaker.until(`n${NEIGHBOUR}`, 'Established');
    real.close();
  });

  it('beside a real session of the same neighbour: the session stands', async () => {
    await using speaker = await SpeakerUnderFire.start(peers);
    const real = await speaker.neighbour(NEIGHBOUR);
    const hello = open({ asNumber: asOf(NEIGHBOUR), holdTimeSeconds: 90, routerId: '10.0.0.4' });
    const { after } = await underFlood(speaker, '400 OPENs beside a session', () =>
      connections(
        400,
        () => speaker.dial(NEIGHBOUR),
        (socket) => socket.write(Buffer.concat([hello, KEEPALIVE])),
      ),
    );
    const status = after.peers.find(({ id }) => id === `n${NEIGHBOUR}`)!;
    assert.equal(status.state, 'Established');
    assert.equal(status.flaps, 0);
    real.close();
  });

  it('that are established, announce, and break, again and again', async () => {
    await using speaker = await SpeakerUnderFire.start(peers);
    const hello = open({ asNumber: asOf(NEIGHBOUR), holdTimeSeconds: 90, routerId: '10.0.0.4' });
    const routes = message(
      2,
      hex('0000 0014 4001 01 00 4002 06 0201 0000fdec 4003 04 0a000004 18 140400 18 140401'),
    );
    await underFlood(speaker, '400 sessions that break', () =>
      connections(
        400,
        () => speaker.dial(NEIGHBOUR),
        (socket) => {
          socket.write(Buffer.concat([hello, KEEPALIVE, routes]));
          setTimeout(() => socket.destroy(), 5);
        },
      ),
    );
  });

  it('from one that is shut down: some are told 6/5, none is kept', async () => {
    const shut = neighbourConfig(5, { shutdown: { message: 'until monday' } });
    await using speaker = await SpeakerUnderFire.start([...peers, shut]);
    let told = 0;
    await underFlood(speaker, '400 connections of one that is shut down', () =>
      connections(
        400,
        () => speaker.dial(5),
        (socket) => socket.on('data', (bytes) => (told += Number(bytes[18] === 3 && bytes[20] === 5))),
      ),
    );
    assert.ok(told > 0 && told < 60, `${told} were told`);
  });

  it('from addresses that are nobody’s: all are closed, and one line says how many', async () => {
    await using speaker = await SpeakerUnderFire.start(peers);
    const { after, lines } = await underFlood(speaker, '400 connections from strangers', () =>
      connections(400, (i) => speaker.dial(1 + (i % 200), 99)),
    );
    assert.equal(lines.filter((line) => line.includes('127.0.99.')).length, 1, lines.join('\n'));
    assert.equal(after.strangersRefused, 400);
  });

  it('from a range, saying nothing: its limit holds, and one that means it comes in', async () => {
    await using speaker = await SpeakerUnderFire.start(peers);
    const { after, lines } = await underFlood(speaker, '200 silent neighbours of a range for 5', () =>
      connections(200, (i) => speaker.dial(1 + i, 7)),
    );
    const range = after.peers.find(({ id }) => id === 'fleet')!;
    assert.deepEqual([range.dynamicPeers?.current, range.dynamicPeers?.max], [5, 5]);
    assert.equal(lines.length, 1, 'the first one that gives way; the others within a minute are counted');
    const real = await speaker.connect(250, 7);
    await real.establish({ asNumber: 65250, holdTimeSeconds: 90, routerId: '10.0.7.250' });
    await speaker.until('fleet/127.0.7.250', 'Established');
    real.close();
  });

  it('from a range that is full of sessions: the others are refused', async () => {
    await using speaker = await SpeakerUnderFire.start(peers);
    const real = await Promise.all([1, 2, 3, 4, 5].map((host) => speaker.connect(host, 7)));
    for (const [i, peer] of real.entries())
      await peer.establish({ asNumber: 65200 + i, holdTimeSeconds: 90, routerId: `10.0.7.${i + 1}` });
    await speaker.until('fleet/127.0.7.5', 'Established');
    const { after, lines } = await underFlood(speaker, '200 more neighbours of a range that is full', () =>
      connections(200, (i) => speaker.dial(10 + i, 7)),
    );
    const range = after.peers.find(({ id }) => id === 'fleet')!;
    assert.deepEqual([range.dynamicPeers?.current, range.dynamicPeers?.refused], [5, 200]);
    assert.ok(real.every((peer) => !peer.isClosed));
    for (const peer of real) peer.close();
    assert.ok(
      lines.some((line) => line.includes('fleet') && line.includes('full')),
      lines.join('\n'),
    );
  });
});
