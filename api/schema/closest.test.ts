import assert from 'node:assert/strict';
import { closest } from './closest.ts';

const known = ['peerIP', 'asNumber', 'nodeSelector', 'nextHopMode', 'node', 'import'];

describe('the word that was meant', () => {
  for (const [word, meant] of [
    ['peerip', 'peerIP'],
    ['peer_IP', 'peerIP'],
    ['asNumbr', 'asNumber'],
    ['nodeSelectors', 'nodeSelector'],
    ['nexthop', 'nextHopMode'],
    ['NODE', 'node'],
    ['colour', undefined],
    ['x', undefined],
    ['', undefined],
  ] as const) {
    it(`${word} is ${meant ?? 'none of them'}`, () => assert.equal(closest(word, known), meant));
  }
});
