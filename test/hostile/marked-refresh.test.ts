// Enhanced route refresh (RFC 7313) over a real socket: what a neighbour does not send again between BoRR and EoRR
// is gone, and without the capability its marks mean nothing.
import assert from 'node:assert/strict';
import { waitUntil } from '#world';
import {
  address,
  asPath,
  attribute,
  ENHANCED_REFRESH,
  fourOctetAs,
  hex,
  IPV4_UNICAST,
  message,
  MessageType,
  prefix,
  ROUTE_REFRESH,
  update,
} from '../testing/messages.ts';
import type { RawPeer } from '../testing/raw-peer.ts';
import { asOf, neighbourConfig, SpeakerUnderFire } from './testing/speaker-under-fire.ts';

const HOST = 4;
const END_OF_RIB = update({});
const BEGIN = message(MessageType.routeRefresh, hex('0001 01 01'));
const END = message(MessageType.routeRefresh, hex('0001 02 01'));
const UNKNOWN = message(MessageType.routeRefresh, hex('0001 09 01'));

function announce(...third: number[]): Buffer {
  const attributes = Buffer.concat([
    attribute(0x40, 1, Buffer.of(0)),
    asPath([asOf(HOST)]),
    attribute(0x40, 3, address(`10.0.0.${HOST}`)),
  ]);
  return update({ attributes, nlri: Buffer.concat(third.map((n) => prefix(`20.4.${n}.0/24`))) });
}

async function establish(speaker: SpeakerUnderFire, hasMarks: boolean): Promise<RawPeer> {
  const peer = await speaker.connect(HOST);
  await peer.establish({
    asNumber: asOf(HOST),
    holdTimeSeconds: 90,
    routerId: '10.0.0.4',
    capabilities: [
      IPV4_UNICAST,
      ROUTE_REFRESH,
      ...(hasMarks ? [ENHANCED_REFRESH] : []),
      fourOctetAs(asOf(HOST)),
    ],
  });
  return peer;
}

async function until(speaker: SpeakerUnderFire, ...third: number[]): Promise<void> {
  const wanted = third.map((n) => `20.4.${n}.0/24 ${asOf(HOST)}`);
  await waitUntil(
    `routes ${third.join(' ')}`,
    2000,
    async () => wanted.join() === (await speaker.routes()).toSorted().join(),
  );
}

describe('BGP: refreshes that a neighbour marks', () => {
  it('what is not sent again is gone at the end; unknown subtypes are nothing', async () => {
    await using speaker = await SpeakerUnderFire.start([neighbourConfig(HOST)]);
    const peer = await establish(speaker, true);
    peer.send(announce(1, 2, 3), END_OF_RIB);
    await until(speaker, 1, 2, 3);
    peer.send(BEGIN, UNKNOWN, announce(1), announce(4));
    await until(speaker, 1, 2, 3, 4);
    peer.send(END);
    await until(speaker, 1, 4);
    assert.equal((await speaker.status(`n${HOST}`))?.state, 'Established');
    peer.close();
  });

  it('without the capability marks mean nothing', async () => {
    await using speaker = await SpeakerUnderFire.start([neighbourConfig(HOST)]);
    const peer = await establish(speaker, false);
    peer.send(announce(1, 2), END_OF_RIB, BEGIN, END, announce(3));
    await until(speaker, 1, 2, 3);
    assert.equal((await speaker.status(`n${HOST}`))?.state, 'Established');
    peer.close();
  });
});
