// What an operator is shown of the RIB, and that showing a million routes does not stall it.
import assert from 'node:assert/strict';
import { systemClock } from '#world';
import type { Policy, PolicyMatch, PolicySet } from '../../policy/policy.ts';
import { LINK_BANDWIDTHS, linkBandwidthText } from '../../message/index.ts';
import { RoutePages } from './route-pages.ts';
import { type FakePeerOptions, OWN_AS } from '../testing/fake-session.ts';
import { RibLab } from '../testing/rib-lab.ts';
import type { RouteQuery } from './view.ts';

const peer = (n: number, more: Partial<FakePeerOptions> = {}): FakePeerOptions => ({
  id: `e${n}`,
  address: `192.0.2.${n}`,
  as: 65100 + n,
  ...more,
});
const policy = (name: string, action: Policy['terms'][number]['action'], prefix: string): Policy => ({
  name,
  terms: [{ match: { prefixes: [{ prefix, operator: 'equal' }] }, action, why: `rule 1 of ${name}` }],
  otherwise: 'accept',
});
const ask = (lab: RibLab, query: Partial<RouteQuery>) =>
  lab.pages.routes({ view: 'all', limit: 100, ...query });

describe('rib: routes as an operator reads them', () => {
  it('are shown as received, as used, and as sent, which policies make three things', () => {
    const lab = new RibLab();
    const raise = policy('raise', { verdict: 'accept', set: { localPref: 300 } }, '10.1.0.0/16');
    const mark = policy(
      'mark',
      { verdict: 'accept', set: { med: 7, addCommunities: ['65000:1'] } },
      '10.1.0.0/16',
    );
    lab.up(peer(1, { config: { import: raise } }));
    lab.up(peer(2, { config: { export: mark } }));
    lab.announce('e1', ['10.1.0.0/16'], { path: [65101, 7], nextHop: '192.0.2.1', med: 5 });
    lab.settle();
    const one = (query: Partial<RouteQuery>) => {
      const [route, ...more] = ask(lab, query).routes;
      assert.equal(more.length, 0);
      const { nextHop, asPath, localPref, med, communities } = route!;
      return { nextHop, asPath, localPref, med, communities };
    };
    const came = { nextHop: '192.0.2.1', asPath: '65101 7', med: 5, communities: [] };
    assert.deepEqual(one({ view: 'received', peer: 'e1' }), { ...came, localPref: undefined });
    assert.deepEqual(one({ view: 'best' }), { ...came, localPref: 300 });
    assert.deepEqual(one({ view: 'advertised', peer: 'e2' }), {
      nextHop: '10.0.0.1',
      asPath: `${OWN_AS} 65101 7`,
      localPref: undefined,
      med: 7,
      communities: ['65000:1'],
    });
  });

  it('of an address are those of its longest match in the view', () => {
    const lab = new RibLab();
    lab.up(peer(1));
    lab.announce('e1', ['0.0.0.0/0', '10.0.0.0/8', '10.1.2.0/24'], { path: [65101], nextHop: '192.0.2.1' });
    lab.announce('e1', ['10.1.2.3/32'], { path: [65101, OWN_AS], nextHop: '192.0.2.1' });
    lab.announce('e1', ['fd12::/16'], { path: [65101], nextHop: 'fd00::9' });
    lab.settle();
    const match = (prefix: string, view: RouteQuery['view'] = 'best') =>
      ask(lab, { prefix, view })
        .routes.map((route) => route.prefix)
        .join();
    assert.equal(match('10.1.2.3'), '10.1.2.0/24', 'a loop is not used');
    assert.equal(match('10.1.2.3', 'all'), '10.1.2.3/32');
    assert.equal(match('10.9.9.9'), '10.0.0.0/8');
    assert.equal(match('192.0.2.200'), '0.0.0.0/0');
    assert.equal(match('fd12:1::1'), 'fd12::/16');
    assert.equal(match('fe80::1'), '');
    assert.throws(() => match('10.1.2'), /'10.1.2' is neither a prefix nor an address/);
  });

  it('of a prefix that is not there say what covers it', () => {
    const lab = new RibLab();
    lab.up(peer(1));
    lab.announce('e1', ['10.0.0.0/8'], { path: [65101], nextHop: '192.0.2.1' });
    lab.settle();
    assert.deepEqual(ask(lab, { prefix: '10.1.0.0/16' }).notes, [
      'no route to 10.1.0.0/16 itself; the longest match is 10.0.0.0/8',
    ]);
    assert.deepEqual(ask(lab, { prefix: '11.0.0.0/8' }).notes, [
      'no route to 11.0.0.0/8, and none that covers it',
    ]);
    lab.up(peer(2));
    assert.deepEqual(ask(lab, { prefix: '10.0.0.0/8', view: 'received', peer: 'e2' }).notes, [
      '10.0.0.0/8 was not received from e2',
    ]);
  });

  it('say to whom a prefix is sent, and why not to others', () => {
    const lab = new RibLab();
    const refuse = policy('secret', { verdict: 'reject' }, '10.1.0.0/16');
    lab.up(peer(1));
    lab.up(peer(2));
    lab.up(peer(3, { config: { export: refuse } }));
    lab.up(peer(4, { families: ['ipv6'] }));
    lab.up({ id: 'i1', address: '198.51.100.1', as: OWN_AS });
    lab.up({ id: 'i2', address: '198.51.100.2', as: OWN_AS });
    lab.announce('e1', ['10.1.0.0/16'], { path: [65101], nextHop: '192.0.2.1' });
    lab.announce('i1', ['10.2.0.0/16'], { path: [], nextHop: '198.51.100.1', localPref: 100 });
    lab.announce('e2', ['10.3.0.0/16'], { path: [65102], nextHop: '192.0.2.2', communities: [0xffffff01] });
    lab.settle();
    assert.deepEqual(ask(lab, { prefix: '10.1.0.0/16', explain: true }).notes, [
      '10.1.0.0/16: sent to e2, i1, i2',
      '10.1.0.0/16: not sent to e1: split horizon: the best path came from there',
      '10.1.0.0/16: not sent to e3: export policy: rule 1 of secret',
      '10.1.0.0/16: not sent to e4: ipv4 unicast was not agreed with it',
      '10.1.0.0/16: export to e3: rule 1 of secret: rejected',
    ]);
    const refusal = (prefix: string, id: string) => ask(lab, { prefix, view: 'advertised', peer: id }).notes;
    assert.deepEqual(refusal('10.2.0.0/16', 'i2'), [
      '10.2.0.0/16 is not sent to i2: iBGP routes go only to or from reflector clients',
    ]);
    assert.deepEqual(refusal('10.3.0.0/16', 'e1'), [
      '10.3.0.0/16 is not sent to e1: a well-known community keeps it here',
    ]);
    assert.deepEqual(refusal('10.3.0.0/16', 'i1'), []);
    lab.down('i2');
    assert.deepEqual(refusal('10.1.0.0/16', 'i2'), [
      '10.1.0.0/16 is not sent to i2: its session is not established',
    ]);
  });

  it('say of each rule of a policy what it did, until one decides', () => {
    const lab = new RibLab();
    const rule = (n: number, match: PolicyMatch, verdict: 'accept' | 'reject' | 'next', set?: PolicySet) => ({
      match,
      action: { verdict, ...(set && { set }) },
      why: `rule ${n}`,
    });
    const words = {
      name: 'p',
      terms: [
        rule(1, { family: 'ipv6' as const }, 'reject'),
        rule(2, { prefixes: [{ prefix: '10.2.0.0/16', operator: 'in' as const }] }, 'reject'),
        rule(3, { source: 'ebgp' as const }, 'next', { localPref: 200, deleteCommunities: ['65000:*'] }),
        rule(4, { communities: ['65000:1'] }, 'next', { addCommunities: ['65000:2'], prependAs: [7, 7] }),
        rule(5, { noCommunity: ['65000:*'] }, 'reject'),
        rule(6, { asPath: { contains: 9 } }, 'reject'),
        rule(7, { nextHops: ['10.0.0.0/8'] }, 'reject'),
        rule(8, { asPath: { pattern: '^65101' } }, 'accept', { med: 5, metric: 50 }),
        rule(9, {}, 'reject'),
      ],
      otherwise: 'reject' as const,
    };
    const undecided = { name: 'q', terms: words.terms.slice(0, 2), otherwise: 'accept' as const };
    lab.up(peer(1, { config: { import: words } }));
    lab.up(peer(2, { config: { export: undecided } }));
    lab.up(peer(3, { config: { export: undecided } }));
    lab.announce('e1', ['10.1.0.0/16'], { path: [65101], nextHop: '192.0.2.1', communities: [0xfde80001] });
    lab.settle();
    const { notes = [] } = ask(lab, { prefix: '10.1.0.0/16', explain: true });
    assert.deepEqual(
      notes.filter((note) => !note.includes('sent to')).map((note) => note.replace('10.1.0.0/16: ', '')),
      [
        'import from e1: rule 2: not this route, whose prefix is another',
        'import from e1: rule 3: goes on, sets LOCAL_PREF 200, takes away 65000:*',
        'import from e1: rule 4: goes on, adds 65000:2, prepends 7 7',
        'import from e1: rule 5: not this route, which has one of the communities that it must not have',
        'import from e1: rule 6: not this route, whose AS path is another',
        'import from e1: rule 7: not this route, whose next hop is another',
        "import from e1: rule 8: accepted, sets MED 5, sets the kernel's metric 50",
        'export to e2, e3: rule 2: not this route, whose prefix is another',
        'export to e2, e3: no rule decides: accepted',
      ],
    );
  });

  it('say what a policy sets in the words in which routes show it', () => {
    const lab = new RibLab();
    const setting = (set: PolicySet) => policy('p', { verdict: 'accept', set }, '10.1.0.0/16');
    const lb = (octets: number, isTransitive: boolean) => linkBandwidthText(64512, octets, isTransitive);
    const came = {
      weight: 7,
      nextHop: 'peer',
      deleteCommunities: [...LINK_BANDWIDTHS, 'generic:*:*', 'rt:65000:*'],
      addCommunities: [lb(125_000, false), 'generic:0x4306:0x000000000001'],
    };
    const sent = { nextHop: 'self', addCommunities: [lb(250_000, true)] };
    lab.up(peer(1, { config: { import: setting(came) } }));
    lab.up(peer(2, { config: { export: setting(sent) } }));
    lab.announce('e1', ['10.1.0.0/16'], { path: [65101], nextHop: '192.0.2.1' });
    lab.settle();
    const { notes = [], routes } = ask(lab, { prefix: '10.1.0.0/16', explain: true });
    assert.deepEqual(
      notes.filter((note) => note.includes('accepted')).map((note) => note.replace(/^.*accepted, /, '')),
      [
        'sets the weight 7, takes away lb:* transitive-lb:* generic:*:* rt:65000:*, adds lb:64512:125000 generic:0x4306:0x000000000001, sets the next hop to the address of the neighbour who sent it',
        'adds transitive-lb:64512:250000, sets the next hop to our own address',
      ],
    );
    assert.match(JSON.stringify(routes), /lb:64512:125000 generic:0x4306/);
  });

  it('give the reason that came first, and say when what a policy sets is too much', () => {
    const lab = new RibLab();
    const refuse = policy('secret', { verdict: 'reject' }, 'fd00:1::/32');
    const addCommunities = Array.from({ length: 17_000 }, (_, i) => `${i + 1}:1`);
    const tooMuch = policy('chatty', { verdict: 'accept', set: { addCommunities } }, '10.1.0.0/16');
    lab.up(peer(1));
    lab.up(peer(2, { config: { nextHopSelf: {}, export: refuse } }));
    lab.up(peer(3, { config: { export: tooMuch, import: tooMuch } }));
    lab.announce('e1', ['fd00:1::/32', 'fd00:2::/32'], { path: [65101], nextHop: 'fd00::9' });
    lab.announce('e1', ['10.1.0.0/16'], { path: [65101], nextHop: '192.0.2.1' });
    lab.announce('e3', ['10.1.0.0/16'], { path: [65103, 7], nextHop: '192.0.2.3' });
    lab.settle();
    const refusal = (prefix: string, id: string) => ask(lab, { prefix, view: 'advertised', peer: id }).notes;
    assert.deepEqual(
      refusal('fd00:1::/32', 'e2'),
      ['fd00:1::/32 is not sent to e2: export policy: rule 1 of secret'],
      'a policy may give it a next hop',
    );
    assert.deepEqual(refusal('fd00:2::/32', 'e2'), [
      'fd00:2::/32 is not sent to e2: no next hop that it could use: of another family, or good on another link only',
    ]);
    assert.deepEqual(refusal('10.1.0.0/16', 'e3'), [
      '10.1.0.0/16 is not sent to e3: its attributes fit into no message',
    ]);
    assert.deepEqual(
      lab.routes({ prefix: '10.1.0.0/16' }).map(({ why }) => why),
      [
        'best, the only usable path',
        'filtered: with what its import policy sets it fits into no message, or has a next hop that it cannot have',
      ],
    );
  });

  it('have an age: since they came, or came otherwise than before', () => {
    const lab = new RibLab();
    lab.up(peer(1));
    const say = (med: number) =>
      lab.announce('e1', ['10.1.0.0/16'], { path: [65001], nextHop: '10.0.1.1', med });
    const age = () => ask(lab, {}).routes[0]!.ageSeconds;
    say(1);
    lab.settle();
    lab.clock.advance(90_000);
    assert.equal(age(), 90);
    say(1);
    lab.settle();
    assert.equal(age(), 90, 'the same again is no news');
    say(2);
    lab.settle();
    assert.equal(age(), 0);
    lab.clock.advance(7000);
    lab.down('e1');
    lab.settle();
    lab.up(peer(1));
    say(2);
    lab.settle();
    assert.equal(age(), 0, 'a new session, a new route');
  });

  it('are, of the best ones, those that are used beside them as well', () => {
    const lab = new RibLab({ ebgp: 2, ibgp: 1, relax: true });
    for (const n of [1, 2]) {
      lab.up(peer(n));
      lab.announce(`e${n}`, ['10.1.0.0/16'], { path: [65000 + n], nextHop: `10.0.${n}.1` });
    }
    lab.up(peer(3));
    lab.announce('e3', ['10.1.0.0/16'], { path: [65003, 65003], nextHop: '10.0.3.1' });
    lab.settle();
    const seen = ask(lab, { view: 'best' }).routes.map((route) => [route.peer, route.best, route.multipath]);
    assert.deepEqual(seen, [
      ['e1', true, false],
      ['e2', false, true],
    ]);
  });

  it('are none of a session that was not up yet', () => {
    const { routes, notes } = ask(new RibLab(), { view: 'received', peer: 'e1' });
    assert.deepEqual([routes, notes], [[], ['session e1 has not been up since the agent started']]);
  });

  it('refuse a cursor that they did not give', () => {
    assert.throws(() => ask(new RibLab(), { cursor: 'x' }), /'x' is not a cursor/);
  });
});

/** UPDATEs of one neighbour with a million /24 and /32 prefixes, 900 a message. */
function* million(): Generator<Buffer> {
  const attributes = Buffer.from('400101004002060201 0000fe4d 400304c0000201'.replaceAll(' ', ''), 'hex');
  const perMessage = 900;
  for (let at = 0; at < 1_000_000; at += perMessage) {
    const count = Math.min(perMessage, 1_000_000 - at);
    const message = Buffer.alloc(23 + attributes.length + count * 4, 0xff);
    message.writeUInt16BE(message.length, 16);
    message[18] = 2;
    message.writeUInt16BE(0, 19);
    message.writeUInt16BE(attributes.length, 21);
    attributes.copy(message, 23);
    for (let i = 0; i < count; i++) {
      const to = 23 + attributes.length + i * 4;
      message[to] = 24;
      message.writeUIntBE(0x100000 + at + i, to + 1, 3);
    }
    yield message;
  }
}

/** Of this thread: what other work of the machine takes does not count. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

describe('rib: a million routes', function () {
  this.timeout(60_000);
  const lab = new RibLab();
  // Pages are cut by time: this clock has to be the real one.
  const pages = new RoutePages(lab.rib, systemClock);

  before(() => {
    lab.up(peer(1));
    for (const message of million()) lab.feed('e1', message);
    lab.settle();
    assert.equal(lab.pages.sizes().prefixes.ipv4, 1_000_000);
  });

  /** All pages of a query with the CPU time that each took, its JSON included. */
  function walk(query: Partial<RouteQuery>) {
    const times: number[] = [];
    let routes = 0;
    let cursor: string | undefined;
    do {
      const start = cpuMs();
      const page = pages.routes({
        view: 'best',
        limit: 1000,
        ...query,
        ...(cursor === undefined ? {} : { cursor }),
      });
      JSON.stringify(page);
      times.push(cpuMs() - start);
      routes += page.routes.length;
      cursor = page.cursor;
    } while (cursor !== undefined);
    times.sort((a, b) => a - b);
    return {
      routes,
      pages: times.length,
      longest: times.at(-1)!,
      p99: times[Math.floor(times.length * 0.99)]!,
    };
  }

  // 20 ms is what nobody notices; a page takes two. The longest one may have a garbage collection in it.
  it('are filtered in pages that do not stall', () => {
    const inside = walk({ prefix: '16.255.240.0/20', longer: true });
    assert.equal(inside.routes, 16);
    assert.ok(inside.p99 < 20, `p99 ${inside.p99} ms`);
    const nothing = walk({ view: 'received', peer: 'e1', family: 'ipv6' });
    assert.deepEqual([nothing.routes, nothing.pages], [0, 1]);
  });

  it('are shown in pages that do not stall', () => {
    const shown = walk({});
    assert.equal(shown.routes, 1_000_000);
    assert.ok(shown.p99 < 20, `p99 ${shown.p99} ms`);
  });

  it('give the longest match at once', () => {
    const start = cpuMs();
    const { routes } = pages.routes({ view: 'best', prefix: '17.1.2.3', limit: 1 });
    assert.equal(routes[0]!.prefix, '17.1.2.0/24');
    assert.ok(cpuMs() - start < 20);
  });
});
