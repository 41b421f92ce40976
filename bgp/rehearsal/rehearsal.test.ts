import assert from 'node:assert/strict';
import { systemClock, systemRandom } from '#world';
import {
  ACTION_RESET,
  FRAME_OK,
  Framer,
  scanUpdate,
  SessionCodecContext,
  UpdateScan,
} from '../message/index.ts';
import { peerConfig } from '../testing/configs.ts';
import { rehearse } from './index.ts';
import { announcements, PREFIXES, SCRIPT_BYTES, withdrawals } from './made-up-routes.ts';

const IO = { clock: systemClock, random: systemRandom };

describe('the rehearsal of large tables', function () {
  this.timeout(60_000);

  it('sends what it takes in to the neighbours that get it', async () => {
    const { signal } = new AbortController();
    const octets = await rehearse({ ...IO, signal }, peerConfig('like', '192.0.2.1', 64_512));
    // Two iBGP feeders hear the eBGP one; a client and an eBGP router hear everybody: four times each.
    assert.ok(octets > 4 * 5 * PREFIXES * 5, `${octets} octets were sent`);
  });

  it('needs no more than addresses of the neighbour that it takes as an example', async () => {
    const { signal } = new AbortController();
    const like = peerConfig('like', '192.0.2.1', 64_512, {
      md5Key: 'secret',
      localAddress: '192.0.2.2',
      role: 'customer',
      require: ['role'],
      addPaths: 'both',
      shutdown: { message: 'maintenance' },
    });
    const octets = await rehearse({ ...IO, signal }, like);
    assert.ok(octets > 4 * 5 * PREFIXES * 5, `${octets} octets were sent`);
    const again = await rehearse({ ...IO, signal }, like);
    // However busy the machine is, nothing is left out.
    assert.ok(Math.abs(again - octets) < octets / 50, `${octets} octets were sent, then ${again}`);
  });

  it('ends when it is told to', async () => {
    const controller = new AbortController();
    const running = rehearse({ ...IO, signal: controller.signal }, peerConfig('like', '192.0.2.1', 64_512));
    controller.abort();
    const octets = await running;
    assert.ok(octets < 1_000_000, `${octets} octets were sent`);
  });

  for (const internal of [true, false]) {
    it(`makes up ${internal ? 'iBGP' : 'eBGP'} UPDATEs that reset no session`, () => {
      const context = new SessionCodecContext();
      context.external = !internal;
      context.fourByteAs = true;
      context.families = 3;
      const script = Buffer.alloc(SCRIPT_BYTES);
      const speech = { flavour: 5, internal, asNumber: 64_604 };
      for (const family of [0, 1] as const) {
        const announced = countPrefixes(script, announcements(script, speech, family), context);
        assert.deepEqual(announced, { announced: PREFIXES, withdrawn: 0 });
        const withdrawn = countPrefixes(script, withdrawals(script, family, 100), context);
        assert.deepEqual(withdrawn, { announced: 0, withdrawn: PREFIXES - 100 });
      }
    });
  }
});

function countPrefixes(
  bytes: Buffer,
  length: number,
  context: SessionCodecContext,
): { announced: number; withdrawn: number } {
  const sums = { announced: 0, withdrawn: 0 };
  const scan = new UpdateScan();
  const framer = new Framer({
    message(buf, start, end) {
      assert.notEqual(scanUpdate(buf, start, end, context, scan), ACTION_RESET);
      sums.announced += scan.nlriCount + scan.mpReachCount;
      sums.withdrawn += scan.withdrawnCount + scan.mpUnreachCount;
      return true;
    },
  });
  assert.equal(framer.feed(bytes, 0, length), FRAME_OK);
  assert.equal(framer.pendingLength, 0);
  return sums;
}
