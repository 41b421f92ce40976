// Damaged UPDATEs through the whole RIB: nothing is thrown, what goes out again is well-formed for whom it goes to
// (FakeSession looks at every message), everybody holds what the RIB says he was sent, and at the end nothing is
// left. Deterministic: PODROUTE_SEED can be set to replay a failure, which names the seed of its round.
import assert from 'node:assert/strict';
import { SeededRandom } from '#world';
import { FRAME_OK, Framer, MAX_EXTENDED_MESSAGE_LENGTH, UPDATE } from '../message/index.ts';
import { assemble, damage } from '../message/testing/damage.ts';
import { UPDATES } from '../message/testing/vectors.ts';
import type { FakePeerOptions } from './testing/fake-session.ts';
import { RibLab } from './testing/rib-lab.ts';

const SEED = Number(process.env['PODROUTE_SEED'] ?? 20261121);
const ROUNDS = 24;
const MESSAGES = 2500;

const PEERS: readonly FakePeerOptions[] = [
  { id: 'ebgp', address: '192.0.2.1', as: 65101 },
  { id: 'ebgp6', address: '192.0.2.2', as: 65102, negotiated: { extendedNextHop: true, device: 'eth1' } },
  { id: 'old', address: '192.0.2.3', as: 65103, negotiated: { fourByteAs: false } },
  { id: 'ibgp', address: '192.0.2.4', as: 65000 },
  { id: 'client', address: '192.0.2.5', as: 65000, client: true, maxMessageBytes: 65535 },
  { id: 'paths', address: '192.0.2.6', as: 65000, client: true, addPathSend: true, addPathReceive: true },
  { id: 'strict', address: '192.0.2.7', as: 65107, config: { rejectAsSets: true, enforceFirstAs: true } },
];

/** Feeds damaged messages and everything else that can happen, then looks. */
function play(lab: RibLab, random: SeededRandom): number {
  const chunk = new Uint8Array(4096);
  let seen = 0;
  for (let i = 0; i < MESSAGES; i++) {
    const peer = PEERS[random.below(PEERS.length)]!;
    if (!lab.sessions.has(peer.id)) lab.up(peer);
    const end =
      i % 2 === 0
        ? damage(random, UPDATES[random.below(UPDATES.length)]!, chunk, 0)
        : assemble(random, chunk, 0);
    const framer = new Framer({
      message: (buf, start, to, type) => {
        if (type !== UPDATE) return true;
        seen++;
        const session = lab.sessions.get(peer.id);
        if (session !== undefined) lab.rib.update(session, buf, start, to);
        return lab.sessions.has(peer.id);
      },
    });
    framer.maxLength = MAX_EXTENDED_MESSAGE_LENGTH;
    if (framer.feed(chunk, 0, end) > FRAME_OK && random.below(20) === 0) lab.down(peer.id);
    happen(lab, random);
  }
  return seen;
}

function happen(lab: RibLab, random: SeededRandom): void {
  const session = [...lab.sessions.values()][random.below(Math.max(1, lab.sessions.size))];
  switch (random.below(60)) {
    case 0:
      if (session !== undefined) lab.rib.refresh(session, random.below(2) as 0 | 1);
      break;
    case 1:
      if (session !== undefined) lab.rib.refreshBegins(session, random.below(2) as 0 | 1);
      break;
    case 2:
      if (session !== undefined) lab.rib.refreshEnds(session, random.below(2) as 0 | 1);
      break;
    case 3:
      if (session !== undefined) lab.rib.neighbours.softIn(session.peerId);
      break;
    case 4:
      lab.rib.updateNextHop('192.0.2.1', random.below(2) === 0, random.below(3));
      break;
    case 5:
      if (session !== undefined && random.below(8) === 0) lab.down(session.peerId);
      break;
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
      lab.turn();
      break;
    default:
      break;
  }
}

/** What the RIB says a peer was sent is what the peer holds. */
function assertAgreed(lab: RibLab): void {
  for (const [id, session] of lab.sessions) {
    const sent = lab.routes({ view: 'advertised', peer: id }).map((route) => route.prefix);
    const held = [...session.held.keys()].map((key) => key.replace(/#.*/, ''));
    assert.deepEqual(sent.toSorted(), held.toSorted(), id);
  }
}

describe('rib: damaged UPDATEs', function () {
  this.timeout(240_000);

  it(`${ROUNDS * MESSAGES} of them: nothing thrown, nothing wrong sent, nothing left`, () => {
    let seen = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const seed = (SEED + Math.imul(round, 0x9e3779b1)) | 0;
      const lab = round % 2 === 0 ? new RibLab() : new RibLab({ ebgp: 4, ibgp: 4, relax: true }, 8);
      try {
        seen += play(lab, new SeededRandom(seed));
        lab.settle();
        assertAgreed(lab);
        for (const id of [...lab.sessions.keys()]) lab.down(id);
        for (const { id } of PEERS) lab.rib.neighbours.remove(id);
        lab.settle();
      } catch (error) {
        assert.fail(`PODROUTE_SEED=${seed} round ${round}: ${(error as Error).stack}`);
      }
      const { prefixes, paths, attributeSets } = lab.pages.sizes();
      const left = {
        prefixes,
        paths,
        attributeSets,
        nextHops: lab.rib.nextHops.count,
        peers: [...lab.rib.peers()].length,
      };
      assert.deepEqual(
        left,
        { prefixes: { ipv4: 0, ipv6: 0 }, paths: 0, attributeSets: 0, nextHops: 0, peers: 0 },
        `PODROUTE_SEED=${seed} round ${round}`,
      );
    }
    assert.ok(seen > ROUNDS * MESSAGES * 0.7, `only ${seen} UPDATEs passed the framer`);
  });
});
