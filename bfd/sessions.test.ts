// Which packet is whose, and which sessions there are.
import assert from 'node:assert/strict';
import type { BfdSessionConfig } from './session-config.ts';
import { ADMIN_DOWN, DOWN, INIT, UP } from './state-machine.ts';
import { LoneHost, NEIGHBOUR, packetBytes } from './testing/lone-host.ts';
import { sessionConfig } from './testing/wanted-session.ts';

const PASSWORD: Partial<BfdSessionConfig> = {
  authentication: { type: 'SimplePassword', keyId: 9, key: Buffer.from('secret') },
};
const section = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const GOOD_SECTION = section('010909736563726574');

describe('BFD sessions', () => {
  it('are found by the discriminator alone, wherever the packet comes from (RFC 5881 §3)', () => {
    const host = LoneHost.in('Init');
    host.hear({ state: INIT }, { from: '10.0.0.99' });
    assert.equal(host.status().state, 'Up');
  });

  it('are found by addresses and link while the neighbour knows no discriminator', () => {
    const host = new LoneHost();
    const ends = { local: 'fe80::1%eth0', remote: 'fe80::2%eth0' };
    host.sessions.apply([
      sessionConfig({ id: 'any link' }),
      sessionConfig({ id: 'eth1', device: 'eth1' }),
      sessionConfig({ id: 'link-local', device: 'eth0', ...ends }),
    ]);
    const states = () => ['any link', 'eth1', 'link-local'].map((id) => host.status(id).state);
    host.hearBytes(packetBytes({}), { device: 'eth1' });
    assert.deepEqual(states(), ['Down', 'Init', 'Down']);
    host.hearBytes(packetBytes({ state: ADMIN_DOWN }), { device: 'eth7' });
    assert.equal(host.status('any link').remoteState, 'AdminDown');
    host.hearBytes(packetBytes({}), { from: ends.remote, to: ends.local });
    assert.deepEqual(states(), ['Down', 'Init', 'Init']);
  });

  it('go down when the neighbour begins anew, and up with its new discriminator', () => {
    const host = LoneHost.in('Up');
    host.hear({ state: DOWN, yourDiscriminator: 0, myDiscriminator: NEIGHBOUR + 1 });
    assert.equal(host.path, 'Up>Down');
    assert.equal(host.sent.at(-1)!.yourDiscriminator, NEIGHBOUR + 1);
    host.hear({ state: DOWN, myDiscriminator: NEIGHBOUR + 1 });
    host.hear({ state: INIT, myDiscriminator: NEIGHBOUR + 1 });
    assert.equal(host.path, 'Up>Down, Down>Init, Init>Up');
    assert.deepEqual(
      host.changes.map(({ diagnostic }) => diagnostic),
      [3, 3, 0],
    );
  });

  it('name a neighbour’s new discriminator also where its state changes nothing', () => {
    const host = LoneHost.in('Init');
    host.hear({ state: DOWN, yourDiscriminator: 0, myDiscriminator: NEIGHBOUR + 1 });
    host.clock.advance(1000);
    assert.equal(host.path, 'Init>Down');
    assert.equal(host.sent[0]!.state, DOWN);
    host.hear({ state: UP, myDiscriminator: NEIGHBOUR + 1 });
    host.hearFor(1000, { state: UP, myDiscriminator: NEIGHBOUR + 2 });
    assert.equal(host.sent.at(-1)!.yourDiscriminator, NEIGHBOUR + 2);
  });

  it('draw a discriminator again that is zero or another’s', () => {
    const drawn = [0.5, 0, 0.25, 0.75, 0.25, 0.125];
    const host = new LoneHost({ next: () => drawn.shift() ?? 0.99 });
    host.sessions.apply([sessionConfig(), sessionConfig({ id: 'second', remote: '10.0.0.3' })]);
    host.clock.advance(100);
    assert.deepEqual(
      host.sent.map(({ myDiscriminator }) => myDiscriminator / 2 ** 32).toSorted((a, b) => a - b),
      [0.25, 0.75],
    );
    host.sessions.apply([
      sessionConfig(),
      sessionConfig({ id: 'second', remote: '10.0.0.3' }),
      sessionConfig({ id: 'third', remote: '10.0.0.4' }),
    ]);
    host.clock.advance(100);
    assert.equal(host.sent.at(-1)!.myDiscriminator / 2 ** 32, 0.125);
  });

  it('have discriminators that are random, not zero and not another’s', () => {
    const host = new LoneHost();
    const thousand = Array.from({ length: 1000 }, (_, i) =>
      sessionConfig({ id: `${i}`, remote: `10.1.${i >> 8}.${i & 255}` }),
    );
    host.sessions.apply(thousand);
    host.clock.advance(200);
    const own = new Set(host.sent.map(({ myDiscriminator }) => myDiscriminator));
    assert.equal(own.size, 1000);
    assert.ok(!own.has(0));
    assert.ok([...own].filter((one) => one > 0x7fff_ffff).length > 400);
    assert.equal(host.clock.pending, 1);
  });

  it('go on in place when something else than their ends changes', () => {
    const host = LoneHost.in('Up');
    host.sessions.apply([
      sessionConfig({ transmitMicros: 50_000, receiveMicros: 70_000, multiplier: 5, ...PASSWORD }),
    ]);
    host.clock.advance(100);
    assert.equal(host.status().state, 'Up');
    assert.equal(host.opened, 1);
    assert.ok(host.sent.at(-1)!.isAuthenticated);
    assert.deepEqual([...host.sent.at(-1)!.bytes.subarray(24)], [...GOOD_SECTION]);
    host.hear({ state: UP, isAuthenticated: true }, {}, GOOD_SECTION);
    assert.equal(host.status().refused, 0);
  });

  it('are others when their ends change: the old one says AdminDown, the new one begins in Down', () => {
    const host = LoneHost.in('Up');
    host.sessions.apply([sessionConfig({ remote: '10.0.0.3' })]);
    assert.equal(host.status().state, 'Down');
    assert.equal(host.opened, 2);
    host.clock.advance(100);
    assert.deepEqual(
      host.sent.map(({ state }) => state),
      [ADMIN_DOWN, DOWN],
    );
    assert.notEqual(host.sent[1]!.myDiscriminator, host.discriminator);
  });

  it('come back at once when they are wanted again while they say AdminDown', () => {
    const host = LoneHost.in('Up');
    host.sessions.apply([]);
    host.sessions.apply([sessionConfig({ id: 'again' })]);
    assert.equal(host.closed, 1);
    host.hearBytes(packetBytes({ state: DOWN }));
    assert.equal(host.status('again').state, 'Init');
    host.clock.advance(20_000);
    host.hearBytes(packetBytes({ state: DOWN }));
    assert.equal(host.status('again').state, 'Init', 'the end of the old one takes nothing of the new');
  });

  it('that cannot be opened say why, and are tried again each second', () => {
    const host = new LoneHost();
    host.problem = 'bind UDP 10.0.0.1 port 49152: EADDRNOTAVAIL';
    host.sessions.apply([sessionConfig()]);
    assert.deepEqual([host.status().state, host.status().problem], ['Down', host.problem]);
    host.clock.advance(5000);
    host.problem = undefined;
    host.clock.advance(999);
    assert.ok(host.status().problem !== undefined);
    host.clock.advance(1);
    assert.equal(host.status().problem, undefined);
    host.clock.advance(100);
    assert.equal(host.sent.length, 1);
  });

  it('are opened a hundred a turn, whatever cannot be opened among them', () => {
    const host = new LoneHost();
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) =>
        sessionConfig({ id: `${i}`, remote: `10.1.${i >> 8}.${i & 255}` }),
      );
    host.problem = 'no sockets';
    host.sessions.apply(many(150));
    assert.deepEqual(
      [host.status('0').problem, host.status('149').problem],
      ['no sockets', 'not opened yet'],
    );
    host.problem = undefined;
    host.sessions.apply(many(350));
    assert.equal(host.opened, 0, 'a turn is asked for already');
    host.sessions.apply(many(349));
    const turns: number[] = [];
    const look = () => {
      if (turns.push(host.opened) < 5) host.clock.soon(look);
    };
    host.clock.soon(look);
    host.clock.settle();
    assert.deepEqual(turns, [100, 200, 300, 349, 349]);
    assert.ok(many(349).every(({ id }) => host.status(id).problem === undefined));
    assert.equal(host.sessions.status('349'), undefined);
  });

  it('with the ends of another wait for it to go, and two with one id are an error', () => {
    const host = LoneHost.in('Up');
    host.sessions.apply([sessionConfig(), sessionConfig({ id: 'second' })]);
    assert.equal(host.status('second').problem, 'session tor has the same ends');
    host.sessions.apply([sessionConfig({ id: 'second' })]);
    assert.equal(host.status('second').problem, undefined);
    assert.throws(() => host.sessions.apply([sessionConfig(), sessionConfig()]), RangeError);
  });

  for (const [field, value, problem] of [
    ['multiplier', 0, 'multiplier 0: must be 1 to 255'],
    ['multiplier', 256, 'multiplier 256: must be 1 to 255'],
    ['transmitMicros', 0.5, 'transmitMicros 0.5: must be 1 to 4294967295'],
    ['receiveMicros', 0, 'receiveMicros 0: must be 1 to 4294967295'],
    ['leastTtl', 254, 'leastTtl 254: must be 255'],
    ['local', '10.0.0', 'local 10.0.0: not an address'],
    ['remote', 'FE80::2%eth0', 'remote FE80::2%eth0: must be written fe80::2%eth0'],
    ['remote', 'fd00::2', 'remote fd00::2: not of the same family as local 10.0.0.1'],
    [
      'remote',
      'fe80::2',
      "remote fe80::2: a link is named with link-local addresses, and with these only ('fe80::1%eth0')",
    ],
    [
      'authentication',
      { type: 'KeyedMD5', keyId: 1, key: Buffer.alloc(17) },
      'octets of authentication.key 17: must be 1 to 16',
    ],
    [
      'authentication',
      { type: 'KeyedSHA1', keyId: 256, key: Buffer.alloc(20) },
      'authentication.keyId 256: must be 0 to 255',
    ],
  ] as const) {
    it(`are not run with ${field} ${JSON.stringify(value).slice(0, 30)}`, () => {
      const host = LoneHost.with({ [field]: value });
      assert.equal(host.status().problem, problem);
      assert.equal(host.opened, 0);
      assert.equal(host.clock.pending, 0, 'it does not pass by itself');
    });
  }

  it('end with AdminDown once each, and leave nothing', () => {
    const host = LoneHost.in('Up');
    host.sessions.apply([sessionConfig(), sessionConfig({ id: 'second', remote: '10.0.0.3' })]);
    host.sessions[Symbol.dispose]();
    assert.equal(host.takeSent(), 'AdminDown P');
    assert.equal(host.closed, 2);
    assert.equal(host.clock.pending, 0);
    host.hear({ state: UP });
    host.sessions.apply([sessionConfig()]);
    host.clock.advance(10_000);
    assert.equal(host.takeSent(), '');
  });

  it('may be changed by who hears of a change', () => {
    const host = LoneHost.in('Up');
    host.changes.push = (change) => {
      host.sessions.apply([]);
      return Array.prototype.push.call(host.changes, change);
    };
    host.hear({ state: DOWN });
    assert.equal(host.path, 'Up>Down');
    assert.equal(host.sessions.status('tor'), undefined);
  });
});
