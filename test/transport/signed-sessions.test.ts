// A neighbour with a password never gets an unsigned session, whenever it dials: real sockets, and a client in another
// thread that dials without a pause. Loopback only; needs no rights.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { type PeerConfig, Speaker, type SocketOptions, TcpTransport } from '#bgp';
import { tcpSockets } from '#linux';
import { systemClock, systemRandom, waitUntil } from '#world';
import { peerConfig } from '../../bgp/testing/configs.ts';

/** Below the ports that the kernel gives away. */
const PORT = 17_179;

/** Dials without a key from 127.0.0.2, eight at a time, and says what it heard. */
const CLIENT = `
  const { connect } = require('node:net');
  const { parentPort } = require('node:worker_threads');
  let isOver = false, heard = 0, tries = 0;
  const dial = () => {
    if (isOver) return;
    tries++;
    const socket = connect({ host: '127.0.0.1', port: ${PORT}, localAddress: '127.0.0.2' });
    const timer = setTimeout(() => socket.destroy(), 50);
    socket.on('data', () => heard++);
    socket.on('error', () => {});
    socket.on('close', () => { clearTimeout(timer); setImmediate(dial); });
  };
  for (let i = 0; i < 8; i++) dial();
  parentPort.on('message', (text) => {
    if (text === 'stop') isOver = true;
    parentPort.postMessage({ heard, tries });
  });
`;

/** A kernel that takes its time with each key, as with hundreds of them. */
const slowKeys: SocketOptions = {
  ...tcpSockets,
  setMd5(fd, prefix, key) {
    const end = performance.now() + 5;
    while (performance.now() < end);
    tcpSockets.setMd5(fd, prefix, key);
  },
};

/** A speaker that listens and has these neighbours; status by id. */
async function withNeighbours(peers: readonly PeerConfig[]) {
  const listen = [{ address: '127.0.0.1', port: PORT + 2 }];
  const multipath = { ebgp: 1, ibgp: 1, relax: false };
  const transport = new TcpTransport({ socketOptions: tcpSockets });
  await using speaker = new Speaker(
    { asNumber: 65001, routerId: '10.0.0.1', multipath, listen },
    { clock: systemClock, random: systemRandom, transport },
  );
  for (const peer of peers) speaker.addPeer(peer);
  await speaker.start();
  return speaker.status().peers;
}

describe('more keys than the kernel has room for', () => {
  const neighbours = (count: number, key: (i: number) => string) =>
    Array.from({ length: count }, (_, i) =>
      peerConfig(`n${i}`, `10.${i >> 8}.${i & 255}.1`, 65002, { passive: true, md5Key: key(i) }),
    );

  it('hold down those neighbours alone, with the reason; the others are waited for', async () => {
    const file = '/proc/sys/net/core/optmem_max';
    // Not shown in every namespace; this is Linux's default, and more than it was.
    const optmem = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 131_072;
    // A key takes more than 100 octets of it.
    const peers = await withNeighbours(neighbours(Math.ceil(optmem / 100), (i) => `key ${i}`));
    const refused = peers.filter(({ heldDownBy }) => heldDownBy !== undefined);
    for (const { heldDownBy } of refused) {
      const cause = heldDownBy!.cause;
      assert.ok(cause.kind === 'key refused' && cause.problem === 'no memory', JSON.stringify(cause));
    }
    assert.ok(refused.length > 0 && refused.length < peers.length, `${refused.length} of ${peers.length}`);
    assert.ok(
      peers.every(({ state, heldDownBy }) => state === (heldDownBy === undefined ? 'Active' : 'Idle')),
    );
  });

  it('are not needed by a mesh with one password, however large', async () => {
    const peers = await withNeighbours(neighbours(3000, () => 'mesh'));
    assert.ok(peers.every(({ state }) => state === 'Active'));
  });
});

describe('a neighbour with a password that dials without it', () => {
  it('SEC-1 never gets an OPEN: in twenty starts, with changed ports, and added at run time', async () => {
    const client = new Worker(CLIENT, { eval: true });
    const ask = (text: string) =>
      new Promise<{ heard: number; tries: number }>((done) => {
        client.once('message', done);
        client.postMessage(text);
      });
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    const transport = new TcpTransport({ socketOptions: slowKeys });
    const config = (port: number) => ({
      ...{ asNumber: 65001, routerId: '10.0.0.1', multipath: { ebgp: 1, ibgp: 1, relax: false } },
      listen: [{ address: '127.0.0.1', port }],
    });
    const neighbour = peerConfig('tor', '127.0.0.2', 65002, { passive: true, md5Key: 'secret' });
    try {
      while ((await ask('how far?')).tries < 20) await pause(10);
      for (let round = 0; round < 20; round++) {
        const isLater = round % 4 === 1;
        const moves = round % 4 === 2;
        await using speaker = new Speaker(config(moves ? PORT + 1 : PORT), {
          ...{ clock: systemClock, random: systemRandom, transport },
        });
        if (!isLater) speaker.addPeer(neighbour);
        await speaker.start();
        if (moves) await speaker.reconfigure(config(PORT));
        if (isLater) {
          // It reaches the socket while nobody has a key for it, and may be half-way in when somebody has.
          await waitUntil('a stranger', 2000, () => speaker.status().strangersRefused > 0);
          speaker.addPeer(neighbour);
        }
        await pause(60);
        assert.equal(speaker.status().peers[0]!.counters.out.open, 0, `round ${round}`);
      }
      const { heard, tries } = await ask('stop');
      assert.equal(heard, 0);
      assert.ok(tries > 100, `${tries}`);
    } finally {
      await client.terminate();
    }
  });
});
