// Many sessions on one speaker while a large table goes through it to all of them: every one of them hears
// something at least as often as agreed (OPS-4).
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Socket } from 'node:net';
import { KEEPALIVE, open } from '../testing/messages.ts';
import { flood } from './testing/attack.ts';
import { assertBounded, report } from './testing/figures.ts';
import { asOf, neighbourConfig, SpeakerUnderFire } from './testing/speaker-under-fire.ts';

const SESSIONS = 150;
const TABLE = 20_000;
/** The least there is: a KEEPALIVE a second, or up to a quarter sooner; none may be late by more than a second. */
const HOLD_SECONDS = 3;
const LONGEST_SILENCE_MS = 2000;

/** A neighbour in 127.0.1.0/24 that only says KEEPALIVE and notes when it heard something. */
class Listener {
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  bytes = 0;
  longestSilenceMs = 0;
  #heardAt = performance.now();
  isClosed = false;

  constructor(port: number, host: number) {
    this.#socket = connect({ host: '127.0.0.1', port, localAddress: `127.0.1.${host}` });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => (this.isClosed = true));
    this.#socket.on('data', (bytes) => {
      this.bytes += bytes.length;
      this.#hear();
    });
    const hello = { asNumber: asOf(300 + host), holdTimeSeconds: HOLD_SECONDS, routerId: `10.0.1.${host}` };
    this.#socket.write(Buffer.concat([open(hello), KEEPALIVE]));
    this.#timer = setInterval(() => this.#socket.write(KEEPALIVE), 700);
  }

  #hear(): void {
    const now = performance.now();
    this.longestSilenceMs = Math.max(this.longestSilenceMs, now - this.#heardAt);
    this.#heardAt = now;
  }

  close(): void {
    this.#hear();
    clearInterval(this.#timer);
    this.#socket.destroy();
  }
}

describe('BGP with many sessions', function () {
  this.timeout(30_000);

  it(`${SESSIONS} sessions, a table for all of them, and a neighbour that changes routes without rest`, async () => {
    const hosts = Array.from({ length: SESSIONS }, (_, i) => i + 1);
    const fleet = hosts.map((host) =>
      neighbourConfig(host, {
        id: `m${host}`,
        remote: { kind: 'address', address: `127.0.1.${host}`, port: 179 },
        remoteAs: asOf(300 + host),
      }),
    );
    await using speaker = await SpeakerUnderFire.start([neighbourConfig(4), ...fleet]);
    const before = await speaker.figures('measure');
    const begin = performance.now();
    const listeners = hosts.map((host) => new Listener(speaker.port, host));
    const attack = await flood(speaker, 4, 'bulk');
    // A thousand in one call take 10 ms of cold code, which would be counted as a stall under attack.
    await speaker.order({ do: 'originate', count: TABLE, perSet: 5, aCall: 100 });
    while (performance.now() - begin < 3500) await sleep(50);
    const after = await speaker.figures();
    await attack.stop();
    for (const listener of listeners) listener.close();
    const silence = Math.max(...listeners.map(({ longestSilenceMs }) => longestSilenceMs));
    const mib = listeners.reduce((sum, { bytes }) => sum + bytes, 0) / 2 ** 20;
    report(
      `${SESSIONS} sessions, ${mib.toFixed(0)} MiB sent to them, silent for ${silence.toFixed(0)} ms at most`,
      before,
      after,
    );
    assert.deepEqual(
      after.peers.filter(({ state, flaps }) => state !== 'Established' || flaps > 0).map(({ id }) => id),
      [],
    );
    assert.ok(silence < LONGEST_SILENCE_MS, `${silence} ms`);
    assert.ok(mib > SESSIONS * 0.2, 'everybody got the table');
    assertBounded(before, after);
  });
});
