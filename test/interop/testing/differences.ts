// Where a speaker answers bad input otherwise than the table of bad-input.ts, and why that is known. A difference that
// is gone or new fails the tests, so that this list stays true.
import type { Answer } from './bad-input.ts';
import type { DaemonName } from '../daemons/daemon.ts';

export interface Difference {
  readonly answer: Answer;
  readonly reason: string;
}

const REFRESH_LENGTH = 'a wrong header length by RFC 4271; RFC 7313 has 7/1 for it';
const SILENT_END = 'ends the connection without a word';
const NO_FAMILY = 'sessions without any common family are allowed';
const KEEPALIVE_LENGTH = 'does not look at the length of a KEEPALIVE';
const CRASH = 'the process dies of a nil pointer';
const LOST_PLACE = 'stops at the bad attribute and reads the next one as prefixes, by the look of it';
const UNSPECIFIC = 'its own choice of code for what its decoder cannot read';
const UNCHECKED = 'hands on what it reads: it has no table, and the check is its user’s';
const NO_7606 = 'ends the session (RFC 4271) where RFC 7606 only withdraws the route';

export const DIFFERENCES: Partial<Record<DaemonName, Readonly<Record<string, Difference>>>> = {
  bird: {
    'header: KEEPALIVE of 20 octets': {
      answer: 'stays',
      reason: KEEPALIVE_LENGTH,
    },
    'ROUTE-REFRESH of 3 octets': { answer: '1/2', reason: REFRESH_LENGTH },
    'UPDATE before KEEPALIVE': { answer: 'stays', reason: 'takes it for the KEEPALIVE' },
  },
  frr: {
    'UPDATE: MP_REACH_NLRI with a next hop of 5 octets': {
      answer: '3/1',
      reason: 'malformed attribute list instead of optional attribute error',
    },
    'UPDATE: ORIGIN 9': {
      answer: '3/10',
      reason: LOST_PLACE,
    },
    'UPDATE: AS_PATH segment past the end': {
      answer: '3/10',
      reason: LOST_PLACE,
    },
    'UPDATE: unknown well-known attribute': { answer: '3/1', reason: NO_7606 },
    'ROUTE-REFRESH of 3 octets': { answer: '1/2', reason: REFRESH_LENGTH },
    'OPEN in an established session': { answer: 'closed', reason: SILENT_END },
  },
  gobgp: {
    'header: marker': { answer: 'stays', reason: 'does not look at the marker' },
    'header: length 4097': { answer: 'stays', reason: 'takes messages of any length' },
    'header: KEEPALIVE of 20 octets': {
      answer: 'stays',
      reason: KEEPALIVE_LENGTH,
    },
    'header: type 9': { answer: 'crash', reason: CRASH },
    'OPEN: unknown optional parameter': { answer: 'stays', reason: 'skips parameters that it does not know' },
    'OPEN: no common address family': { answer: 'stays', reason: NO_FAMILY },
    'OPEN: capability longer than its parameter': { answer: 'stays', reason: 'skips what it cannot read' },
    'UPDATE: prefix of 33 bits': {
      answer: '3/1',
      reason: 'malformed attribute list instead of invalid network field',
    },
    'UPDATE: MP_REACH_NLRI with a next hop of 5 octets': {
      answer: 'kept',
      reason: 'ignores the attribute, without a word',
    },
    'UPDATE: unknown well-known attribute': { answer: '3/2', reason: NO_7606 },
    'UPDATE before OPEN': { answer: 'closed', reason: SILENT_END },
    'KEEPALIVE before OPEN': { answer: 'closed', reason: SILENT_END },
    'UPDATE before KEEPALIVE': { answer: 'closed', reason: SILENT_END },
    'OPEN in an established session': { answer: 'crash', reason: CRASH },
  },
  openbgpd: {
    'OPEN: hold time 1': { answer: 'stays', reason: 'takes 1 and 2 s' },
    'OPEN: no common address family': { answer: 'stays', reason: NO_FAMILY },
    'UPDATE: no ORIGIN': { answer: '3/3', reason: NO_7606 },
    'UPDATE: ORIGIN 9': { answer: '3/6', reason: NO_7606 },
    'UPDATE: AS_PATH segment past the end': { answer: '3/11', reason: NO_7606 },
    'UPDATE: NEXT_HOP of 3 octets': { answer: '3/5', reason: NO_7606 },
    'UPDATE: COMMUNITIES of 3 octets': { answer: '3/5', reason: NO_7606 },
    'UPDATE: unknown well-known attribute': { answer: '3/2', reason: NO_7606 },
    'UPDATE: ATOMIC_AGGREGATE of 1 octet': {
      answer: '3/5',
      reason: 'ends the session (RFC 4271) where RFC 7606 only drops the attribute',
    },
    'ROUTE-REFRESH of 3 octets': { answer: '1/2', reason: REFRESH_LENGTH },
  },
  exabgp: {
    'header: type 9': { answer: 'closed', reason: SILENT_END },
    'ROUTE-REFRESH of 3 octets': { answer: '1/2', reason: REFRESH_LENGTH },
    'OPEN: version 3': { answer: '1/0', reason: UNSPECIFIC },
    'OPEN: unknown optional parameter': { answer: '2/0', reason: UNSPECIFIC },
    'OPEN: no common address family': { answer: 'stays', reason: NO_FAMILY },
    'UPDATE: prefix of 33 bits': { answer: '1/0', reason: UNSPECIFIC },
    'UPDATE: MP_REACH_NLRI twice': { answer: '1/0', reason: UNSPECIFIC },
    'UPDATE: MP_REACH_NLRI with a next hop of 5 octets': { answer: '3/0', reason: UNSPECIFIC },
    'UPDATE: no ORIGIN': { answer: 'kept', reason: UNCHECKED },
    'UPDATE: ORIGIN 9': { answer: 'kept', reason: UNCHECKED },
    'UPDATE: NEXT_HOP of 3 octets': { answer: '1/0', reason: UNSPECIFIC },
    'UPDATE: COMMUNITIES of 3 octets': { answer: '3/1', reason: NO_7606 },
    'UPDATE: unknown well-known attribute': { answer: 'kept', reason: UNCHECKED },
    'OPEN in an established session': { answer: 'stays', reason: 'ignores it' },
  },
};
