import assert from 'node:assert/strict';
import { TimerNegotiation } from './timer-negotiation.ts';

/** Up, 100 ms both ways, the neighbour the same with a multiplier of 3. */
function agreed(): TimerNegotiation {
  const timers = new TimerNegotiation(100_000, 100_000);
  timers.heard(100_000, 100_000, 3);
  return timers;
}

const inForce = (timers: TimerNegotiation) => [timers.transmitMicros, timers.detectionMicros];

describe('BFD timers', () => {
  it('are the slower of what one wants to send and the other to receive (RFC 5880 §6.8.2, §6.8.4)', () => {
    const timers = new TimerNegotiation(100_000, 200_000);
    assert.deepEqual(inForce(timers), [100_000, 0]);
    timers.heard(50_000, 300_000, 4);
    assert.deepEqual(inForce(timers), [300_000, 800_000]);
    timers.heard(250_000, 10_000, 2);
    assert.deepEqual(inForce(timers), [100_000, 500_000]);
  });

  it('are sent less often only after the neighbour knows (§6.8.3)', () => {
    const timers = agreed();
    timers.want(400_000, 100_000, true);
    assert.equal(timers.desiredMicros, 400_000);
    assert.ok(timers.isPolling);
    assert.equal(timers.transmitMicros, 100_000);
    timers.heardFinal();
    assert.ok(!timers.isPolling);
    assert.equal(timers.transmitMicros, 400_000);
  });

  it('are sent more often at once', () => {
    const timers = agreed();
    timers.heard(100_000, 10_000, 3);
    timers.want(50_000, 100_000, true);
    assert.equal(timers.transmitMicros, 50_000);
    assert.ok(timers.isPolling);
  });

  it('detect sooner only after the neighbour sends more often (§6.8.3)', () => {
    const timers = agreed();
    timers.heard(20_000, 100_000, 3);
    timers.want(100_000, 50_000, true);
    assert.equal(timers.requiredMicros, 50_000);
    assert.equal(timers.detectionMicros, 300_000);
    timers.heardFinal();
    assert.equal(timers.detectionMicros, 150_000);
  });

  it('detect later at once', () => {
    const timers = agreed();
    timers.want(100_000, 500_000, true);
    assert.equal(timers.detectionMicros, 1_500_000);
  });

  it('change at once while not Up', () => {
    const timers = agreed();
    timers.want(1_000_000, 50_000, false);
    assert.deepEqual(inForce(timers), [1_000_000, 300_000]);
    assert.ok(timers.isPolling);
  });

  it('that change while they are polled for are polled for again, after a packet without the bit', () => {
    const timers = agreed();
    timers.want(400_000, 100_000, true);
    timers.want(800_000, 100_000, true);
    timers.heardFinal();
    assert.ok(!timers.isPolling);
    assert.equal(timers.transmitMicros, 100_000, 'the Final may be about the first change only');
    assert.ok(timers.sentPeriodic());
    assert.ok(timers.isPolling);
    timers.heardFinal();
    assert.equal(timers.transmitMicros, 800_000);
  });

  it('that stay what they are need no poll', () => {
    const timers = agreed();
    timers.want(100_000, 100_000, true);
    assert.ok(!timers.isPolling);
    timers.heardFinal();
    assert.ok(!timers.sentPeriodic());
  });

  it('know nothing of a neighbour that is gone', () => {
    const timers = agreed();
    timers.heard(100_000, 0, 3);
    timers.want(400_000, 100_000, true);
    timers.forgetRemote();
    assert.ok(!timers.isPolling);
    assert.deepEqual(inForce(timers), [400_000, 0]);
    assert.equal(timers.remoteMinRxMicros, 1);
  });
});
