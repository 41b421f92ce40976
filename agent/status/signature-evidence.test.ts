import assert from 'node:assert/strict';
import type { PeerConfig, PeerStatus } from '#bgp';
import type { SignatureDrops } from '#linux';
import { whyDown } from './advice.ts';
import { signatureEvidence } from './signature-evidence.ts';

const from = 'BGPPeer tor';
const NONE: SignatureDrops = { unsigned: 0, unexpected: 0, wrong: 0 };

describe('a wrong password', () => {
  for (const [what, hasKey, drops, expected] of [
    [
      'is proven by packets with another signature',
      true,
      { wrong: 12 },
      /^compare the passwords .* 12 packets/,
    ],
    [
      'that is missing there, by packets without one',
      true,
      { unsigned: 1 },
      /^give the neighbour .*: 1 packet w/,
    ],
    [
      'that is missing here, by packets with one',
      false,
      { unexpected: 3 },
      /^set its password in BGPPeer tor/,
    ],
    [
      'is nothing of a neighbour without one, whatever others send',
      false,
      { wrong: 9, unsigned: 9 },
      undefined,
    ],
    ['is not proven by signed packets for somebody else', true, { unexpected: 9 }, undefined],
    ['is not proven when nothing was dropped', true, {}, undefined],
  ] as const) {
    it(what, () => {
      const found = signatureEvidence({ hasKey, drops: { ...NONE, ...drops }, from });
      if (expected === undefined) assert.equal(found, undefined);
      else assert.match(found!, expected);
    });
  }

  const down = {
    id: 'tor',
    remote: 'fd20::fe',
    state: 'Active',
    sinceMs: 0,
    sinceMonotonicMs: 0,
    history: [],
  };
  const cause = { kind: 'no answer', address: 'fd20::fe', port: 179 } as const;
  const unanswered = {
    ...down,
    lastError: { atMs: 1, monotonicMs: 1, cause, text: 'no answer' },
  } as unknown as PeerStatus;
  const config = { md5Key: 'k', ttl: { kind: 'multihop', hops: 2 } } as PeerConfig;
  const next = (signatures: SignatureDrops | undefined, peer = unanswered) =>
    whyDown(peer, { config, from, ownAs: 1, signatures })!.next;

  it('comes before the firewall when it is proven, and beside it when not', () => {
    assert.match(next({ ...NONE, wrong: 2 }), /^compare the passwords.*TCPMD5Failure.*; else ping it/);
    assert.match(next(NONE), /^ping it.*another password \(MD5\) there, of which nothing has come here in/);
    assert.match(next(undefined), /^ping it.*another password \(MD5\) there, and GTSM demanded there/);
    assert.match(next(NONE), /this node sends TTL 2 without ttlSecurity/);
    const passive = { ...down, isPassive: true } as unknown as PeerStatus;
    assert.match(
      next({ ...NONE, unsigned: 2 }, passive),
      /^give the neighbour the password.*; else this side/,
    );
  });

  it('an expired hold timer names the MTU, and how to try it', () => {
    const lost = {
      atMs: 1,
      monotonicMs: 1,
      cause: { kind: 'hold timer expired' },
      reason: '',
      establishedSeconds: 1,
    };
    const expired = next(NONE, { ...down, lastLost: lost } as unknown as PeerStatus);
    assert.match(expired, /MTU .*podroute doctor tries it; by hand: ping -M do -c 3 -s 1452 fd20::fe\)/);
  });
});
