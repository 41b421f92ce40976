// Faults of podroute itself, put in where a neighbour's route leads to them: SEC-4 for the work that no message waits for.
import assert from 'node:assert/strict';
import type { Policy } from './policy/policy.ts';
import { AttackedSpeaker, GOOD_AS, HOSTILE_AS } from './testing/attacked-speaker.ts';
import { announceMessage } from './testing/message-bytes.ts';

/** A policy that fails when it is asked about a prefix, once it is armed. */
class FailingPolicy implements Policy {
  readonly name = 'failing';
  readonly otherwise = 'accept';
  readonly terms: Policy['terms'];
  isArmed = false;

  constructor(prefix: string) {
    const match = { prefixes: [{ prefix, operator: 'equal' as const }] };
    const term = { match, action: { verdict: 'accept' as const }, why: 'a fault for the test' };
    const action = (): object => {
      if (this.isArmed) throw new Error('put in by the test');
      return { verdict: 'accept' };
    };
    this.terms = [Object.defineProperty(term, 'action', { get: action })];
  }
}

const route = (as: number, ...prefixes: string[]): Buffer =>
  announceMessage(prefixes, { path: [as], nextHop: as === HOSTILE_AS ? '10.0.0.2' : '10.0.0.3' });

describe('speaker: a fault over a route', () => {
  it('while it decides whom to tell: its neighbour falls, with the route kept; the rest goes on', async () => {
    await using bench = new AttackedSpeaker();
    const policy = new FailingPolicy('10.66.0.0/16');
    await bench.start({}, { export: policy });
    const good = bench.up('good');
    const hostile = bench.up('hostile');
    policy.isArmed = true;
    good.send(route(GOOD_AS, '10.3.0.0/16'));
    hostile.send(route(HOSTILE_AS, '10.1.0.0/16', '10.66.0.0/16', '10.2.0.0/16'));
    bench.run(2000);
    assert.deepEqual(bench.best(), ['10.3.0.0/16']);
    assert.equal(bench.status('good').state, 'Established');
    assert.equal(hostile.notification?.slice(0, 3), '6/8');
    const { lastLost, routes } = bench.status('hostile');
    assert.equal(lastLost?.cause.kind, 'internal error');
    assert.equal(lastLost?.reason, 'internal error over its route 10.66.0.0/16: Error: put in by the test');
    const kept = routes!.malformed.last.at(-1)!;
    assert.match(kept.hex, /^f{32}.{4}02.*100a42$/, 'the UPDATE, with 10.66.0.0/16 at its end');
    const line = bench.lines.find(({ text }) => text.startsWith('a fault of podroute'));
    assert.equal(line?.fields['peer'], 'hostile');
    assert.equal(line?.fields['hex'], kept.hex);
    // The one who fell comes back and is heard, as long as it leaves that route out.
    bench.run(60_000);
    bench.up('hostile').send(route(HOSTILE_AS, '10.1.0.0/16'));
    bench.run(2000);
    assert.deepEqual(bench.best().sort(), ['10.1.0.0/16', '10.3.0.0/16']);
    assert.equal(good.isClosed, false);
  });

  it('in who listens to changes of forwarding: the others are told', async () => {
    await using bench = new AttackedSpeaker();
    await bench.start();
    const told: string[] = [];
    const { forwarding } = bench.speaker;
    const octets = new Uint8Array(16);
    forwarding.subscribe(({ family, prefixIds, count }) => {
      for (let i = 0; i < count; i++) {
        const length = forwarding.readPrefix(family, prefixIds[i]!, octets);
        const text = `${[...octets.subarray(0, 4)].join('.')}/${length}`;
        const out = { kind: 0, metric: 0, count: 0, nextHopIds: new Int32Array(8) };
        forwarding.forwarding(family, prefixIds[i]!, out);
        if (text === '10.66.0.0/16' && out.kind === 2) throw new Error('put in by the test');
        told.push(`${text} ${out.kind}`);
      }
    });
    bench.up('good');
    const hostile = bench.up('hostile');
    hostile.send(route(HOSTILE_AS, '10.66.0.0/16', '10.1.0.0/16'));
    bench.run(10);
    assert.ok(told.includes('10.1.0.0/16 2'), told.join());
    bench.run(2000);
    assert.equal(bench.status('hostile').lastLost?.cause.kind, 'internal error');
    assert.equal(bench.status('good').state, 'Established');
    assert.deepEqual(told.slice(-2).sort(), ['10.1.0.0/16 0', '10.66.0.0/16 0']);
  });
});
