// Malformed UPDATEs over live sessions, beside two healthy neighbours: each gets the action of RFC 7606 (route
// withdrawn, attribute discarded, session reset with the right NOTIFICATION), and the healthy ones notice nothing.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '#world';
import {
  address,
  asPath,
  attribute,
  hex,
  message,
  MessageType,
  prefix,
  update,
} from '../testing/messages.ts';
import type { RawPeer } from '../testing/raw-peer.ts';
import { Innocents } from './testing/innocents.ts';
import { asOf, neighbourConfig, SpeakerUnderFire } from './testing/speaker-under-fire.ts';

/** Parts of an UPDATE that announces one prefix; a case replaces or adds to them. */
interface Parts {
  readonly origin?: Buffer;
  readonly path?: Buffer;
  readonly nextHop?: Buffer;
  readonly more?: Buffer;
  readonly withdrawn?: Buffer;
  readonly nlri?: Buffer;
}

type Expected = 'withdrawn' | 'kept' | `reset ${number}/${number}`;
const NONE = Buffer.alloc(0);

function announcement(host: number, parts: Parts): Buffer {
  const attributes = Buffer.concat([
    parts.origin ?? attribute(0x40, 1, Buffer.of(0)),
    parts.path ?? asPath([asOf(host)]),
    parts.nextHop ?? attribute(0x40, 3, address(`10.0.0.${host}`)),
    parts.more ?? NONE,
  ]);
  return update({ withdrawn: parts.withdrawn ?? NONE, attributes, nlri: parts.nlri ?? prefixOf(host) });
}

function prefixOf(host: number): Buffer {
  return prefix(`20.${host}.1.0/24`);
}

const CASES: readonly (readonly [what: string, parts: Parts, expected: Expected])[] = [
  ['ORIGIN of two octets', { origin: hex('4001 02 0000') }, 'withdrawn'],
  ['ORIGIN 3', { origin: hex('4001 01 03') }, 'withdrawn'],
  ['ORIGIN marked optional', { origin: hex('c001 01 00') }, 'withdrawn'],
  ['no ORIGIN', { origin: NONE }, 'withdrawn'],
  ['segment type 9', { path: hex('4002 06 0901 0000fdfc') }, 'withdrawn'],
  ['an empty segment', { path: hex('4002 02 0200') }, 'withdrawn'],
  ['a segment that overruns', { path: hex('4002 06 0202 0000fdfc') }, 'withdrawn'],
  ['AS 0 in AS_PATH', { path: hex('4002 0a 0202 0000fdfc 00000000') }, 'withdrawn'],
  ['a confederation segment from outside', { path: hex('4002 06 0301 0000fdfc') }, 'withdrawn'],
  ['no AS_PATH', { path: NONE }, 'withdrawn'],
  ['NEXT_HOP of three octets', { nextHop: hex('4003 03 0a0000') }, 'withdrawn'],
  ['NEXT_HOP 0.0.0.0', { nextHop: hex('4003 04 00000000') }, 'withdrawn'],
  ['NEXT_HOP 224.0.0.5', { nextHop: hex('4003 04 e0000005') }, 'withdrawn'],
  ['no NEXT_HOP', { nextHop: NONE }, 'withdrawn'],
  ['MED of three octets', { more: hex('8004 03 000001') }, 'withdrawn'],
  ['COMMUNITIES of no octets', { more: hex('c008 00') }, 'withdrawn'],
  ['COMMUNITIES of six octets', { more: hex('c008 06 fde8 0001 fde8') }, 'withdrawn'],
  ['EXT_COMMUNITIES of seven octets', { more: hex('c010 07 0002fde8000000') }, 'withdrawn'],
  ['LARGE_COMMUNITIES of eleven octets', { more: hex('c020 0b 0000fde8 00000001 000000') }, 'withdrawn'],
  ['OTC of three octets', { more: hex('c023 03 00fde8') }, 'withdrawn'],
  ['an unknown well-known attribute', { more: hex('4063 01 00') }, 'withdrawn'],
  ['an attribute that runs past the list', { more: hex('c063 ff 00') }, 'withdrawn'],
  ['two octets that are no attribute', { more: hex('c063') }, 'withdrawn'],
  ['MP_REACH without a next hop', { more: hex('800e 05 0002 01 00 00') }, 'reset 3/9'],
  ['ATOMIC_AGGREGATE of one octet', { more: hex('4006 01 00') }, 'kept'],
  ['AGGREGATOR of five octets', { more: hex('c007 05 0000fde800') }, 'kept'],
  ['AGGREGATOR with AS 0', { more: hex('c007 08 00000000 0a000001') }, 'kept'],
  ['LOCAL_PREF from outside', { more: hex('4005 04 00000064') }, 'kept'],
  ['LOCAL_PREF of three octets from outside', { more: hex('4005 03 000064') }, 'kept'],
  ['ORIGINATOR_ID from outside', { more: hex('8009 04 0a000001') }, 'kept'],
  ['CLUSTER_LIST of five octets from outside', { more: hex('800a 05 0a00000100') }, 'kept'],
  ['AS4_PATH from a new speaker', { more: hex('c011 06 0201 0000fdfc') }, 'kept'],
  ['TUNNEL_ENCAP that overruns', { more: hex('c017 05 0008 00ff 00') }, 'kept'],
  ['ENTROPY_LABEL, attribute 28', { more: hex('c01c 01 00') }, 'kept'],
  ['a second MED', { more: hex('8004 04 00000001 8004 03 000000') }, 'kept'],
  ['an unknown optional attribute', { more: hex('c0fe 03 010203 80fd 01 00') }, 'kept'],
  [
    'AS_SET where they are refused (RFC 9774)',
    { path: hex('4002 0a 0201 0000fdfc 0101 0000fdfd') },
    'withdrawn',
  ],
  [
    'a labelled route that nobody agreed on',
    { more: hex('800e 10 0001 04 04 0a000001 00 30 000011 140501') },
    'kept',
  ],
  ['127.0.0.0/8 beside others', { nlri: Buffer.concat([hex('08 7f'), prefix('20.99.1.0/24')]) }, 'kept'],
  ['host bits behind a prefix', { nlri: hex('09 14ff') }, 'kept'],
  ['two MP_REACH', { more: hex('800e 05 0001 80 00 00'.repeat(2)) }, 'reset 3/1'],
  [
    'MP_REACH with a next hop of five octets',
    { more: hex('800e 0c 0002 01 05 0000000000 00 08 20') },
    'reset 3/9',
  ],
  [
    'MP_REACH with IPv6 /129',
    { more: hex(`800e 17 0002 01 10 2001${'00'.repeat(14)} 00 81 20`) },
    'reset 3/9',
  ],
  ['MP_UNREACH of two octets', { more: hex('800f 02 0002') }, 'reset 3/9'],
  // Without a route to withdraw nothing tells that none was announced (RFC 7606 section 5.2).
  ['ORIGIN 9 and no route', { origin: hex('4001 01 09'), nlri: NONE }, 'reset 3/1'],
  [
    'ORIGIN 9 beside a withdrawal, and no route',
    { origin: hex('4001 01 09'), withdrawn: prefix('20.99.2.0/24'), nlri: NONE },
    'reset 3/1',
  ],
  ['attributes beside a withdrawal, and no route', { withdrawn: prefix('20.99.2.0/24'), nlri: NONE }, 'kept'],
  ['a prefix of 33 bits', { nlri: hex('21 0a00000000') }, 'reset 3/10'],
  ['a prefix that is cut', { nlri: hex('18 0a00') }, 'reset 3/10'],
  ['a withdrawn prefix of 33 bits', { withdrawn: hex('21 0a00000000') }, 'reset 3/10'],
];

/** Whole bodies that do not add up (RFC 4271 §6.3): always a reset. */
const BODIES: readonly (readonly [what: string, body: Buffer, expected: Expected])[] = [
  ['withdrawn routes longer than the message', hex('ffff 0000'), 'reset 3/1'],
  ['attributes longer than the message', hex('0000 ffff 40010100'), 'reset 3/1'],
  ['attributes that swallow the routes', hex('0000 0008 40010100 18140501'), 'reset 3/1'],
];

const FIRST_HOST = 20;

describe('malformed UPDATEs on live sessions', function () {
  this.timeout(30_000);
  const all = [
    ...CASES.map(([what, parts, expected], i) => {
      const host = FIRST_HOST + i;
      return { what, host, expected, bytes: announcement(host, parts) };
    }),
    ...BODIES.map(([what, body, expected], i) => {
      const host = FIRST_HOST + CASES.length + i;
      return { what, host, expected, bytes: message(MessageType.update, body) };
    }),
  ];
  let speaker: SpeakerUnderFire;
  let innocents: Innocents;

  before(async () => {
    const hosts = [2, 3, 19, ...all.map(({ host }) => host)];
    const strict = CASES.findIndex(([what]) => what.includes('RFC 9774')) + FIRST_HOST;
    speaker = await SpeakerUnderFire.start(
      hosts.map((host) => neighbourConfig(host, { rejectAsSets: host === strict, enforceFirstAs: false })),
    );
    innocents = await Innocents.start(speaker, 90);
  });
  after(async () => {
    const { peers } = await speaker.figures();
    for (const id of ['n2', 'n3']) {
      const peer = peers.find((one) => one.id === id)!;
      assert.deepEqual([peer.state, peer.flaps], ['Established', 0], `${id} noticed something`);
    }
    innocents[Symbol.dispose]();
    await speaker[Symbol.asyncDispose]();
  });

  it('a prefix that is withdrawn and announced in one message is announced', async () => {
    const peer = await speaker.neighbour(19);
    peer.send(announcement(19, { withdrawn: prefixOf(19) }));
    await heard(innocents.taker, 19, 'announced');
    peer.close();
  });

  for (const { what, host, bytes, expected } of all) {
    it(`${what}: ${expected}`, async () => {
      const peer = await speaker.neighbour(host);
      peer.send(announcement(host, {}));
      await heard(innocents.taker, host, 'announced');
      peer.send(bytes);
      if (expected === 'kept') {
        // The change behind it is proof that it was read.
        peer.send(announcement(host, { nlri: prefix(`20.${host}.2.0/24`) }));
        await waitUntil(
          'the next route',
          2000,
          () => last(innocents.taker, prefix(`20.${host}.2.0/24`)) === 'announced',
        );
        assert.equal(last(innocents.taker, prefixOf(host)), 'announced');
      } else {
        await heard(innocents.taker, host, 'withdrawn');
      }
      if (expected.startsWith('reset')) {
        const notification = await peer.readUntil(MessageType.notification);
        assert.equal(`reset ${notification?.body[0]}/${notification?.body[1]}`, expected);
        await waitUntil('the connection to close', 2000, () => peer.isClosed);
      } else {
        await sleep(5);
        assert.ok(!peer.isClosed, 'the session must stand');
        assert.equal((await speaker.status(`n${host}`))?.flaps, 0);
      }
      assert.ok((await innocents.flap()) < 1000);
      peer.close();
    });
  }

  it('what is ignored is said once, by neighbour and reason', async () => {
    const { log } = await speaker.log();
    const count = (text: string) => log.filter((line) => line.includes(text)).length;
    assert.equal(count('of a family that was not agreed'), 1);
    assert.equal(count('that no unicast table may hold'), 1);
  });
});

async function heard(taker: RawPeer, host: number, state: 'announced' | 'withdrawn'): Promise<void> {
  await waitUntil(`20.${host}.1.0/24 ${state}`, 2000, () => last(taker, prefixOf(host)) === state);
}

/** What the last UPDATE with this IPv4 prefix said of it. */
function last(taker: RawPeer, nlri: Buffer): 'announced' | 'withdrawn' | undefined {
  for (let i = taker.received.length - 1; i >= 0; i--) {
    const { type, body } = taker.received[i]!;
    if (type !== MessageType.update) continue;
    const withdrawnEnd = 2 + body.readUInt16BE(0);
    if (body.subarray(2, withdrawnEnd).includes(nlri)) return 'withdrawn';
    const attributesEnd = withdrawnEnd + 2 + body.readUInt16BE(withdrawnEnd);
    if (body.subarray(attributesEnd).includes(nlri)) return 'announced';
  }
  return undefined;
}
