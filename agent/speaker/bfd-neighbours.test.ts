// Which BFD sessions BGP's neighbours get, and what BGP hears of them (RFC 5882).
import assert from 'node:assert/strict';
import type { BfdChange, BfdSessionConfig, BfdSessionStatus, BfdState, BfdUnclaimed } from '#bfd';
import type { BfdNews } from '#bgp';
import { FakeClock } from '#world/testing';
import type { Detection } from '../detection/detection.ts';
import type { Plan, PlannedBfd } from '../plan/index.ts';
import { BfdNeighbours } from './bfd-neighbours.ts';

const FAST: PlannedBfd = {
  profile: 'BFDProfile fast',
  hops: 'single',
  leastTtl: 255,
  transmitMicros: 100_000,
  receiveMicros: 100_000,
  multiplier: 3,
};
const ENDS = { localAddress: '192.0.2.1', remoteAddress: '192.0.2.2', device: 'eth0' };
const ID = '192.0.2.1 192.0.2.2 single eth0';

class AskedDetection implements Detection {
  readonly asked: (readonly BfdSessionConfig[])[] = [];
  state: BfdState = 'Down';
  changed: (change: BfdChange) => void = () => undefined;
  isOver = false;

  apply(wanted: readonly BfdSessionConfig[]): void {
    this.asked.push(wanted);
  }
  onChange(listener: (change: BfdChange) => void): void {
    this.changed = listener;
  }
  unclaimed(): BfdUnclaimed {
    return { packets: 7, lastReason: 'from 192.0.2.9 to 192.0.2.1, between which there is no session' };
  }
  status(id: string): BfdSessionStatus | undefined {
    return this.wanted.includes(id) ? ({ id, state: this.state } as BfdSessionStatus) : undefined;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.isOver = true;
  }
  get wanted(): string[] {
    return this.asked.at(-1)?.map(({ id }) => id) ?? [];
  }
}

describe('BFD sessions of neighbours', () => {
  const clock = new FakeClock();
  let detection: AskedDetection;
  let opened: number;
  let told: [string, BfdNews][];
  let bfd: BfdNeighbours;

  beforeEach(() => {
    detection = new AskedDetection();
    opened = 0;
    told = [];
    const open = () => {
      opened++;
      return detection;
    };
    bfd = new BfdNeighbours(open, { clock, scheduler: clock }, (id, news) => told.push([id, news]));
  });

  function plan(wanted: Readonly<Record<string, PlannedBfd | undefined>>): void {
    const peers = Object.entries(wanted).map(([id, one]) => ({ config: { id }, bfd: one }));
    bfd.plan({ peers } as unknown as Plan);
    clock.settle();
  }

  function meet(id: string, ends = ENDS): void {
    bfd.met(id, ends);
    clock.settle();
  }

  const change = (from: BfdState, to: BfdState, more: Partial<BfdChange> = {}): BfdChange => ({
    id: ID,
    from,
    to,
    diagnostic: to === 'Down' ? 1 : 0,
    remoteState: 'Up',
    remoteDiagnostic: 0,
    isRemoteIndependent: false,
    detectionMicros: 300_000,
    ...more,
  });

  it('begin when it is known between which addresses, on which link', () => {
    plan({ tor: FAST, other: undefined });
    assert.equal(opened, 0, 'no thread without a session');
    meet('other');
    assert.deepEqual([opened, bfd.unclaimed()], [0, undefined]);
    meet('tor');
    assert.equal(bfd.unclaimed()?.packets, 7);
    const { leastTtl, transmitMicros, receiveMicros, multiplier } = FAST;
    const ends = { local: '192.0.2.1', remote: '192.0.2.2', device: 'eth0', hops: 'single' as const };
    assert.deepEqual(detection.asked, [
      [{ id: ID, ...ends, leastTtl, transmitMicros, receiveMicros, multiplier }],
    ]);
  });

  it('are asked for together when many come up at once, a range’s by what the range says', () => {
    plan({ pods: { ...FAST, hops: 'multi', leastTtl: 254 } });
    for (let i = 2; i < 102; i++) bfd.met(`pods/192.0.2.${i}`, { ...ENDS, remoteAddress: `192.0.2.${i}` });
    clock.settle();
    assert.equal(detection.asked.length, 1);
    assert.equal(detection.wanted.length, 100);
    assert.equal(detection.asked[0]![0]!.device, undefined, 'over several hops any link will do');
  });

  it('name the link with link-local addresses', () => {
    plan({ tor: FAST });
    meet('tor', { localAddress: 'fe80::1', remoteAddress: 'fe80::2', device: 'eth0' });
    const [config] = detection.asked[0]!;
    assert.deepEqual([config!.local, config!.remote], ['fe80::1%eth0', 'fe80::2%eth0']);
  });

  it('end with their neighbour, or when they are wanted no longer, and change where they are', () => {
    plan({ tor: FAST });
    meet('tor');
    plan({ tor: { ...FAST, multiplier: 5 } });
    assert.deepEqual([detection.wanted, detection.asked.at(-1)![0]!.multiplier], [[ID], 5]);
    plan({ tor: undefined });
    assert.deepEqual(detection.wanted, []);
    plan({ tor: FAST });
    bfd.parted('tor');
    clock.settle();
    assert.deepEqual(detection.wanted, []);
  });

  it('are one for several BGP sessions between the same addresses, and all hear of it', () => {
    plan({ a: FAST, b: FAST });
    meet('a');
    detection.state = 'Up';
    detection.changed(change('Init', 'Up'));
    meet('b');
    assert.deepEqual(detection.wanted, [ID]);
    assert.deepEqual(told, [
      ['a', { state: 'up' }],
      ['b', { state: 'up' }],
    ]);
    detection.changed(change('Up', 'Down'));
    assert.deepEqual(
      told.slice(2).map(([id, { state }]) => [id, state]),
      [
        ['a', 'failed'],
        ['b', 'failed'],
      ],
    );
  });

  const expired = { state: 'failed', isIndependent: false, detectionMs: 300 } as const;
  for (const [what, one, news] of [
    ['comes up', change('Init', 'Up'), { state: 'up' }],
    ['expires', change('Up', 'Down'), { ...expired, text: 'control detection time expired' }],
    [
      'is signalled down, with a reason',
      change('Up', 'Down', {
        diagnostic: 3,
        remoteState: 'Down',
        remoteDiagnostic: 1,
        isRemoteIndependent: true,
      }),
      {
        ...expired,
        text: 'neighbor signaled session down (the neighbour: control detection time expired)',
        isIndependent: true,
      },
    ],
    [
      'is shut down by the neighbour',
      change('Up', 'Down', { remoteState: 'AdminDown' }),
      { state: 'unknown' },
    ],
    ['is taken back by us', change('Up', 'AdminDown'), { state: 'unknown' }],
    ['never was up', change('Init', 'Down'), undefined],
    ['begins', change('Down', 'Init'), undefined],
  ] as const) {
    it(`that ${what}: BGP is told ${news?.state ?? 'nothing'}`, () => {
      plan({ tor: FAST });
      meet('tor');
      detection.changed(one);
      assert.deepEqual(told, news === undefined ? [] : [['tor', news]]);
    });
  }

  it('between other ends are others: what the ones before said holds no longer', () => {
    plan({ tor: FAST });
    meet('tor');
    detection.state = 'Up';
    detection.changed(change('Init', 'Up'));
    bfd.met('tor', { ...ENDS, localAddress: '192.0.2.9' });
    detection.changed(change('Up', 'Down'));
    detection.state = 'Down';
    clock.settle();
    assert.deepEqual(told, [
      ['tor', { state: 'up' }],
      ['tor', { state: 'unknown' }],
    ]);
    plan({ tor: { ...FAST, hops: 'multi' } });
    assert.deepEqual(told.at(-1), ['tor', { state: 'unknown' }]);
    assert.equal(told.length, 3);
  });

  it('that are up are told to who has parted and comes back at once', () => {
    plan({ tor: FAST });
    meet('tor');
    detection.state = 'Up';
    detection.changed(change('Init', 'Up'));
    bfd.parted('tor');
    meet('tor');
    assert.deepEqual(told, [
      ['tor', { state: 'up' }],
      ['tor', { state: 'up' }],
    ]);
  });

  it('end in order with the agent', async () => {
    plan({ tor: FAST });
    meet('tor');
    await bfd[Symbol.asyncDispose]();
    assert.ok(detection.isOver);
  });
});
