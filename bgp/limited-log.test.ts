// One accepted neighbour that does what is worth a line, over and over: the log stays short, and says what it left out.
import assert from 'node:assert/strict';
import { AttackedSpeaker, HOSTILE_AS } from './testing/attacked-speaker.ts';
import {
  announceMessage,
  END_OF_RIB,
  message,
  MANDATORY,
  rawNotification,
  update,
} from './testing/message-bytes.ts';

const TIMES = 3000;
/** ROUTE-REFRESH for IPv4 unicast (RFC 2918). */
const REFRESH = message(5, '0001 00 01');
const MALFORMED = update({ attributes: '4001 01 09', nlri: '18 0a0101' });
const MULTICAST = update({ attributes: MANDATORY, nlri: '18 e00101' });
const LABELLED = update({ attributes: `${MANDATORY} 800e 0d 0001 04 04 0a000002 00 18 0a0101` });

/** Attributes that fill a message of 65 kB, and so none of 4 kB. */
const TOO_LARGE = announceMessage(['10.1.0.0/16'], {
  path: [HOSTILE_AS],
  nextHop: '10.0.0.2',
  communities: Array.from({ length: 1200 }, (_, i) => i),
});

describe('speaker: the log under one neighbour', () => {
  for (const [what, flood] of [
    ['End-of-RIBs', END_OF_RIB],
    ['ROUTE-REFRESHs', REFRESH],
    ['malformed UPDATEs', MALFORMED],
    ['routes of no unicast table', MULTICAST],
    ['routes of a family that was not agreed', LABELLED],
  ] as const) {
    it(`${what} by the thousand`, async () => {
      await using bench = new AttackedSpeaker();
      await bench.start();
      bench.up('good');
      const hostile = bench.up('hostile');
      bench.lines.length = 0;
      for (let n = 0; n < TIMES; n += 100) {
        hostile.send(...Array.from({ length: 100 }, () => flood));
        bench.run(10);
      }
      assert.equal(bench.status('hostile').state, 'Established');
      assert.ok(bench.lines.length <= 10, `${bench.lines.length} lines`);
      const said = bench.lines.length;
      if (said === 0) return;
      assert.equal(bench.speaker.status().logLinesLeftOut, TIMES - said);
      bench.lines.length = 0;
      bench.run(60_000);
      hostile.send(flood);
      bench.run(10);
      assert.deepEqual(
        bench.lines.map(({ fields }) => [fields['peer'], fields['leftOut']]),
        [['hostile', TIMES - said]],
      );
    });
  }

  it('routes that fit into no message to another', async () => {
    await using bench = new AttackedSpeaker();
    await bench.start();
    bench.up('good');
    const hostile = bench.up('hostile', '0600');
    bench.lines.length = 0;
    for (let n = 0; n < 500; n++) {
      TOO_LARGE.writeUInt32BE(0x20000000 + n, TOO_LARGE.length - 7);
      hostile.send(TOO_LARGE);
      bench.run(10);
    }
    const lines = bench.lines.filter(({ text }) => text.startsWith('attributes fit into no message'));
    assert.deepEqual(
      lines.map(({ fields }) => [fields['from'], fields['prefix'], fields['peers']]),
      [['hostile', '10.1.0.0/16', ['good']]],
    );
    assert.ok(bench.speaker.status().logLinesLeftOut > 400);
  });

  it('sessions that begin and end with a NOTIFICATION, as fast as they are let', async () => {
    await using bench = new AttackedSpeaker();
    await bench.start();
    bench.up('good');
    bench.lines.length = 0;
    for (let n = 0; n < 60; n++) {
      bench.up('hostile').send(rawNotification(6, 4));
      bench.run(2000);
      bench.speaker.resetPeer('hostile', 'hard');
    }
    const seconds = 60 * 2;
    assert.ok(bench.lines.length < 2 * (30 + seconds / 2) + 10, `${bench.lines.length} lines`);
    assert.ok(bench.speaker.status().logLinesLeftOut > 50);
  });
});
