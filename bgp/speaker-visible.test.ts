// What an operator sees of a neighbour that does everything wrong: status, and one line in the log for each step.
import assert from 'node:assert/strict';
import { peerConfig } from './testing/configs.ts';
import {
  END_OF_RIB,
  fourByteAs,
  KEEPALIVE,
  MP_BOTH,
  message,
  rawNotification,
  rawOpen,
} from './testing/message-bytes.ts';
import type { ScriptPeer } from './testing/script-peer.ts';
import { TestedSpeaker } from './testing/tested-speaker.ts';

class Bench extends TestedSpeaker {
  async start(): Promise<void> {
    await this.speaker.start();
    this.speaker.addPeer(peerConfig('tor', '10.0.0.2', 65002, { passive: true }));
  }

  connect(): ScriptPeer {
    return this.dialFrom('10.0.0.2');
  }

  up(): ScriptPeer {
    const peer = this.connect();
    const capabilities = `${MP_BOTH} 0200 ${fourByteAs(65002)}`;
    peer.send(rawOpen({ as: 65002, id: '10.0.0.2', hold: 30, capabilities }), KEEPALIVE, END_OF_RIB);
    this.clock.advance(10);
    assert.equal(this.status.state, 'Established');
    return peer;
  }

  get status() {
    return this.speaker.status().peers[0]!;
  }

  get transitions(): string[] {
    return this.lines
      .filter(({ fields }) => fields['from'] !== undefined)
      .map(({ level, fields: { peer, from, to, reason } }) =>
        [`${level} ${String(peer)}: ${String(from)} -> ${String(to)}`, String(reason)].join(': '),
      );
  }
}

describe('speaker: what happened is visible', () => {
  it('what each side offered, what both use, and the time that is left', async () => {
    await using bench = new Bench();
    await bench.start();
    bench.up();
    bench.clock.advance(4000);
    const { capabilities, offeredHoldSeconds, timers, negotiated } = bench.status;
    assert.deepEqual(capabilities.remote, [
      'multiprotocol ipv4 unicast',
      'multiprotocol ipv6 unicast',
      'route refresh',
      'four-octet AS 65002',
    ]);
    assert.ok(capabilities.local.includes('extended messages'));
    assert.ok(!capabilities.agreed.includes('extended messages'));
    assert.deepEqual(offeredHoldSeconds, { local: 90, remote: 30 });
    assert.equal(negotiated?.holdTimeSeconds, 30);
    assert.ok(timers.holdMs! > 25_000 && timers.holdMs! <= 26_100, `hold ${timers.holdMs}`);
  });

  it('the last NOTIFICATION of each direction, apart, in words, with the text and data', async () => {
    await using bench = new Bench();
    await bench.start();
    const text = 'rack 7 is rewired';
    bench.up().send(rawNotification(6, 2, Buffer.from([text.length, ...Buffer.from(text)])));
    bench.clock.advance(7000);
    bench.up();
    bench.clock.advance(31_000);
    const {
      lastNotificationIn: received,
      lastNotificationOut: sent,
      notifications,
      lastLost,
      flaps,
    } = bench.status;
    assert.deepEqual(
      [received?.code, received?.subcode, received?.message, received?.dataBytes],
      [6, 2, text, 18],
    );
    assert.equal(received?.text, `cease: administrative shutdown: "${text}"`);
    assert.deepEqual([sent?.code, sent?.subcode, sent?.text], [4, 0, 'hold timer expired']);
    assert.ok(sent!.atMs > received!.atMs);
    assert.deepEqual(notifications, { in: { 6: 1 }, out: { 4: 1 } });
    assert.equal(flaps, 2);
    assert.match(lastLost!.reason, /^hold timer expired/);
    assert.equal(lastLost!.establishedSeconds, 30);
  });

  it('every transition has one line in the log, with its reason in a field of its own', async () => {
    await using bench = new Bench();
    await bench.start();
    bench.up().send(rawNotification(6, 4));
    bench.clock.advance(100);
    assert.deepEqual(bench.transitions, [
      'info tor: Idle -> Active: started',
      'info tor: Active -> OpenSent: TCP connection is up',
      'info tor: OpenSent -> OpenConfirm: OPEN received',
      'info tor: OpenConfirm -> Established: KEEPALIVE received',
      'info tor: Established -> Idle: NOTIFICATION received: cease: administrative reset',
    ]);
    const { history } = bench.status;
    assert.deepEqual(
      history.map((h) => `info tor: ${h.from} -> ${h.to}: ${h.reason}`),
      bench.transitions,
    );
  });

  it('malformed UPDATEs: counted and kept, logged once a minute, and a reset says what was wrong', async () => {
    await using bench = new Bench();
    await bench.start();
    const peer = bench.up();
    const wrongOrigin = message(
      2,
      Buffer.from('0000001440010109400206020100 00fdea 4003040a000002 180a0101'.replaceAll(' ', ''), 'hex'),
    );
    for (let n = 0; n < 3; n++) peer.send(wrongOrigin);
    bench.clock.advance(10);
    const warnings = () => bench.lines.filter((line) => line.fields['action'] !== undefined);
    assert.deepEqual(
      warnings().map(({ level, fields: { peer: id, action, reason } }) => [level, id, action, reason]),
      [['warn', 'tor', 'treatAsWithdraw', 'origin: invalid ORIGIN attribute']],
    );
    const { malformed } = bench.status.routes!;
    assert.equal(malformed.counts.treatAsWithdraw, 3);
    assert.equal(malformed.last[2]!.hex, wrongOrigin.toString('hex'));
    peer.send(message(2, Buffer.from('0000ffff', 'hex')));
    bench.clock.advance(10);
    assert.equal(peer.notification, '3/1');
    assert.match(
      bench.transitions.at(-1)!,
      /Established -> Idle: malformed UPDATE: malformed attribute list$/,
    );
    const after = bench.status;
    assert.equal(after.routes!.malformed.counts.sessionReset, 1);
    assert.equal(after.lastNotificationOut?.reason, 'malformed UPDATE: malformed attribute list');
  });

  it('a neighbour that is away for long does not push out how it went away', async () => {
    await using bench = new Bench();
    await bench.speaker.start();
    bench.speaker.addPeer(peerConfig('tor', '10.0.0.2', 65002, { connectRetrySeconds: 1 }));
    bench.up().send(rawNotification(6, 3));
    bench.clock.advance(600_000);
    const { history, lastLost } = bench.status;
    assert.equal(history.length, 32);
    assert.ok(history.some((h) => h.to === 'Established'));
    assert.ok(history.some((h) => h.reason === 'NOTIFICATION received: cease: peer de-configured'));
    assert.equal(lastLost?.reason, 'NOTIFICATION received: cease: peer de-configured');
  });
});
