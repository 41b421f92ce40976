import assert from 'node:assert/strict';
import { faultsOf, growthOf, type SoakEnd, type SoakSecond } from './soak-figures.ts';
import { soakSize } from './soak-options.ts';

const SECOND: SoakSecond = {
  t: 0,
  rss_kb: 0,
  cpu_s: 0,
  wait_s: 0,
  sent: 1000,
  seen: 0,
  unread_kb: 0,
  up: 4,
  resets: 0,
  joining: 0,
  flaps: 20,
  p50_ms: 1,
  p99_ms: 2,
  max_ms: 2,
  load_ms: 1,
};
const run = (seconds: number, mb: (t: number) => number): SoakSecond[] =>
  Array.from({ length: seconds }, (_, i) => ({ ...SECOND, t: i + 1, rss_kb: mb(i + 1) * 1024 }));
const end = (more: Partial<SoakEnd>) =>
  ({ end: true, wrong: 0, wrong_fresh: 0, lost: 0, sent: 600_000, ...more }) as SoakEnd;

describe('bench soak', () => {
  it('calls memory grown that rises in the second half, not that which rose in the first or goes up and down', () => {
    const leaking = run(600, (t) => 200 + t / 20);
    assert.equal(growthOf(leaking)?.mbPerMinute.toFixed(2), '3.00');
    assert.deepEqual(faultsOf(leaking, end({}), 1000), [
      'memory grows: 15.0 MB in the second half, 11.1 allowed',
    ]);
    const warming = run(600, (t) => 200 + Math.min(t, 300) / 10 + (t % 20));
    assert.deepEqual(faultsOf(warming, end({}), 1000), []);
  });

  it('does not judge the memory of a short run', () => {
    assert.equal(growthOf(run(60, (t) => 200 + t)), undefined);
  });

  it('says each wrong state, lost session and missed rate', () => {
    const faults = faultsOf(
      run(600, () => 200),
      end({ wrong: 3, wrong_fresh: 2, lost: 1, sent: 480_000 }),
      1000,
    );
    assert.deepEqual(faults, [
      '3 prefixes at the sink are not the winning route',
      '2 prefixes at a fresh reader are not the winning route',
      'the speaker ended 1 sessions by itself',
      'only 800 of 1,000 changes/s were taken',
    ]);
  });

  it('refuses values that cannot be run, by name', () => {
    const good = {
      minutes: '0.2',
      peers: '4',
      prefixes: '5000',
      rate: '2000',
      joins: '0',
      'slow-reader': '0',
    };
    assert.deepEqual(Object.values(soakSize(good)), [0.2, 4, 5000, 2000, 0, 0]);
    const bad = { minutes: 'NaN', peers: '-3', prefixes: '1.5', rate: '', joins: 'Infinity' };
    for (const [name, text] of Object.entries(bad)) {
      assert.throws(() => soakSize({ ...good, [name]: text }), {
        name: 'RangeError',
        message: new RegExp(`^--${name} '${text}': a (whole )?number from`),
      });
    }
  });
});
