// The RIB against a model that is as simple as it can be: any sequence of events, at several grains of its work.
// PODROUTE_SEED=… replays what a failure printed, PODROUTE_FUZZ_RUNS=… is how many sequences each test tries.
import fc from 'fast-check';
import { GRAIN } from './rib.ts';
import { play, scenes } from './testing/model-commands.ts';
import type { Scale } from './testing/model-scene.ts';

const NAMES = [
  '10.1.0.0/16',
  '10.2.0.0/16',
  '10.1.1.0/24',
  '10.3.128.0/17',
  '0.0.0.0/0',
  '10.9.9.9/32',
  'fd00:1::/32',
  '::/0',
  'fd00:1:2::/48',
];
const BLOCKS = ['10.0.0.0/12', '10.16.0.0/12', '10.32.0.0/12', 'fd00:1::/32', 'fd00:2::/32'];

/** Each name stands for so many prefixes. */
function wide(grain: number | undefined, width: number): Scale {
  const known = new Map<string, string[]>();
  for (const name of BLOCKS) {
    const prefix = (i: number): string =>
      name.includes(':')
        ? `${name.split('::')[0]}:${(i + 1).toString(16)}::/48`
        : `10.${Number(name.split('.')[1]) + (i >>> 8)}.${i & 255}.0/24`;
    known.set(
      name,
      Array.from({ length: width }, (_, i) => prefix(i)),
    );
  }
  return { grain, names: BLOCKS, prefixesOf: (name) => known.get(name)! };
}

const one = (grain: number | undefined): Scale => ({ grain, names: NAMES, prefixesOf: (name) => [name] });

describe('rib: against a simple model', () => {
  const runs = Number(process.env['PODROUTE_FUZZ_RUNS'] ?? 60);
  const given = process.env['PODROUTE_SEED'];
  const seed = Number(given ?? Math.floor(Math.random() * 0x7fffffff));

  const cases: readonly (readonly [string, Scale, number, number])[] = [
    ['', one(undefined), runs, 20],
    [', in the smallest steps', one(1), runs, 20],
    [', each of more prefixes than a step takes', wide(4, 7), runs, 20],
    [', of thousands of prefixes in the steps of production', wide(GRAIN, 1500), Math.ceil(runs / 15), 20],
  ];
  for (const [what, scale, numRuns, minLength] of cases) {
    it(`comes to the same tables after any sequence of events${what} (PODROUTE_SEED=${seed})`, () => {
      fc.assert(
        fc.property(scenes(scale, minLength, 60), (scene) => play(scene, scale)),
        // With a given seed a failure is made shorter, which may take minutes.
        { numRuns, seed, endOnFailure: given === undefined },
      );
    }).timeout(600_000);
  }
});
