// Two million damaged messages through framer and decoders. Deterministic: PODROUTE_SEED can be set to replay a failure, which
// names the seed of its round and the message.

import assert from 'node:assert/strict';
import { SeededRandom } from '#world';
import { MAX_EXTENDED_MESSAGE_LENGTH } from './constants.ts';
import { FRAME_OK, Framer, type FrameSink } from './frame.ts';
import { examine, lastAction, SESSIONS } from './testing/examine.ts';
import { assemble, damage } from './testing/damage.ts';
import { OPENS, OTHERS, UPDATES } from './testing/vectors.ts';
import { hexOf } from '../testing/message-bytes.ts';

const SEED = Number(process.env['PODROUTE_SEED'] ?? 20261121);
const MESSAGES = 2_000_000;
/** One message in so many gets the slow checks too. */
const DEEP_EVERY = 16;

/** Keeps what the first failure needs to be told; asserting per message would cost more than decoding. */
class Judge implements FrameSink {
  failure = '';
  seen = 0;
  readonly actions = [0, 0, 0, 0];
  session = 0;
  message(buf: Uint8Array, start: number, end: number, type: number): boolean {
    this.seen++;
    const ctx = SESSIONS[this.session]!;
    const problem = examine(buf, start, end, type, ctx, this.seen % DEEP_EVERY === 0);
    if (type === 2) this.actions[lastAction]!++;
    if (problem !== '') this.failure = `${problem}: session ${this.session}: ${hexOf(buf, start, end)}`;
    return problem === '';
  }
}

describe('fuzz', function () {
  this.timeout(60_000);

  it(`survives ${MESSAGES.toLocaleString('en')} damaged messages: nothing thrown, nothing outside, nothing kept`, () => {
    const pool = [...UPDATES, ...UPDATES, ...UPDATES, ...OPENS, ...OTHERS];
    const chunk = new Uint8Array(4096);
    const judge = new Judge();
    let round = 0;
    let fed = 0;
    const before = process.memoryUsage();
    while (fed < MESSAGES) {
      const seed = (SEED + Math.imul(round, 0x9e3779b1)) | 0;
      const random = new SeededRandom(seed);
      judge.session = round % SESSIONS.length;
      try {
        for (let i = 0; i < 2000; i++) {
          // each message a connection of its own, so that no header error hides the rest
          const framer = new Framer(judge);
          framer.maxLength = MAX_EXTENDED_MESSAGE_LENGTH;
          const end =
            i % 2 === 0
              ? damage(random, pool[random.below(pool.length)]!, chunk, 7)
              : assemble(random, chunk, 7);
          framer.feed(chunk, 7, end);
          fed++;
        }
      } catch (error) {
        assert.fail(`PODROUTE_SEED=${seed} round ${round}: thrown: ${(error as Error).stack}`);
      }
      assert.equal(judge.failure, '', `PODROUTE_SEED=${seed} round ${round}`);
      round++;
    }
    if (process.env['PODROUTE_SEED'] !== undefined) console.log(judge.seen, judge.actions);
    const after = process.memoryUsage();
    assert.ok(judge.seen > MESSAGES * 0.75, `only ${judge.seen} messages passed the framer`);
    for (const [action, count] of judge.actions.entries()) {
      assert.ok(count > MESSAGES / 100, `action ${action} came up only ${count} times`);
    }
    const grown = after.arrayBuffers - before.arrayBuffers;
    assert.ok(grown < 8_000_000, `buffers grew by ${grown} octets`);
  });

  it('survives 20,000 streams of damaged messages cut anywhere, and stops each at its first bad header', () => {
    const pool = [...UPDATES, ...OPENS, ...OTHERS];
    const random = new SeededRandom(SEED);
    const chunk = new Uint8Array(8192);
    for (let stream = 0; stream < 20_000; stream++) {
      let end = 0;
      for (let i = 0; i < 5; i++) end = damage(random, pool[random.below(pool.length)]!, chunk, end);
      const whole = new Judge();
      const inOne = new Framer(whole);
      const result = inOne.feed(chunk, 0, end);
      const pieces = new Judge();
      const framer = new Framer(pieces);
      let last = FRAME_OK;
      for (let at = 0; at < end && last === FRAME_OK; ) {
        const next = Math.min(end, at + 1 + random.below(60));
        last = framer.feed(chunk, at, next);
        at = next;
      }
      const sameEnd =
        last === result && pieces.seen === whole.seen && framer.pendingLength === inOne.pendingLength;
      if (!sameEnd || whole.failure !== '' || pieces.failure !== '') {
        assert.fail(
          `PODROUTE_SEED=${SEED} stream ${stream}: ${whole.failure || pieces.failure || `${result} ${last}`}: ${hexOf(chunk, 0, end)}`,
        );
      }
    }
  });
});
