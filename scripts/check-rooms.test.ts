import { deepEqual, equal } from 'node:assert/strict';
import { type Complaint, complaintsAbout, deadLines, namesOfTwoRooms, smallFolders } from './check-rooms.ts';
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
    deepEqual(house({ 'bgp/rib/out/withheld.ts': ['../table/decision.ts', '../../message/frame.ts'] }), []);
    deepEqual(faults(house({ 'bgp/rib/table/decision.ts': ['../out/withheld.ts'] })), [
      'bgp/rib/table/decision.ts: imports ../out/withheld.ts: in bgp/rib/, out stands above table',
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
      'ipam/node/ipam.ts: imports node:fs: reaches outside the process here: take an interface instead',
    ]);
    deepEqual(house({ 'agent/bindings/disk.ts': ['node:fs'], 'ipam/node/ipam.test.ts': ['node:fs'] }), []);
  });

  it('counts as I/O whatever of Node is not known to be computing only', () => {
    const of = (text: string) => complaintsAbout(new Map([['linux/netlink/a.ts', text]])).length;
    for (const module of 'fs net tls dns http2 dgram child_process worker_threads cluster timers/promises'.split(
      ' ',
    ))
      equal(of(`${'import'} { a } from 'node:${module}';`), 1, module);
    equal(of(`${'import'} crypto from 'node:crypto';`), 1);
    equal(of(`${'import'} { createHash, randomBytes as bytes } from 'node:crypto';`), 1);
    equal(of(`${'import'} { createHash } from 'node:crypto';`), 0);
    equal(of(`${'import'} { join } from 'node:path';`), 0);
  });

  it('lets a package be named for its types only, where the table says so', () => {
    const of = (text: string) => faults(complaintsAbout(new Map([['api/kinds/node.ts', text]])));
    const line = "{ V1Node } from '@kubernetes/client-node';";
    deepEqual(of(`${'import'} type ${line}`), []);
    const wrong = [
      'api/kinds/node.ts: imports @kubernetes/client-node: api/ may have types of this package only (import type)',
    ];
    deepEqual(of(`${'import'} ${line}`), wrong);
    deepEqual(of(`${'import'} ${line.replace('{', '{ type')}`), wrong);
    deepEqual(of(`${'export'} ${line}`), wrong);
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

  it('wants a name that two rooms have explained; commands, doors and tests aside', () => {
    const files =
      'bgp/a/build.ts linux/build.ts ip/text.ts cli/commands/text.ts api/index.ts ip/index.ts test/text.ts';
    deepEqual(namesOfTwoRooms(files.split(' '), { 'build.ts': 'makes a native piece' }), []);
    deepEqual(faults(namesOfTwoRooms(files.split(' '), { 'text.ts': 'words' })), [
      'build.ts: this name stands in two rooms: bgp/a/build.ts linux/build.ts: say in SHARED_NAMES what it means in both, or rename one',
      'text.ts: this name stands in one room: take it out of SHARED_NAMES',
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

  it('wants small folders folded, or their reason; and no reason where there is nothing to excuse', () => {
    const files = 'ip/index.ts ip/a.ts ip/b.ts ip/c.ts ip/text/a.ts ip/text/b.test.ts ip/testing/d.ts'.split(
      ' ',
    );
    deepEqual(smallFolders(files, { 'ip/text': 'one table' }), []);
    deepEqual(faults(smallFolders(files, { ip: 'few things' })), [
      'ip/: no fewer than 5 files: 5: take it out of FEW_ENTRIES',
      'ip/text/: fewer than 5 files: 1: fold it into its user, or name it in FEW_ENTRIES',
    ]);
  });

  it('finds lines of the plan that speak of nothing', () => {
    const files = new Map([
      ['ip/index.ts', ''],
      ['bgp/index.ts', ''],
      ['bgp/rib/out/withheld.ts', ''],
    ]);
    const plan = { rooms: ['ip', 'bgp', 'sim'], order: { bgp: ['index', 'rib'], 'bgp/rib': ['in', 'out'] } };
    const exceptions = { LONG_FILES: ['bgp/index.ts', 'bgp/gone.ts'] };
    const doors = { '#ip': './ip/index.ts' };
    deepEqual(faults(deadLines(files, doors, { ...plan, exceptions, patterns: [/^bgp\/rib/, /^lab/] })), [
      'rooms-table.ts: ROOMS bgp: package.json has no #bgp for bgp/index.ts',
      'rooms-table.ts: ROOMS sim: there is no sim/index.ts',
      'rooms-table.ts: ORDER bgp/rib: there is no in in bgp/rib/',
      'rooms-table.ts: LONG_FILES: there is no bgp/gone.ts',
      'rooms-table.ts: /^lab/: no file is meant by it',
    ]);
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
