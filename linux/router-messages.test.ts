import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeRouterMessage, encodeRouterMessage, type RouterMessage } from './router-messages.ts';

const octets = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(/[\s.]/g, ''), 'hex'));

/** As FRR 8.4 sends it for `neighbor eth0 interface`, seen by tcpdump: lifetime 0, retrans timer 0, its own MAC. */
const OF_FRR = octets('8600 3a5f 40 00 0000 00000000 00000000 0101 0242ac110002');

const mac = fc
  .uint8Array({ minLength: 6, maxLength: 6 })
  .map((bytes) => Buffer.from(bytes).toString('hex').match(/../g)!.join(':'));
const message: fc.Arbitrary<RouterMessage> = fc
  .oneof(
    fc.record({
      type: fc.constant('advertisement' as const),
      lifetimeSeconds: fc.nat(0xffff),
      mac: fc.option(mac),
    }),
    fc.record({ type: fc.constant('solicitation' as const), mac: fc.option(mac) }),
  )
  .map(({ mac: told, ...rest }) => (told === null ? rest : { ...rest, mac: told }));

describe('router messages', () => {
  it('are read as a router sends them', () => {
    assert.deepEqual(decodeRouterMessage(OF_FRR), {
      type: 'advertisement',
      lifetimeSeconds: 0,
      mac: '02:42:ac:11:00:02',
    });
    assert.deepEqual(decodeRouterMessage(octets('8500 0000 00000000')), { type: 'solicitation' });
  });

  it('are written as RFC 4861 has them: nobody takes us as default router, nothing about prefixes or timers', () => {
    assert.deepEqual(
      encodeRouterMessage({ type: 'advertisement', lifetimeSeconds: 0, mac: '02:42:ac:11:00:02' }),
      octets('8600 0000 00 00 0000 00000000 00000000 0101 0242ac110002'),
    );
    assert.deepEqual(
      encodeRouterMessage({ type: 'advertisement', lifetimeSeconds: 1800 }),
      octets('8600 0000 00 00 0708 00000000 00000000'),
    );
    assert.deepEqual(encodeRouterMessage({ type: 'solicitation' }), octets('8500 0000 00000000'));
  });

  it('leave out the address of a link that has no six octets', () => {
    const long = '80:00:02:08:fe:80:00:00:00:00:00:00:00:11:22:33:44:55:66:77';
    assert.equal(encodeRouterMessage({ type: 'advertisement', lifetimeSeconds: 0, mac: long }).length, 16);
  });

  it('step over other options: MTU, prefix information, recursive DNS servers', () => {
    const prefix = '0304 40c0 00278d00 00093a80 00000000 20010db8000000000000000000000000';
    const dns = '1903 0000 00000708 20010db8000000000000000000000001';
    const bytes = octets(`8600 0000 4000 0708 00000000 00000000 0501 0000 000005dc ${prefix} ${dns}`);
    assert.deepEqual(decodeRouterMessage(bytes), { type: 'advertisement', lifetimeSeconds: 1800 });
  });

  it('are ignored when they are too short, have a code, or an option of length 0 or past the end', () => {
    for (let length = 0; length < OF_FRR.length; length++) {
      const isWhole = length === 16;
      assert.equal(
        decodeRouterMessage(OF_FRR.subarray(0, length)) !== undefined,
        isWhole,
        `${length} octets`,
      );
    }
    assert.equal(
      decodeRouterMessage(Uint8Array.from(OF_FRR, (octet, i) => (i === 1 ? 1 : octet))),
      undefined,
    );
    assert.equal(
      decodeRouterMessage(Uint8Array.from(OF_FRR, (octet, i) => (i === 17 ? 0 : octet))),
      undefined,
    );
    assert.equal(
      decodeRouterMessage(Uint8Array.from(OF_FRR, (octet, i) => (i === 17 ? 2 : octet))),
      undefined,
    );
    assert.equal(
      decodeRouterMessage(octets('8700 0000 00000000 fe800000000000000000000000000001')),
      undefined,
    );
  });

  it('come back as they were', () => {
    fc.assert(
      fc.property(message, (sent) => {
        assert.deepEqual(decodeRouterMessage(encodeRouterMessage(sent)), sent);
      }),
    );
  });

  it('are read or ignored whatever the octets are', () => {
    const start = fc.constantFrom(133, 134);
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 80 }), (type, rest) => {
        const found = decodeRouterMessage(Uint8Array.of(type, 0, ...rest));
        if (found !== undefined) assert.equal(found.type === 'advertisement', type === 134);
      }),
    );
  });
});
