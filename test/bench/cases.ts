// The benchmark's cases: what bgpblast does, at which size, and on which addresses.

export type LoadKind = 'table' | 'reflect' | 'feed' | 'churn';
export type SpeakerName = 'podroute' | 'bird' | 'frr' | 'gobgp';

export interface Size {
  /** Injectors, or clients of a reflector; the sink is not counted. */
  readonly peers: number;
  /** Prefixes each; 0 = all of a feed. */
  readonly prefixes: number;
}

export interface BenchCase {
  readonly id: string;
  readonly load: LoadKind;
  readonly full: Size;
  /** In the quick round; undefined = not part of it. */
  readonly quick?: Size;
  /** Speakers that would take minutes at full size, unless --full. */
  readonly reduced: Partial<Record<SpeakerName, Size>>;
}

export const CASES: readonly BenchCase[] = [
  {
    id: 'table-1',
    load: 'table',
    full: { peers: 1, prefixes: 1_000_000 },
    quick: { peers: 1, prefixes: 200_000 },
    reduced: { gobgp: { peers: 1, prefixes: 100_000 } },
  },
  {
    id: 'table-4',
    load: 'table',
    full: { peers: 4, prefixes: 500_000 },
    quick: { peers: 4, prefixes: 100_000 },
    reduced: { gobgp: { peers: 4, prefixes: 25_000 } },
  },
  {
    id: 'feed-1',
    load: 'feed',
    full: { peers: 1, prefixes: 0 },
    quick: { peers: 1, prefixes: 0 },
    reduced: { gobgp: { peers: 1, prefixes: 60_000 } },
  },
  {
    id: 'feed-4',
    load: 'feed',
    full: { peers: 4, prefixes: 0 },
    reduced: { gobgp: { peers: 4, prefixes: 30_000 } },
  },
  {
    id: 'reflect-300',
    load: 'reflect',
    full: { peers: 300, prefixes: 50 },
    quick: { peers: 100, prefixes: 50 },
    reduced: { gobgp: { peers: 50, prefixes: 10 } },
  },
  {
    id: 'reflect-600',
    load: 'reflect',
    full: { peers: 600, prefixes: 10 },
    reduced: { gobgp: { peers: 50, prefixes: 10 } },
  },
  {
    id: 'reflect-1000',
    load: 'reflect',
    full: { peers: 1000, prefixes: 10 },
    reduced: { gobgp: { peers: 50, prefixes: 10 } },
  },
];

/** Where a case plays: the speaker's address and AS, and the first of the load side's addresses. */
export interface Place {
  readonly speakerAddress: string;
  readonly prefixLength: number;
  readonly asNumber: number;
  /** The sink, or the first client; peer i is at firstPeer + i. */
  readonly firstPeer: string;
  readonly peerCount: number;
}

export function placeOf(load: LoadKind, size: Size): Place {
  switch (load) {
    case 'reflect':
      return place('10.98.0.1', 16, 65000, '10.98.16.1', size.peers);
    case 'feed':
      // The sink is in the lower half of the /24 and the injectors in the upper: two ranges of neighbours.
      // AS 65432 does not occur in the recorded paths, so nothing is a loop.
      return place('10.99.0.1', 24, 65432, '10.99.0.127', size.peers + 1);
    case 'table':
      return place('10.99.0.1', 24, 65000, '10.99.0.100', size.peers + 1);
    case 'churn':
      // Beside the injectors: the sink, the probe, the slow reader and the joiner.
      return place('10.99.0.1', 24, 65000, '10.99.0.100', size.peers + 4);
  }
}

function place(
  speakerAddress: string,
  prefixLength: number,
  asNumber: number,
  firstPeer: string,
  peerCount: number,
): Place {
  return { speakerAddress, prefixLength, asNumber, firstPeer, peerCount };
}

/** '10.98.16.1' + 255 = '10.98.17.0' */
export function addressPlus(address: string, n: number): string {
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) + n;
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
}

export function sizeText(size: Size): string {
  const prefixes = size.prefixes === 0 ? 'real feed' : size.prefixes.toLocaleString('en');
  return `${size.peers.toLocaleString('en')} × ${prefixes}`;
}
