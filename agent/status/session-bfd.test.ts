// What status says of the BFD of one session: what is configured, and what is known of it.
import assert from 'node:assert/strict';
import { unopenedSession } from '#bfd';
import type { PlannedBfd } from '../plan/index.ts';
import { sessionBfd } from './session-bfd.ts';

const SETTINGS: PlannedBfd = {
  ...({ profile: 'BFDProfile fast', hops: 'single', leastTtl: 255, isRequired: true } as const),
  ...{ transmitMicros: 50_000, receiveMicros: 50_000, multiplier: 3 },
};
const BGP_SINCE = '2026-01-01T00:00:00.000Z';
const NOW = Date.parse('2026-01-01T01:00:00.000Z');
const CONFIGURED = { profile: 'BFDProfile fast', isRequired: true };

describe('BFD of a session in status', () => {
  it('is down for as long as the BGP session is, before the neighbour was met', () => {
    assert.deepEqual(sessionBfd({ settings: SETTINGS, status: undefined, forMs: 0 }, BGP_SINCE, NOW), {
      ...CONFIGURED,
      ...{ state: 'Down', since: BGP_SINCE, transmitMicros: 50_000, downs: 0 },
    });
  });

  it('says what is in force, since when, and both reasons in words', () => {
    const { problem: _, ...running } = unopenedSession('tor', '');
    const status = {
      ...running,
      sinceMs: 5,
      ...({ state: 'Down', diagnostic: 3, remoteDiagnostic: 1, transmitMicros: 1_000_000 } as const),
      ...{ detectionMicros: 3_000_000, downs: 2, refused: 1, lastRefusal: 'detect multiplier 0' },
    };
    assert.deepEqual(sessionBfd({ settings: SETTINGS, status, forMs: 60_000 }, BGP_SINCE, NOW), {
      ...CONFIGURED,
      ...{ state: 'Down', since: '2026-01-01T00:59:00.000Z', transmitMicros: 1_000_000 },
      diagnostic: 'neighbor signaled session down',
      remoteDiagnostic: 'control detection time expired',
      ...{ detectionMicros: 3_000_000, downs: 2, refused: 1, lastRefusal: 'detect multiplier 0' },
    });
  });

  it('says why it does not run, and is down for as long as the BGP session is', () => {
    const status = unopenedSession('tor', 'bind UDP 10.0.0.1: no such address');
    const shown = sessionBfd({ settings: SETTINGS, status, forMs: 7_000_000 }, BGP_SINCE, NOW);
    assert.deepEqual([shown.problem, shown.since], ['bind UDP 10.0.0.1: no such address', BGP_SINCE]);
  });
});
