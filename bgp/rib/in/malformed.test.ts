// Malformed UPDATEs from the wire to what an operator sees: the right NOTIFICATION, the count, and the bytes.
import assert from 'node:assert/strict';
import { peerRoutes } from '../../speaker-status.ts';
import { RibLab } from '../testing/rib-lab.ts';
import { announceMessage, message, update } from '../../testing/message-bytes.ts';

/** UPDATE with these path attributes (hex) and NLRI (hex). */
const withAttributes = (attributes: string, nlri = '180a0101'): Buffer => update({ attributes, nlri });
const ORIGIN = '40010100';
const AS_PATH = '4002060201 0000fe4d';
const NEXT_HOP = '400304c0000201';
const MP_REACH_CUT = '800e05 0002011020';

function labWithPeer(): RibLab {
  const lab = new RibLab();
  lab.up({ id: 'e1', address: '192.0.2.1', as: 65101 });
  lab.settle();
  return lab;
}
const malformed = (lab: RibLab) => peerRoutes(lab.rib, 'e1')!.malformed;

describe('rib: malformed UPDATEs', () => {
  for (const [what, bytes, action, reason] of [
    [
      'a wrong ORIGIN',
      withAttributes(`40010109 ${AS_PATH} ${NEXT_HOP}`),
      'treatAsWithdraw',
      'origin: invalid ORIGIN attribute',
    ],
    [
      'no NEXT_HOP',
      withAttributes(`${ORIGIN} ${AS_PATH}`),
      'treatAsWithdraw',
      'next_hop: missing well-known attribute',
    ],
    [
      'a short AGGREGATOR',
      withAttributes(`${ORIGIN} ${AS_PATH} ${NEXT_HOP} c007020001`),
      'attributeDiscard',
      'aggregator: attribute length error',
    ],
    [
      'multicast as IPv6 next hop',
      withAttributes(
        `${ORIGIN} ${AS_PATH} 800e1a 000201 10 ff020000000000000000000000000001 00 20 20010db8`,
        '',
      ),
      'treatAsWithdraw',
      'mp_reach: the next hop is no usable address',
    ],
  ] as const) {
    it(`${what}: ${action}, kept with its bytes`, () => {
      const lab = labWithPeer();
      lab.feed('e1', bytes);
      lab.feed('e1', bytes);
      assert.deepEqual(lab.events, Array(2).fill(`malformed e1 ${action}: ${reason}`));
      const { counts, last } = malformed(lab);
      assert.equal(counts[action], 2, 'also the block that was judged before');
      assert.equal(counts.sessionReset, 0);
      assert.equal(last[1]!.hex, bytes.toString('hex'));
      assert.equal(last[1]!.messageBytes, bytes.length);
      assert.equal(lab.session('e1').failure, undefined);
      lab.settle();
      const isUsed = lab.routes({ view: 'best' }).length > 0;
      assert.equal(isUsed, action === 'attributeDiscard');
    });
  }

  for (const [what, bytes, reason, data] of [
    ['attributes longer than the message', message(2, '0000ffff'), 'malformed attribute list', '3/1 '],
    [
      'a prefix of 33 bits',
      withAttributes(`${ORIGIN} ${AS_PATH} ${NEXT_HOP}`, '210a01010101'),
      'invalid network field',
      '3/10 ',
    ],
    [
      'MP_REACH_NLRI that ends in its next hop',
      withAttributes(`${MP_REACH_CUT} ${ORIGIN}`, ''),
      'mp_reach: optional attribute error',
      '3/9 800e050002011020',
    ],
    [
      'a wrong ORIGIN beside a withdrawal (RFC 7606 section 5.2)',
      update({ withdrawn: '180a0101', attributes: `40010109 ${AS_PATH} ${NEXT_HOP}` }),
      'origin: invalid ORIGIN attribute',
      '3/1 ',
    ],
    [
      'a wrong ORIGIN beside a withdrawal in MP_UNREACH_NLRI',
      withAttributes('800f08 000201 20 20010db8 40010109', ''),
      'origin: invalid ORIGIN attribute',
      '3/1 ',
    ],
    [
      'a wrong ORIGIN and no route to withdraw',
      withAttributes('40010109', ''),
      'origin: invalid ORIGIN attribute',
      '3/1 ',
    ],
  ] as const) {
    it(`${what}: the session ends with NOTIFICATION ${data.trim()}`, () => {
      const lab = labWithPeer();
      const session = lab.session('e1');
      lab.feed('e1', bytes);
      const { code, subcode, data: sent } = session.failure!;
      assert.equal(`${code}/${subcode} ${Buffer.from(sent!).toString('hex')}`, data);
      assert.equal(lab.events.at(-1), `malformed e1 sessionReset: ${reason}`);
      lab.settle();
      const { counts, last } = malformed(lab);
      assert.equal(counts.sessionReset, 1);
      assert.equal(last[0]!.hex, bytes.toString('hex'), 'it outlives the session');
    });
  }

  it('a withdrawal goes through without attributes, with some of them, and beside one that is only discarded', () => {
    const lab = labWithPeer();
    for (const attributes of ['', ORIGIN, `${ORIGIN} ${AS_PATH} c007020001`]) {
      lab.announce('e1', ['10.1.1.0/24'], { path: [65101], nextHop: '192.0.2.1' });
      lab.settle();
      assert.equal(lab.routes({ view: 'best' }).length, 1);
      lab.feed('e1', update({ withdrawn: '180a0101', attributes }));
      lab.settle();
      assert.equal(lab.routes({ view: 'best' }).length, 0);
    }
    assert.equal(malformed(lab).counts.sessionReset, 0);
  });

  it('the reason is that of the message, also when its block was judged long before', () => {
    const lab = labWithPeer();
    const wrong = withAttributes(`40010109 ${AS_PATH} ${NEXT_HOP}`);
    lab.feed('e1', wrong);
    lab.announce('e1', ['2001:db8:1::/48'], { path: [65101], nextHop: '2001:db8::1' });
    lab.feed('e1', wrong);
    assert.deepEqual(
      lab.events,
      Array(2).fill('malformed e1 treatAsWithdraw: origin: invalid ORIGIN attribute'),
    );
  });

  it('one in the middle of what was received is kept, and nothing of its neighbours', () => {
    const lab = labWithPeer();
    const wrong = withAttributes(`40010109 ${AS_PATH} ${NEXT_HOP}`);
    const buffer = Buffer.concat([Buffer.alloc(100, 0xaa), wrong, Buffer.alloc(50, 0xbb)]);
    lab.rib.update(lab.session('e1'), buffer, 100, 100 + wrong.length);
    const [kept] = malformed(lab).last;
    assert.deepEqual([kept!.messageBytes, kept!.hex], [wrong.length, wrong.toString('hex')]);
  });

  it('the newest five are kept, 4,096 octets of each', () => {
    const lab = labWithPeer();
    for (let n = 0; n < 7; n++) lab.feed('e1', withAttributes(`4001010${n + 3} ${AS_PATH} ${NEXT_HOP}`));
    const long = withAttributes(`40010109 ${AS_PATH} ${NEXT_HOP}`, '180a0101'.repeat(1200));
    lab.feed('e1', long);
    const { counts, last } = malformed(lab);
    assert.equal(counts.treatAsWithdraw, 8);
    assert.equal(last.length, 5);
    assert.deepEqual([last[4]!.messageBytes, last[4]!.hex.length], [long.length, 8192]);
  });

  it('good UPDATEs are never looked at', () => {
    const lab = labWithPeer();
    lab.feed('e1', announceMessage(['10.1.0.0/16'], { path: [65101], nextHop: '192.0.2.1' }));
    assert.deepEqual(malformed(lab), {
      counts: { attributeDiscard: 0, treatAsWithdraw: 0, sessionReset: 0 },
      last: [],
    });
  });
});
