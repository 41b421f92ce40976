import { deepEqual, equal } from 'node:assert/strict';
import { type Complaint, complaintsAbout } from './check-rooms.ts';
import { importCircles } from './import-circles.ts';

/** A made-up house: each file imports what is named for it. */
function house(imports: Readonly<Record<string, readonly string[]>>): Complaint[] {
  return complaintsAbout(
    new Map(Object.entries(imports).map(([file, targets]) => [file, importing(targets)])),
  );
}

const importing = (targets: readonly string[]): string =>
  targets.map((target) => `${'import'} type {\n  A,\n} from '${target}';\n`).join('');

const faults = (complaints: readonly Complaint[]): string[] =>
  complaints.map(({ what, detail }) => `${what}: ${detail}`);

describe('check-rooms', () => {
  it('lets a room enter the doors that the table names, and no others', () => {
    deepEqual(house({ 'store/store.ts': ['#api', '#ip', 'yaml', 'node:path'] }), []);
    deepEqual(faults(house({ 'store/store.ts': ['#bgp', 'pino'] })), [
      'store/store.ts: imports #bgp: store/ must not import bgp/',
      'store/store.ts: imports pino: store/ must not use this package',
    ]);
  });

  it('enters a room by its door only; its test support, directly, from tests', () => {
    deepEqual(faults(house({ 'agent/node.ts': ['../bgp/rib/rib.ts'] })), [
      'agent/node.ts: imports ../bgp/rib/rib.ts: a room is entered by its door (#bgp)',
    ]);
    deepEqual(house({ 'agent/node.test.ts': ['../bgp/testing/clock.ts', '#cni-plugin'] }), []);
    deepEqual(house({ 'test/hostile/storm.test.ts': ['../../bgp/testing/clock.ts', '#agent'] }), []);
  });

  it('lets tests go sideways and down, never up', () => {
    deepEqual(house({ 'ipam/node/ipam.test.ts': ['#store', '#bgp'] }), []);
    deepEqual(faults(house({ 'store/testing/writer.ts': ['#agent'], 'bgp/a.test.ts': ['#store'] })), [
      'store/testing/writer.ts: imports #agent: agent/ stands above store/',
      'bgp/a.test.ts: imports #store: store/ stands above bgp/',
    ]);
  });

  it('knows what stands on what inside a room', () => {
    deepEqual(house({ 'bgp/rib/out/member.ts': ['../table/decision.ts', '../../message/frame.ts'] }), []);
    deepEqual(faults(house({ 'bgp/rib/table/decision.ts': ['../out/member.ts'] })), [
      'bgp/rib/table/decision.ts: imports ../out/member.ts: in bgp/rib/, out stands above table',
    ]);
    deepEqual(faults(house({ 'bgp/policy/compile.ts': ['../session/peer.ts'] })), [
      'bgp/policy/compile.ts: imports ../session/peer.ts: in bgp/, session stands above policy',
    ]);
  });

  it('puts the files of a folder on top of its subfolders, which stand apart', () => {
    deepEqual(house({ 'ipam/allocate.ts': ['./node/ipam.ts', './services/pool.ts', './carve.ts'] }), []);
    deepEqual(faults(house({ 'ipam/node/ipam.ts': ['../allocate.ts', '../services/pool.ts'] })), [
      'ipam/node/ipam.ts: imports ../allocate.ts: in ipam/, allocate stands above node',
      'ipam/node/ipam.ts: imports ../services/pool.ts: in ipam/, services stands beside node: one of them must be put below',
    ]);
  });

  it('finds a circle, counting imports of types', () => {
    const found = house({
      'ip/a.ts': ['./b.ts'],
      'ip/b.ts': ['./c.ts', './d.ts'],
      'ip/c.ts': ['./a.ts'],
      'ip/d.ts': ['./c.ts'],
    });
    deepEqual(faults(found), ['ip/: an import circle: ip/a.ts -> ip/b.ts -> ip/c.ts -> ip/a.ts']);
  });

  it('keeps test support out of the product, and I/O in the files that bind it', () => {
    deepEqual(faults(house({ 'ipam/node/ipam.ts': ['./testing/disk.ts', 'node:fs'] })), [
      'ipam/node/ipam.ts: imports ./testing/disk.ts: a product file must not import test support',
      'ipam/node/ipam.ts: imports node:fs: does I/O here: take an interface instead',
    ]);
    deepEqual(house({ 'agent/bindings/disk.ts': ['node:fs'], 'ipam/node/ipam.test.ts': ['node:fs'] }), []);
  });

  it('wants each name once in a room; doors and tests aside', () => {
    const found = house({
      'api/read/text.ts': [],
      'api/schema/text.ts': [],
      'api/schema/text.test.ts': [],
      'api/index.ts': [],
      'api/read/index.ts': [],
      'bgp/text.ts': [],
    });
    deepEqual(faults(found), [
      'api/: text.ts: this name stands twice in the room: api/read/text.ts api/schema/text.ts',
    ]);
  });

  it('counts the files of a folder, and the lines of a file', () => {
    const sixteen = Array.from({ length: 16 }, (_, n) => [`ip/a${n}.ts`, ''] as const);
    deepEqual(complaintsAbout(new Map(sixteen.slice(1))), []);
    equal(complaintsAbout(new Map(sixteen))[0]?.what, 'ip/: more than 15 files');
    deepEqual(complaintsAbout(new Map([['ip/long.ts', '\n'.repeat(400)]])), []);
    equal(
      complaintsAbout(new Map([['ip/long.ts', '\n'.repeat(401)]]))[0]?.what,
      'ip/long.ts: more than 400 lines',
    );
  });

  it('says when a folder is no room', () => {
    equal(house({ 'utils/text.ts': [] })[0]?.what, 'utils/: not a room');
  });

  it('reports each knot of files once, by a shortest way round', () => {
    const edges = 'a>b b>a c>d d>e e>c d>c f>f a>c'
      .split(' ')
      .map((edge) => edge.split('>') as [string, string]);
    deepEqual(importCircles(edges), [['a', 'b'], ['c', 'd'], ['f']]);
  });
});
