// Connections that hang: nothing said, a message begun and never ended, a byte now and then, a neighbour that is
// gone without a word. A deadline ends each of them. The speaker's clock runs 240 times as fast.
import { waitUntil } from '#world';
import assert from 'node:assert/strict';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { MessageType } from '../testing/messages.ts';
import { RawPeer } from '../testing/raw-peer.ts';
import { asOf, neighbourConfig, SpeakerUnderFire } from './testing/speaker-under-fire.ts';

const SPEED = 240;
const PARTIAL_HEADER = Buffer.alloc(10, 0xff);

/** Seconds of the speaker's time until the connection ends, and its NOTIFICATION as 'code/subcode'. */
async function endOf(peer: RawPeer, timeoutMs = 4000): Promise<[seconds: number, notification: string]> {
  const begin = performance.now();
  await waitUntil('the end of the connection', timeoutMs, () => peer.isClosed);
  const last = peer.received.find(({ type }) => type === MessageType.notification);
  return [
    ((performance.now() - begin) * SPEED) / 1000,
    last === undefined ? 'none' : `${last.body[0]}/${last.body[1]}`,
  ];
}

describe('BGP connections that hang', function () {
  this.timeout(20_000);
  let speaker: SpeakerUnderFire;
  let alive: RawPeer;

  beforeEach(async () => {
    speaker = await SpeakerUnderFire.start(
      [2, 3].map((host) => neighbourConfig(host)),
      {
        clockSpeed: SPEED,
      },
    );
    alive = await speaker.neighbour(2);
    alive.keepAlive(40);
  });
  afterEach(async () => {
    assert.equal((await speaker.status('n2'))?.state, 'Established', 'the other session is untouched');
    assert.equal((await speaker.status('n2'))?.flaps, 0);
    alive.close();
    await speaker[Symbol.asyncDispose]();
  });

  it('no OPEN: 4/0 after 4 minutes', async () => {
    const [seconds, notification] = await endOf(await speaker.connect(3));
    assert.equal(notification, '4/0');
    assert.ok(seconds > 230 && seconds < 400, `${seconds} s`);
  });

  it('half a header in Established: the hold timer ends it', async () => {
    const peer = await speaker.neighbour(3);
    peer.send(PARTIAL_HEADER);
    const [seconds, notification] = await endOf(peer);
    assert.equal(notification, '4/0');
    assert.ok(seconds > 80 && seconds < 250, `${seconds} s`);
  });

  it('one byte now and then keeps nothing alive', async () => {
    const peer = await speaker.neighbour(3);
    const drip = Buffer.concat([PARTIAL_HEADER, Buffer.alloc(6, 0xff), Buffer.from([16, 0, 2])]);
    let at = 0;
    const timer = setInterval(() => peer.send(drip.subarray(at, ++at)), 30);
    const [seconds, notification] = await endOf(peer);
    clearInterval(timer);
    assert.equal(notification, '4/0');
    assert.ok(seconds > 80 && seconds < 250, `${seconds} s`);
  });

  it('one that we dialled and that never speaks: 4/0, and it is tried again', async () => {
    const accepted: RawPeer[] = [];
    const server = createServer((socket: Socket) => accepted.push(new RawPeer(socket, Buffer.alloc(0))));
    await new Promise<void>((done) => server.listen(0, '127.0.0.9', done));
    const { port } = server.address() as AddressInfo;
    await speaker.order({
      do: 'addPeer',
      peers: [
        neighbourConfig(9, {
          passive: false,
          remote: { kind: 'address', address: '127.0.0.9', port },
          remoteAs: asOf(9),
        }),
      ],
    });
    await waitUntil('a connection', 2000, () => accepted.length === 1);
    assert.equal((await endOf(accepted[0]!))[1], '4/0');
    await waitUntil('another try', 2000, () => accepted.length === 2);
    for (const peer of accepted) peer.close();
    server.close();
  });
});
