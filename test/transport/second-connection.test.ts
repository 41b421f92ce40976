// Another connection from an established neighbour's address, over real sockets: only who does not answer any more has
// restarted (RFC 4724 §5). Loopback only; needs no rights.
import assert from 'node:assert/strict';
import { type Connection, Speaker, TcpTransport } from '#bgp';
import { tcpSockets } from '#linux';
import { systemClock, systemRandom, waitUntil } from '#world';
import { peerConfig } from '../../bgp/testing/configs.ts';
import { KEEPALIVE, MP_BOTH, fourByteAs, rawOpen } from '../../bgp/testing/message-bytes.ts';
import { ScriptPeer } from '../../bgp/testing/script-peer.ts';

const PORT = 17_183;
const THEIRS = '127.0.0.2';
const OPEN = rawOpen({
  as: 65002,
  id: '10.0.0.2',
  capabilities: `${MP_BOTH} ${fourByteAs(65002)} 4006 c078 00010180`,
});

describe('another connection of an established neighbour, over real TCP', () => {
  const transport = new TcpTransport({ socketOptions: tcpSockets });
  const opened: Connection[] = [];
  let speaker: Speaker;

  beforeEach(async () => {
    const listen = [{ address: '127.0.0.1', port: PORT }];
    const multipath = { ebgp: 1, ibgp: 1, relax: false };
    speaker = new Speaker(
      { asNumber: 65001, routerId: '10.0.0.1', multipath, listen },
      { clock: systemClock, random: systemRandom, transport },
    );
    const gracefulRestart = { mode: 'full', restartSeconds: 120, longLivedSeconds: 0 } as const;
    const ttl = { kind: 'multihop', hops: 64 } as const;
    speaker.addPeer(peerConfig('tor', THEIRS, 65002, { passive: true, ttl, gracefulRestart }));
    await speaker.start();
  });
  afterEach(async () => {
    for (const connection of opened.splice(0)) connection.destroy();
    await speaker[Symbol.asyncDispose]();
  });

  const status = () => speaker.status().peers[0]!;

  async function arrive(): Promise<ScriptPeer> {
    const box = ScriptPeer.dial(transport, '127.0.0.1', THEIRS, PORT);
    await waitUntil('a connection', 1000, () => box.peer !== undefined);
    opened.push(box.peer!.connection);
    box.peer!.send(OPEN, KEEPALIVE);
    return box.peer!;
  }

  async function established(): Promise<ScriptPeer> {
    const old = await arrive();
    await waitUntil('the session', 2000, () => status().state === 'Established');
    // Longer than any answer to what was said until now could take.
    await new Promise((resolve) => setTimeout(resolve, 300));
    return old;
  }

  it('FSM-7 ends by 6/7 while the old one is there, though nobody reads it', async () => {
    const old = await established();
    old.connection.pause();
    const strangers = await Promise.all(Array.from({ length: 5 }, arrive));
    await waitUntil('their end', 2000, () => strangers.every(({ isClosed }) => isClosed));
    for (const { words } of strangers) assert.match(words, /6\/7$/);
    assert.deepEqual([status().state, status().flaps, old.isClosed], ['Established', 0, false]);
  });

  it('FSM-7 takes its place when nothing of ours reaches the old one any more', async () => {
    const old = await established();
    // Its kernel drops what comes with less.
    transport.setTtlRule(old.connection, { kind: 'gtsm', hops: 1 });
    const fresh = await arrive();
    await waitUntil('the new session', 5000, () => status().flaps === 1 && status().state === 'Established');
    assert.equal(status().lastLost?.cause.kind, 'peer restarted');
    assert.ok(fresh.words.startsWith('OPEN KEEPALIVE'), fresh.words);
  });

  it('FSM-7 takes its place at once when the old one was closed and we do not read it', async () => {
    const old = await established();
    old.connection.destroy();
    await arrive();
    await waitUntil('the new session', 900, () => status().flaps === 1 && status().state === 'Established');
  });
});
