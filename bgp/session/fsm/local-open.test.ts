// The OPEN that we send: its capabilities as they stand on the wire.
import assert from 'node:assert/strict';
import { encodeOpen } from '../../message/index.ts';
import { peerConfig, speakerConfig } from '../../testing/configs.ts';
import { bytes, fourByteAs, MP_BOTH } from '../../testing/message-bytes.ts';
import { localOpen, NOT_RESTARTING } from './local-open.ts';

const SPEAKER = speakerConfig(65001, '10.0.0.1');
const RESTARTING = { isRestarting: true, forwardingKept: ['ipv4'] } as const;
const FULL = { mode: 'full', restartSeconds: 120, longLivedSeconds: 3600 } as const;
const [REFRESH, LONG, AS, ENHANCED] = ['0200', '0600', fourByteAs(65001), '4600'];
const AS_AND_ENHANCED = `${AS} ${ENHANCED}`;
/** Helper: N bit, 120 s, no family. */
const HELPS = '4002 4078';
/** R and N bits, 120 s, IPv4 with the F bit, IPv6 without. */
const HAS_RESTARTED = '400a c078 00010180 00020100';
const HAS_NOT = '400a 4078 00010100 00020100';

describe('the OPEN that we send', () => {
  for (const [what, config, restart, capabilities] of [
    ['families, refresh, long messages, AS', {}, NOT_RESTARTING, [MP_BOTH, REFRESH, LONG, AS_AND_ENHANCED]],
    ['one family', { families: ['ipv6'] }, NOT_RESTARTING, ['0104 00020001', REFRESH, LONG, AS_AND_ENHANCED]],
    [
      'the local AS instead of the speaker’s',
      { localAs: 4_200_000_001 },
      NOT_RESTARTING,
      [MP_BOTH, REFRESH, LONG, fourByteAs(4_200_000_001), ENHANCED],
    ],
    [
      'IPv6 next hops of IPv4 routes (RFC 8950)',
      { extendedNextHop: true },
      NOT_RESTARTING,
      [MP_BOTH, REFRESH, '0506 000100010002', LONG, AS_AND_ENHANCED],
    ],
    [
      'no such next hops without IPv4 routes',
      { extendedNextHop: true, families: ['ipv6'] },
      NOT_RESTARTING,
      ['0104 00020001', REFRESH, LONG, AS_AND_ENHANCED],
    ],
    [
      'the role (RFC 9234)',
      { role: 'rs-client' },
      NOT_RESTARTING,
      [MP_BOTH, REFRESH, LONG, '0901 02', AS_AND_ENHANCED],
    ],
    [
      'ADD-PATH of each family: receive',
      { addPaths: 'receive' },
      NOT_RESTARTING,
      [MP_BOTH, REFRESH, LONG, AS, '4508 00010101 00020101', ENHANCED],
    ],
    [
      'ADD-PATH of each family: send',
      { addPaths: 'send' },
      NOT_RESTARTING,
      [MP_BOTH, REFRESH, LONG, AS, '4508 00010102 00020102', ENHANCED],
    ],
    [
      'ADD-PATH of one family: both',
      { addPaths: 'both', families: ['ipv4'] },
      NOT_RESTARTING,
      ['0104 00010001', REFRESH, LONG, AS, '4504 00010103', ENHANCED],
    ],
    [
      'how many paths of a prefix are wanted (Paths-Limit)',
      { addPaths: 'both', addPathLimit: 3 },
      NOT_RESTARTING,
      [MP_BOTH, REFRESH, LONG, AS, '4508 00010103 00020103', ENHANCED, '4c0a 0001010003 0002010003'],
    ],
    [
      'no such number to who only gets paths',
      { addPaths: 'send', addPathLimit: 3 },
      NOT_RESTARTING,
      [MP_BOTH, REFRESH, LONG, AS, '4508 00010102 00020102', ENHANCED],
    ],
    [
      'CAP-11 that we have restarted, and what goes on forwarding',
      { gracefulRestart: FULL },
      RESTARTING,
      [MP_BOTH, REFRESH, LONG, HAS_RESTARTED, AS_AND_ENHANCED, '470e 00010180000e10 00020100000e10'],
    ],
    [
      'CAP-11 that we have not',
      { gracefulRestart: FULL },
      NOT_RESTARTING,
      [MP_BOTH, REFRESH, LONG, HAS_NOT, AS_AND_ENHANCED, '470e 00010100000e10 00020100000e10'],
    ],
    [
      'one second of long-lived routes',
      { gracefulRestart: { ...FULL, longLivedSeconds: 1 } },
      NOT_RESTARTING,
      [MP_BOTH, REFRESH, LONG, HAS_NOT, AS_AND_ENHANCED, '470e 00010100000001 00020100000001'],
    ],
    [
      'none (RFC 9494)',
      { gracefulRestart: { ...FULL, longLivedSeconds: 0 } },
      NOT_RESTARTING,
      [MP_BOTH, REFRESH, LONG, HAS_NOT, AS_AND_ENHANCED],
    ],
    [
      'that we only help others: no family, no restart, nothing long-lived (RFC 4724 §3)',
      { gracefulRestart: { ...FULL, mode: 'helper' } },
      RESTARTING,
      [MP_BOTH, REFRESH, LONG, HELPS, AS_AND_ENHANCED],
    ],
    [
      'nothing of restarts when they are off',
      { gracefulRestart: { ...FULL, mode: 'disabled' } },
      RESTARTING,
      [MP_BOTH, REFRESH, LONG, AS_AND_ENHANCED],
    ],
  ] as const) {
    it(`says: ${what}`, () => {
      const open = localOpen(SPEAKER, peerConfig('tor', '10.0.0.2', 65002, config), restart, true);
      const sent = Buffer.from(encodeOpen(open)).subarray(31).toString('hex');
      assert.equal(sent, Buffer.from(bytes(capabilities.join(' '))).toString('hex'));
    });
  }

  it('CAP-10 says nothing of what we can when it shall not', () => {
    const peer = peerConfig('tor', '10.0.0.2', 65002, { holdTimeSeconds: 180, gracefulRestart: FULL });
    const open = Buffer.from(encodeOpen(localOpen(SPEAKER, peer, RESTARTING, false)));
    assert.equal(open.subarray(19).toString('hex'), '04fde900b40a00000100');
  });
});
