import assert from 'node:assert/strict';
import { CAUSES, keyTooLong, refusedKey, socketProblem } from './cause.ts';

const kindsWith = (isWanted: (rule: (typeof CAUSES)[keyof typeof CAUSES]) => boolean): string[] =>
  Object.entries(CAUSES)
    .filter(([, rule]) => isWanted(rule))
    .map(([kind]) => kind)
    .sort();

describe('causes', () => {
  it('that are no failure: somebody wanted it so, or another connection took over', () => {
    const wanted = [
      'configuration changed',
      'forgotten',
      'identity changed',
      'removed',
      'reset',
      'shut down',
    ];
    const others = ['collision lost', 'speaker stopped', 'too many connections', 'too many half-open'];
    const isNoFailure = kindsWith(({ isFailure }) => !isFailure);
    assert.deepEqual(isNoFailure, [...wanted, ...others].sort());
  });

  it('are read from what the kernel says', () => {
    for (const [errno, problem] of [
      ['ECONNREFUSED', 'refused'],
      ['ETIMEDOUT', 'no answer'],
      ['EHOSTUNREACH', 'unreachable'],
      ['ENETUNREACH', 'unreachable'],
      ['EADDRNOTAVAIL', 'no local address'],
      ['ENODEV', 'forbidden'],
      ['EACCES', 'forbidden'],
      ['EPERM', 'forbidden'],
      ['ECONNRESET', 'reset'],
      ['EIO', 'other'],
      [undefined, 'other'],
    ] as const) {
      assert.equal(socketProblem(errno), problem, errno);
    }
  });

  it('TCP MD5 takes a key of 80 octets, not of 81, and no text shows it', () => {
    assert.equal(keyTooLong(undefined), undefined);
    assert.equal(keyTooLong('k'.repeat(80)), undefined);
    assert.equal(keyTooLong('ü'.repeat(40)), undefined);
    const refusal = keyTooLong('ü'.repeat(41))!;
    assert.deepEqual([refusal.kind, refusal.problem], ['key refused', 'too long']);
    assert.match(refusal.text, /\b82 octets\b.*\b80\b/);
    assert.ok(!refusal.text.includes('ü'));
    assert.ok(keyTooLong('k'.repeat(81)));
  });

  it('the kernel’s memory for keys may be full', () => {
    const thrown = (code: string) => Object.assign(new Error(`setsockopt: ${code}`), { code });
    assert.deepEqual(refusedKey(thrown('ENOMEM')), {
      kind: 'key refused',
      problem: 'no memory',
      text: 'setsockopt: ENOMEM',
    });
    assert.equal(refusedKey(thrown('EINVAL')).problem, 'other');
  });
});
