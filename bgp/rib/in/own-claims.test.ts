// Prefixes of ours that a neighbour announces: listed while it does, and never more than 256.
import assert from 'node:assert/strict';
import type { Policy } from '../../policy/policy.ts';
import { peerRoutes } from '../../speaker-status.ts';
import { update, withdrawMessage } from '../../testing/message-bytes.ts';
import type { FakePeerOptions } from '../testing/fake-session.ts';
import { RibLab } from '../testing/rib-lab.ts';

const OURS: Policy = {
  name: 'own',
  terms: [
    {
      match: {
        prefixes: [
          { prefix: '10.0.0.0/8', operator: 'in' },
          { prefix: 'fd00::/16', operator: 'in' },
        ],
      },
      action: { verdict: 'reject', isOwn: true },
      why: 'ours',
    },
  ],
  otherwise: 'accept',
};
const HOPS = { a: '192.0.2.1', b: '192.0.2.2' } as const;
type Id = keyof typeof HOPS;
const peer = (id: Id): FakePeerOptions => ({ id, address: HOPS[id], as: 65001, config: { import: OURS } });
const FOUR = ['10.1.0.0/24', '10.2.0.0/24'];
const SIX = ['fd00:1::/48', 'fd00:2::/48'];
const block = (n: number, more = 0): string => `10.${64 + more + (n >> 8)}.${n & 255}.0/24`;

function labWith(...ids: Id[]): RibLab {
  const lab = new RibLab();
  for (const id of ids) lab.up(peer(id));
  return lab;
}

const claims = (lab: RibLab, id: Id = 'a'): readonly string[] => peerRoutes(lab.rib, id)!.ownClaims;
const claim = (lab: RibLab, prefixes: readonly string[], id: Id = 'a'): void => {
  const nextHop = prefixes[0]!.includes(':') ? 'fd01::9' : HOPS[id];
  for (let i = 0; i < prefixes.length; i += 100)
    lab.announce(id, prefixes.slice(i, i + 100), { path: [65001], nextHop });
};

describe('own claims', () => {
  it('are listed by family, each while it is announced and by whom', () => {
    const lab = labWith('a', 'b');
    claim(lab, FOUR);
    claim(lab, SIX);
    claim(lab, [FOUR[0]!], 'b');
    lab.settle();
    assert.deepEqual(claims(lab), [...FOUR, ...SIX]);
    assert.deepEqual(claims(lab, 'b'), [FOUR[0]]);
    lab.feed('a', withdrawMessage([FOUR[0]!]));
    lab.settle();
    assert.deepEqual(claims(lab), [FOUR[1], ...SIX]);
    lab.feed('a', withdrawMessage([SIX[1]!]));
    lab.settle();
    assert.deepEqual(claims(lab), [FOUR[1], SIX[0]]);
    assert.deepEqual(claims(lab, 'b'), [FOUR[0]]);
  });

  it('are not those that a refresh has not sent again, and not those of another in their place', () => {
    const lab = labWith('a', 'b');
    claim(lab, FOUR);
    lab.feed('a', update({}));
    lab.rib.refreshBegins(lab.session('a'), 0);
    assert.deepEqual(claims(lab), [], 'nothing has come yet');
    claim(lab, [FOUR[1]!]);
    assert.deepEqual(claims(lab), [FOUR[1]]);
    lab.rib.refreshEnds(lab.session('a'), 0);
    lab.settle();
    assert.deepEqual(claims(lab), [FOUR[1]]);
    claim(lab, [FOUR[0]!, block(0), block(1)], 'b');
    assert.deepEqual(claims(lab), [FOUR[1]]);
  });

  it('that went unnoticed are not found again in the paths that took their places', () => {
    const lab = labWith('a', 'b');
    claim(lab, FOUR);
    // Both neighbours' paths are of the same epoch then.
    for (const id of ['a', 'b'] as const) {
      lab.feed(id, update({}));
      lab.rib.refreshBegins(lab.session(id), 0);
      lab.rib.refreshEnds(lab.session(id), 0);
      lab.settle();
    }
    claim(lab, [block(0), block(1)], 'b');
    assert.deepEqual(claims(lab), []);
    assert.deepEqual(claims(lab, 'b'), [block(0), block(1)]);
  });

  it('that went unnoticed leave room for as many others once somebody has looked', () => {
    const lab = labWith('a', 'b');
    const many = (more: number) => Array.from({ length: 256 }, (_, n) => block(n, more));
    claim(lab, many(0));
    lab.feed('a', update({}));
    lab.rib.refreshBegins(lab.session('a'), 0);
    lab.rib.refreshEnds(lab.session('a'), 0);
    lab.settle();
    assert.deepEqual(claims(lab), []);
    claim(lab, many(1), 'b');
    claim(lab, many(2));
    assert.deepEqual(claims(lab), many(2));
  });

  it('are none any more when they are accepted, or refused for another reason', () => {
    const lab = labWith('a');
    claim(lab, FOUR);
    lab.announce('a', [FOUR[0]!], { path: [65001, 65000], nextHop: HOPS.a });
    assert.deepEqual(claims(lab), [FOUR[1]]);
    lab.announce('a', [FOUR[1]!], { path: [65001], nextHop: '10.0.0.1' });
    assert.deepEqual(claims(lab), [], 'the next hop is this node');
  });

  it('are 256 at most, of each neighbour, and a session begins with none', () => {
    const lab = labWith('a', 'b');
    const many = (more: number) => Array.from({ length: 300 }, (_, n) => block(n, more));
    claim(lab, many(0));
    claim(lab, many(0), 'b');
    assert.deepEqual(claims(lab), many(0).slice(0, 256));
    lab.down('a');
    lab.settle();
    // Others take the places of its paths.
    claim(lab, many(2), 'b');
    lab.up(peer('a'));
    claim(lab, many(4));
    assert.deepEqual(claims(lab), many(4).slice(0, 256));
    // One that goes makes room for one that comes.
    lab.feed('a', withdrawMessage([block(7, 4)]));
    claim(lab, [block(299, 6)]);
    assert.ok(claims(lab).includes(block(299, 6)));
  });
});
