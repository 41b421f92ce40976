// What is refused, each with the reason that it is counted with: the MUSTs of RFC 5880 §6.8.6 and of what it leans on.
import assert from 'node:assert/strict';
import type { BfdSessionConfig } from './session-config.ts';
import { DOWN, INIT, UP } from './state-machine.ts';
import { type Arrival, LoneHost, packetBytes } from './testing/lone-host.ts';

const PASSWORD: Partial<BfdSessionConfig> = {
  authentication: { type: 'SimplePassword', keyId: 9, key: Buffer.from('secret') },
};
const section = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const GOOD_SECTION = section('010909736563726574');

function changed(bytes: Uint8Array, at: number, value: number): Uint8Array {
  bytes[at] = value;
  return bytes;
}

describe('BFD sessions', () => {
  interface Case {
    readonly what: string;
    readonly config?: Partial<BfdSessionConfig>;
    readonly packet: (own: number) => Uint8Array;
    readonly arrival?: Arrival;
    readonly reason: string;
    /** It names no session and comes from nobody's neighbour. */
    readonly isStrangers?: true;
  }
  const up = (own: number, section?: Uint8Array) =>
    packetBytes({ state: UP, yourDiscriminator: own, isAuthenticated: section !== undefined }, section);
  // RFC 5880 §6.8.6 in its order, then §6.7, RFC 5881 §5, RFC 5883 §5.
  const CASES: readonly Case[] = [
    {
      what: 'a version that is not 1',
      packet: (own) => changed(up(own), 0, 0x40),
      reason: 'version 2, wanted 1',
    },
    {
      what: 'a length below the least',
      packet: (own) => changed(up(own), 3, 23),
      reason: 'length 23, wanted 24 at least',
    },
    {
      what: 'a length below the least with authentication',
      packet: (own) => changed(up(own, section('0100')), 3, 25),
      reason: 'length 25, wanted 26 at least',
    },
    {
      what: 'a length beyond the datagram',
      packet: (own) => changed(up(own), 3, 25),
      reason: 'length 25 in a datagram of 24 octets',
    },
    {
      what: 'a datagram without a packet',
      packet: (own) => up(own).subarray(0, 7),
      reason: 'a datagram of 7 octets, a packet has 24 at least',
    },
    { what: 'multiplier 0', packet: (own) => changed(up(own), 2, 0), reason: 'detect multiplier 0' },
    {
      what: 'the multipoint bit',
      packet: (own) => changed(up(own), 1, 0xc1),
      reason: 'multipoint bit set',
    },
    {
      what: 'my discriminator 0',
      packet: (own) => packetBytes({ state: UP, yourDiscriminator: own, myDiscriminator: 0 }),
      reason: 'my discriminator 0',
    },
    {
      what: 'the discriminator of no session',
      packet: () => up(77),
      reason: 'your discriminator 77, which no session here has',
    },
    {
      what: 'the discriminator of no session, from nobody’s neighbour',
      packet: () => up(77),
      arrival: { from: '10.0.0.99' },
      reason: 'your discriminator 77, which no session here has',
      isStrangers: true,
    },
    {
      what: 'no discriminator in state Init',
      packet: () => packetBytes({ state: INIT }),
      reason: 'state Init with your discriminator 0',
    },
    {
      what: 'no discriminator in state Up',
      packet: () => packetBytes({ state: UP }),
      reason: 'state Up with your discriminator 0',
    },
    {
      what: 'no discriminator, from nobody’s neighbour',
      packet: () => packetBytes({ state: DOWN }),
      arrival: { from: '10.0.0.99' },
      reason: 'from 10.0.0.99 to 10.0.0.1, between which there is no session',
      isStrangers: true,
    },
    {
      what: 'no discriminator, to another address of the host',
      packet: () => packetBytes({ state: DOWN }),
      arrival: { to: '10.0.0.77' },
      reason: 'from 10.0.0.2 to 10.0.0.77, between which there is no session',
      isStrangers: true,
    },
    {
      what: 'no discriminator, to the port of several hops',
      packet: () => packetBytes({ state: DOWN }),
      arrival: { hops: 'multi' },
      reason: 'from 10.0.0.2 to 10.0.0.1, between which there is no session',
      isStrangers: true,
    },
    {
      what: 'the port of several hops',
      packet: up,
      arrival: { hops: 'multi' },
      reason: 'came to the port of multi hop, the session is single hop',
    },
    {
      what: 'another link',
      config: { device: 'eth0' },
      packet: up,
      arrival: { device: 'eth1' },
      reason: 'came by eth1, wanted eth0',
    },
    {
      what: 'a TTL that a router has lowered',
      packet: up,
      arrival: { ttl: 254 },
      reason: 'TTL 254, wanted 255 at least',
    },
    {
      what: 'a TTL below the least of several hops',
      config: { hops: 'multi', leastTtl: 250 },
      packet: up,
      arrival: { hops: 'multi', ttl: 249 },
      reason: 'TTL 249, wanted 250 at least',
    },
    {
      what: 'authentication where none is used',
      packet: (own) => up(own, GOOD_SECTION),
      reason: 'authentication type 1, wanted none',
    },
    {
      what: 'no authentication where it is used',
      config: PASSWORD,
      packet: up,
      reason: 'no authentication, wanted type 1',
    },
    {
      what: 'another type of authentication',
      config: PASSWORD,
      packet: (own) => up(own, section('020909736563726574')),
      reason: 'authentication type 2, wanted 1',
    },
    {
      what: 'another key ID',
      config: PASSWORD,
      packet: (own) => up(own, section('010908736563726574')),
      reason: 'authentication key ID 8, wanted 9',
    },
    {
      what: 'a password of another length',
      config: PASSWORD,
      packet: (own) => up(own, section('0108097365637265')),
      reason: 'authentication length 8, wanted 9',
    },
    {
      what: 'another password',
      config: PASSWORD,
      packet: (own) => up(own, section('010909736563726575')),
      reason: 'authentication with another key',
    },
  ];
  for (const { what, config, packet, arrival, reason, isStrangers } of CASES) {
    it(`refuse ${what}`, () => {
      const host = LoneHost.with(config);
      host.clock.advance(100);
      host.hearBytes(packet(host.discriminator), arrival);
      const { refused, lastRefusal, packetsIn, remoteState } = host.status();
      const { packets, lastReason } = host.sessions.unclaimed;
      const counted = isStrangers ? [packets, lastReason] : [refused, lastRefusal];
      assert.deepEqual(counted, [1, reason]);
      assert.equal(refused + packets, 1);
      assert.deepEqual([packetsIn, remoteState], [0, 'Down']);
      assert.deepEqual(host.changes, []);
    });
  }

  it('take what is refused above when it is right', () => {
    const host = LoneHost.with(PASSWORD);
    host.clock.advance(100);
    host.hearBytes(up(host.discriminator, GOOD_SECTION));
    assert.deepEqual([host.status().packetsIn, host.status().refused], [1, 0]);
    const multi = LoneHost.with({ hops: 'multi', leastTtl: 250 });
    multi.clock.advance(100);
    multi.hear({ state: DOWN }, { hops: 'multi', ttl: 250 });
    assert.equal(multi.status().state, 'Init');
  });
});
