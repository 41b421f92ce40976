import assert from 'node:assert/strict';
import type { RouteStatus } from '#agent-api';
import { routesTable, sorted } from './routes-table.ts';

const route = (prefix: string, part: Partial<RouteStatus> = {}): RouteStatus => ({
  prefix,
  family: prefix.includes(':') ? 'ipv6' : 'ipv4',
  peer: 'tor-a',
  isLocal: false,
  isBest: true,
  isMultipath: false,
  nextHops: ['10.0.0.9'],
  asPath: '65000',
  communities: [],
  largeCommunities: [],
  why: 'best',
  ...part,
});

describe('podroute routes for people', () => {
  it('stands in the order of prefixes; of one the best path, those used beside it, and the rest, by session', () => {
    const paths = [
      route('10.0.0.0/8', { peer: 'd', isBest: false }),
      route('10.0.0.0/8', { peer: 'c', isBest: false, isMultipath: true }),
      route('10.0.0.0/8', { peer: 'b', isBest: false, isMultipath: true }),
      route('10.0.0.0/8', { peer: 'z' }),
    ];
    const all = [route('fd00::/8'), route('100.0.0.0/8'), ...paths, route('9.0.0.0/8'), route('10.0.0.0/16')];
    const order = sorted(all).map(({ prefix, peer }) => `${prefix} ${peer}`);
    assert.deepEqual(order, [
      '9.0.0.0/8 tor-a',
      '10.0.0.0/8 z',
      '10.0.0.0/8 b',
      '10.0.0.0/8 c',
      '10.0.0.0/8 d',
      '10.0.0.0/16 tor-a',
      '100.0.0.0/8 tor-a',
      'fd00::/8 tor-a',
    ]);
  });

  it('marks the best path and those beside it, with ages, and digits of numbers below each other', () => {
    const table = routesTable(
      [
        route('10.0.0.0/8', { localPref: 100, med: 5, sinceSeconds: 30 }),
        route('10.0.0.0/8', { peer: 'tor-b', isBest: false, isMultipath: true, localPref: 100, med: 50 }),
      ],
      false,
    );
    assert.deepEqual(table.split('\n'), [
      '   PREFIX      FROM   NEXT HOP  AS PATH  LOCAL PREF  MED  AGE   COMMUNITIES AND OTHERS',
      '>  10.0.0.0/8  tor-a  10.0.0.9  65000           100    5  30 s  -',
      '=  10.0.0.0/8  tor-b  10.0.0.9  65000           100   50  -     -',
    ]);
  });
});
