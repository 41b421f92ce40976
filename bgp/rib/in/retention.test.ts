// Paths of a neighbour that is away or just back: RFC 4724 section 4.2, and what an operator does meanwhile. Refreshes
// have a file of their own, and so have those that do not come back in time.
import assert from 'node:assert/strict';
import { withdrawMessage } from '../../testing/message-bytes.ts';
import { peerRoutes } from '../../speaker-status.ts';
import { fakeConfig } from '../testing/fake-session.ts';
import { RibLab } from '../testing/rib-lab.ts';
import {
  A,
  B,
  C,
  END_OF_RIB,
  giver,
  heldBy,
  kept,
  lab,
  leaves,
  OTHER,
  OWN,
  returns,
  route,
  SIX,
  SIX_ROUTE,
  TAKER,
  wait,
} from '../testing/restart-lab.ts';

describe('a neighbour that restarts gracefully (RFC 4724 section 4.2)', () => {
  it('keeps its routes while it is away, and nobody hears of it', () => {
    const one = lab();
    const { messages } = one.session('taker');
    leaves(one);
    wait(one, 119);
    returns(one);
    one.announce('giver', [A, B, C], route());
    one.announce('giver', [SIX], SIX_ROUTE);
    one.feed('giver', END_OF_RIB);
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [A, B, C, SIX]);
    assert.equal(one.session('taker').messages, messages);
    assert.equal(peerRoutes(one.rib, 'giver')!.families[0]!.received, 3);
  });

  it('loses them when it is not back in the time that it asked for', () => {
    const one = lab();
    leaves(one, kept(30));
    wait(one, 29);
    assert.deepEqual(peerRoutes(one.rib, 'giver')!.kept, [
      { family: 'ipv4', state: 'away', routes: 3, secondsLeft: 1 },
      { family: 'ipv6', state: 'away', routes: 1, secondsLeft: 1 },
    ]);
    assert.deepEqual(heldBy(one, 'taker'), [A, B, C, SIX]);
    assert.match(one.routes({ prefix: A })[0]!.why, /stale/);
    wait(one, 2);
    assert.deepEqual(heldBy(one, 'taker'), []);
    assert.deepEqual(peerRoutes(one.rib, 'giver')!.kept, []);
    assert.equal(one.pages.sizes().paths, 0);
  });

  it('loses with its End-of-RIB what it did not send again, family by family', () => {
    const one = lab();
    leaves(one);
    returns(one);
    one.announce('giver', [A], route());
    one.announce('giver', [B], route({ path: [65001, 65009] }));
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [A, B, C, SIX], 'stale until then');
    one.feed('giver', END_OF_RIB);
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [A, B, SIX], 'of IPv6 it has said nothing yet');
    assert.match(one.session('taker').held.get(B)!, /65009/);
    wait(one, 361);
    assert.deepEqual(heldBy(one, 'taker'), [A, B], 'whose End-of-RIB never comes');
  });

  it('may withdraw what is stale', () => {
    const one = lab();
    leaves(one);
    returns(one);
    one.feed('giver', withdrawMessage([A]));
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [B, C, SIX]);
    assert.equal(peerRoutes(one.rib, 'giver')!.families[0]!.received, 2);
  });

  it('that could not go on forwarding, or does not say so any more, loses them at once', () => {
    for (const [what, restart, left] of [
      [
        'F bit of IPv4 clear',
        {
          families: [
            { family: 'ipv4', isForwardingKept: false },
            { family: 'ipv6', isForwardingKept: true },
          ],
        },
        [SIX],
      ],
      ['IPv6 not named', { families: [{ family: 'ipv4', isForwardingKept: true }] }, [A, B, C]],
      ['no family', { families: [] }, []],
    ] as const) {
      const one = lab();
      leaves(one);
      returns(one, giver({}, restart));
      assert.deepEqual(heldBy(one, 'taker'), left, what);
    }
    const one = lab();
    leaves(one);
    returns(one, { id: 'giver', ...OWN });
    assert.deepEqual(heldBy(one, 'taker'), [], 'without the capability');
  });

  it('that has another identifier is another neighbour: what was kept goes, and nothing of the new is lost', () => {
    const one = lab();
    leaves(one);
    const gracefulRestart = giver().negotiated!.gracefulRestart!;
    returns(one, giver({ negotiated: { gracefulRestart, remoteRouterId: '10.9.9.9' } }));
    assert.deepEqual(heldBy(one, 'taker'), []);
    one.announce('giver', [A], route());
    one.feed('giver', END_OF_RIB);
    wait(one, 400);
    assert.deepEqual(heldBy(one, 'taker'), [A]);
  });

  it('that restarts again before its End-of-RIB loses what is left of the time before, and keeps what it sent since', () => {
    const one = lab();
    leaves(one);
    returns(one);
    one.announce('giver', [A], route());
    one.settle();
    leaves(one);
    assert.deepEqual(heldBy(one, 'taker'), [A]);
    returns(one);
    one.announce('giver', [A], route());
    one.feed('giver', END_OF_RIB);
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [A]);
  });

  it('in the middle of a refresh keeps what it has sent again and what it has not', () => {
    const one = lab();
    one.rib.refreshBegins(one.session('giver'), 0);
    one.announce('giver', [A], route());
    leaves(one);
    assert.deepEqual(heldBy(one, 'taker'), [A, B, C, SIX]);
    returns(one);
    assert.deepEqual(heldBy(one, 'taker'), [A, B, C, SIX]);
    one.rib.refreshEnds(one.session('giver'), 0);
    one.announce('giver', [B], route());
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [A, B, C, SIX], 'an EoRR of a refresh that was never begun here');
    one.feed('giver', END_OF_RIB);
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [B, SIX]);
  });

  it('does not lose what another one has better meanwhile, and gives way to it', () => {
    const one = lab();
    leaves(one);
    one.announce('other', [A], { path: [65003], nextHop: '10.0.1.3', origin: 0 });
    one.announce('other', ['20.0.9.0/24'], { path: [65003], nextHop: '10.0.1.3' });
    one.settle();
    assert.match(one.session('taker').held.get(A)!, /65001/, 'stale routes count as any other');
    wait(one, 121);
    assert.match(one.session('taker').held.get(A)!, /65003/);
  });

  it('twenty times in a row, and three times in between not, leaves nothing behind', () => {
    const one = lab(giver(), 8);
    for (let i = 0; i < 20; i++) {
      one.down('giver', i % 7 === 6 ? undefined : kept());
      one.turn();
      one.up(giver());
      one.announce('giver', [A, B], route({ med: i % 3 }));
      if (i % 2 === 0) one.feed('giver', END_OF_RIB);
      one.turn();
    }
    one.feed('giver', END_OF_RIB);
    one.settle();
    assert.deepEqual(
      heldBy(one, 'taker').filter((prefix) => prefix !== SIX),
      [A, B],
    );
    one.down('giver');
    one.settle();
    const { paths } = one.pages.sizes();
    assert.equal(paths, 0);
  });
});

describe('while a neighbour is away', () => {
  it('an import policy that changes holds for what is kept of it', () => {
    const one = lab();
    leaves(one);
    const reject = {
      name: 'none of A',
      terms: [
        {
          match: { prefixes: [{ prefix: A, operator: 'equal' as const }] },
          action: { verdict: 'reject' as const },
          why: 'rule 1',
        },
      ],
      otherwise: 'accept' as const,
    };
    one.rib.neighbours.configure(fakeConfig(giver({ config: { import: reject } })));
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [B, C, SIX]);
  });

  it('its removal, and an order to start anew, take what is kept', () => {
    for (const act of ['remove', 'dropKept'] as const) {
      const one = lab();
      leaves(one);
      one.rib.neighbours[act]('giver');
      one.settle();
      assert.deepEqual(heldBy(one, 'taker'), [], act);
    }
  });

  it('graceful restart that is switched off takes what is kept', () => {
    const one = lab();
    leaves(one);
    const gracefulRestart = { mode: 'disabled', restartSeconds: 120, longLivedSeconds: 0 } as const;
    one.rib.neighbours.configure(fakeConfig(giver({ config: { gracefulRestart } })));
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), []);
  });

  it('one of a range, whose name nobody keeps, keeps its routes all the same', () => {
    const one = lab();
    leaves(one);
    one.rib.neighbours.forget('giver');
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [A, B, C, SIX]);
    wait(one, 121);
    assert.deepEqual(heldBy(one, 'taker'), []);
    assert.equal(one.rib.peer('giver'), undefined);
  });

  it('our address on its session is no next hop for others, and its own is its own', () => {
    const one = new RibLab();
    one.up(
      giver({
        negotiated: { localAddress: '10.7.7.7', gracefulRestart: giver().negotiated!.gracefulRestart! },
      }),
    );
    for (const peer of [TAKER, OTHER]) one.up(peer);
    one.announce('other', [A], { path: [65003], nextHop: '10.7.7.7' });
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), []);
    one.down('giver', kept());
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), []);
    wait(one, 121);
    assert.deepEqual(heldBy(one, 'taker'), [A], 'the session and its address are gone');
  });

  it('the same where only IPv6 is kept, and after a second restart before its End-of-RIB', () => {
    const families = [{ family: 'ipv6', longLivedSeconds: 0 }] as const;
    for (const [what, ways] of [
      ['IPv6 only', [{ restartSeconds: 120, families }]],
      ['again', [kept(), kept()]],
    ] as const) {
      const options = giver({
        negotiated: { localAddress: '10.7.7.7', gracefulRestart: giver().negotiated!.gracefulRestart! },
      });
      const one = new RibLab();
      for (const peer of [TAKER, OTHER]) one.up(peer);
      for (const how of ways) {
        one.up(options);
        one.announce('giver', [B], route());
        one.announce('other', [A], { path: [65003], nextHop: '10.7.7.7' });
        one.settle();
        one.down('giver', how);
        one.settle();
      }
      assert.ok(!heldBy(one, 'taker').includes(A), what);
      wait(one, 121);
      assert.deepEqual(heldBy(one, 'taker'), [A], what);
    }
  });

  it('roles are those that were agreed: a change of policy makes no leak of what was none', () => {
    const one = new RibLab();
    const restart = giver().negotiated!.gracefulRestart!;
    one.up(
      giver({ config: { role: 'customer' }, negotiated: { role: 'customer', gracefulRestart: restart } }),
    );
    one.up({ ...TAKER, config: { role: 'peer' }, negotiated: { role: 'peer' } });
    one.announce('giver', [A], route());
    one.settle();
    assert.deepEqual(heldBy(one, 'taker'), [], 'from a provider, with OTC');
    one.down('giver', kept());
    one.rib.neighbours.softIn('giver');
    one.settle();
    assert.equal(one.routes({ prefix: A })[0]!.usable, true);
    assert.deepEqual(heldBy(one, 'taker'), []);
  });

  it('who comes back with another role is asked by that: what is a leak now is not kept (RFC 9234)', () => {
    const one = lab();
    one.announce('giver', [A], route({ otc: 65009 }));
    one.settle();
    leaves(one);
    const { gracefulRestart } = giver().negotiated!;
    returns(
      one,
      giver({
        config: { role: 'provider' },
        negotiated: { role: 'provider', gracefulRestart: gracefulRestart! },
      }),
    );
    assert.deepEqual(heldBy(one, 'taker'), [B, C, SIX]);
  });
});
