// Figures of an agent to which everything has happened that has a metric: tests change what they are about.
import { SyncFigures } from '../../fib/kernel/sync-figures.ts';
import { CallFigures } from '../../status/call-figures.ts';
import { HEALTHY } from '../../status/testing/healthy-session.ts';
import type { Figures, SessionFigures } from '../figures.ts';
import { metricsText } from '../metrics.ts';

export const SESSION: SessionFigures = {
  ...HEALTHY,
  peerAddress: '10.0.1.0',
  notifications: { countsIn: { 6: 2, 77: 1, 78: 1 }, countsOut: { 4: 1 } },
  malformed: { ...HEALTHY.malformed, treatAsWithdraw: 3 },
  bfd: {
    ...{ profile: 'defaults', state: 'Up', since: '2026-11-21T07:57:00.000Z', transmitMicros: 300_000 },
    ...{ detectionMicros: 900_000, downs: 2, refused: 3, lastRefusal: 'TTL 250, wanted 253 at least' },
  },
};

const block = { reserved: 1, used: 2, free: 61, capacity: 64, state: 'active' } as const;

export function wholeFigures(): Figures {
  const sync = new SyncFigures();
  sync.taken[0] = 9;
  sync.refused('ENETUNREACH');
  sync.batches.observe(0.002);
  const calls = new CallFigures();
  calls.called('ADD', undefined, 12);
  calls.called('ADD', 100, 3);
  return {
    version: '0.1.0',
    node: 'n1',
    sessions: [SESSION],
    waiting: 1,
    ranges: [
      {
        ...{ id: 'racks', from: 'BGPPeer racks', prefix: '10.9.0.0/16', neighbours: 3, most: 4, refused: 6 },
        ...{ established: 2, accepted: { ipv4: 7, ipv6: 0 } },
      },
    ],
    speaker: { strangersRefused: 5, logLinesLeftOut: 7 },
    bfdUnclaimed: 3,
    deferred: [{ family: 'ipv6', neighbours: 3 }],
    rib: { prefixes: { ipv4: 3, ipv6: 1 }, paths: 4, changesWaiting: 2 },
    fib: { wanted: { ipv4: 4, ipv6: 1 }, installed: { ipv4: 3, ipv6: 1 }, failed: 1, repaired: 2, sync },
    usage: {
      pools: [
        { name: 'pods', cidr: '10.244.0.0/16' },
        { name: 'spare', cidr: 'fd00::/64' },
      ],
      blocks: [
        { ...block, family: 'ipv4', cidr: '10.244.1.0/26', pool: 'pods' },
        { ...block, family: 'ipv4', cidr: '10.244.2.0/26', pool: 'pods' },
        { ...block, family: 'ipv4', cidr: '10.77.0.0/26' },
      ],
    },
    leaks: { count: 3, first: [], collected: 5 },
    calls,
    store: { isConnected: false, silentMs: 90_500 },
    isReady: true,
    canGiveAddresses: true,
    podPacketsDropped: { source: 4, advertisement: 1, linkLocal: 2 },
    problems: [problem('BGPPeer tor-a', 'plan'), problem('BGPPeer tor-b', 'plan'), problem('file', 'store')],
    generation: 2,
    process: {
      cpuSeconds: 1.5,
      residentBytes: 60_000_000,
      heapUsedBytes: 20_000_000,
      openFiles: 30,
      mostFiles: 1024,
      startedAtSeconds: 1_800_000_000.25,
      eventLoopDelayP99Ms: 1.5,
      eventLoopDelayMaxMs: 20,
    },
  };
}

/** What an agent writes to which everything has happened: every metric that there is. */
export function wholeScrape(): Promise<string> {
  return metricsText(wholeFigures(), () => Promise.resolve());
}

function problem(object: string, from: 'plan' | 'store') {
  return { object, field: '', message: 'is wrong', from, text: `${object} is wrong` };
}
