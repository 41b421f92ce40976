import assert from 'node:assert/strict';
import { doctorTable, isWell } from './doctor.ts';

const good = { check: 'disk', state: 'good', what: 'fine' } as const;
const warned = {
  check: 'equal paths',
  state: 'warning',
  what: 'by address',
  mend: ['sysctl -w a=1'],
} as const;
const wrong = { check: 'BGP port', state: 'wrong', what: 'bird', mend: ['kill 7', 'kill 8'] } as const;
const silent = { check: 'path MTU', state: 'not tested', what: 'no ping' } as const;

describe('podroute doctor', () => {
  it('is bad news only where something is wrong', () => {
    assert.equal(isWell({ version: '1', results: [good, warned, silent] }), true);
    assert.equal(isWell({ version: '1', results: [good, wrong] }), false);
  });

  it('prints the commands below what they mend, and that switches last until the next boot', () => {
    const shown = doctorTable({ version: '1', results: [good, warned, wrong, silent] }).split('\n');
    assert.deepEqual(shown, [
      'CHECK        STATE       WHAT',
      'disk         good        fine',
      'equal paths  warning     by address',
      '                           $ sysctl -w a=1',
      'BGP port     wrong       bird',
      '                           $ kill 7',
      '                           $ kill 8',
      'path MTU     not tested  no ping',
      '',
      'What sysctl -w sets lasts until the next boot: put it into /etc/sysctl.d/90-podroute.conf as well.',
      '1 good, 1 warning(s), 1 wrong, 1 not tested',
    ]);
    assert.doesNotMatch(doctorTable({ version: '1', results: [wrong] }), /sysctl/);
  });
});
