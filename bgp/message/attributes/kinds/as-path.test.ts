import assert from 'node:assert/strict';
import { ACTION_OK } from '../../constants.ts';
import { SessionCodecContext } from '../../context.ts';
import { attribute, bytes, NEXT_HOP, ORIGIN_IGP, u16, u32 } from '../../../testing/message-bytes.ts';
import { firstAs, formatAsPath, neighbourAs, pathLength } from './as-segments.ts';
import { formatAttributes } from '../table.ts';
import { validateAttributes } from '../validate.ts';
import { AttributeVerdict } from '../verdict.ts';

const TYPES: Readonly<Record<string, string>> = { set: '01', seq: '02', cseq: '03', cset: '04' };

/** 'seq 1 2, set 3' as wire bytes. */
function path(text: string, width: 2 | 4): string {
  if (text === '') return '';
  return text
    .split(', ')
    .map((segment) => {
      const [type, ...numbers] = segment.split(' ');
      const count = numbers.length.toString(16).padStart(2, '0');
      return (
        TYPES[type!]! +
        count +
        numbers.map((as) => (width === 2 ? u16(Number(as)) : u32(Number(as)))).join('')
      );
    })
    .join('');
}

describe('AS path', () => {
  it('counts hops: a set is one, confederation segments none (RFC 5065 section 5.3)', () => {
    const cases: [string, number][] = [
      ['', 0],
      ['seq 1 2 3', 3],
      ['seq 1 2, set 3 4 5', 3],
      ['cseq 1 2, seq 3', 1],
      ['cset 1 2', 0],
      ['set 1, set 2', 2],
    ];
    for (const [text, hops] of cases) {
      for (const width of [2, 4] as const) {
        const buf = bytes(path(text, width));
        assert.equal(pathLength(buf, 0, buf.length, width), hops, text);
      }
    }
  });

  it('finds the first AS and the neighbour AS', () => {
    const cases: [string, first: number, neighbour: number][] = [
      ['', 0, 0],
      ['seq 1 2', 1, 1],
      ['set 1 2, seq 3', 0, 0],
      ['cseq 9 8, seq 4200000001', 9, 4200000001],
      ['cseq 9', 9, 0],
      ['cset 9, set 3', 0, 0],
    ];
    for (const [text, first, neighbour] of cases) {
      const buf = bytes(path(text, 4));
      assert.deepEqual(
        [firstAs(buf, 0, buf.length), neighbourAs(buf, 0, buf.length)],
        [first, neighbour],
        text,
      );
    }
  });

  it('prints every kind of segment', () => {
    const buf = bytes(path('cseq 64512 64513, cset 64514 64515, seq 65001 4200000001, set 1 2', 4));
    assert.equal(formatAsPath(buf, 0, buf.length), '(64512 64513) [64514,64515] 65001 4200000001 {1,2}');
    assert.equal(formatAsPath(buf, 0, 0), '');
  });
});

describe('AS4_PATH merge (RFC 6793 section 4.2.3)', () => {
  const verdict = new AttributeVerdict();

  function merged(asPath: string, as4Path: string, others = '', confederation = false): [string, string] {
    const ctx = Object.assign(new SessionCodecContext(), { fourByteAs: false, confederation });
    const as4 = as4Path === '' ? '' : attribute(0xd0, 17, path(as4Path, 4));
    // AS4_PATH first: GoBGP CVE-2026-41643 was a crash on that order
    const block = bytes(as4 + others + ORIGIN_IGP + NEXT_HOP + attribute(0x50, 2, path(asPath, 2)));
    validateAttributes(block, 0, block.length, ctx, verdict);
    assert.equal(verdict.action, ACTION_OK);
    const texts = formatAttributes(verdict.bytes, 0, verdict.length);
    return [
      String(texts.find((text) => text.name === 'as_path')?.value),
      String(texts.find((text) => text.name === 'aggregator')?.value),
    ];
  }

  const rows: [what: string, asPath: string, as4Path: string, result: string, confederation?: boolean][] = [
    ['no AS4_PATH', 'seq 1 2', '', '1 2'],
    ['AS_TRANS replaced', 'seq 23456 2', 'seq 4200000001 2', '4200000001 2'],
    ['what old speakers prepended stays in front', 'seq 7 8 23456 2', 'seq 4200000001 2', '7 8 4200000001 2'],
    ['a longer AS4_PATH is ignored', 'seq 1 2', 'seq 4200000001 2 3', '1 2'],
    [
      'an AS_SET counts one hop',
      'seq 7 23456, set 1 2 3',
      'seq 4200000001, set 1 2 3',
      '7 4200000001 {1,2,3}',
    ],
    ['an AS_SET in front', 'set 7 8, seq 23456', 'seq 4200000001', '{7,8} 4200000001'],
    ['the cut is inside a sequence', 'seq 5 6 7, seq 23456', 'seq 6 7 4200000001', '5 6 7 4200000001'],
    [
      'confederation segments in AS4_PATH are dropped',
      'seq 23456 2',
      'cseq 64512, seq 4200000001 2',
      '4200000001 2',
    ],
    [
      'a leading confederation segment is kept',
      'cseq 64512, seq 23456',
      'seq 4200000001',
      '(64512) 4200000001',
      true,
    ],
    [
      'so is one beside a hop that is kept',
      'seq 7, cseq 64512, seq 23456',
      'seq 4200000001',
      '7 (64512) 4200000001',
      true,
    ],
    ['an empty AS_PATH', '', 'seq 4200000001', ''],
  ];
  for (const [what, asPath, as4Path, result, confederation] of rows) {
    it(`${what}: '${asPath}' + '${as4Path}'`, () => {
      assert.equal(merged(asPath, as4Path, '', confederation)[0], result);
    });
  }

  it('uses AS4_AGGREGATOR when AGGREGATOR is AS_TRANS', () => {
    const aggregators =
      attribute(0xc0, 7, `${u16(23456)}0a000001`) + attribute(0xc0, 18, `${u32(4200000001)}0a000002`);
    assert.deepEqual(merged('seq 23456', 'seq 4200000001', aggregators), [
      '4200000001',
      '4200000001 10.0.0.2',
    ]);
  });

  it('ignores AS4_AGGREGATOR and AS4_PATH when AGGREGATOR has a real AS', () => {
    const aggregators =
      attribute(0xc0, 7, `${u16(65001)}0a000001`) + attribute(0xc0, 18, `${u32(4200000001)}0a000002`);
    assert.deepEqual(merged('seq 23456', 'seq 4200000001', aggregators), ['23456', '65001 10.0.0.1']);
  });

  it('widens AGGREGATOR alone, and drops AS4_AGGREGATOR alone', () => {
    assert.equal(merged('seq 1', '', attribute(0xc0, 7, `${u16(65001)}0a000001`))[1], '65001 10.0.0.1');
    assert.equal(merged('seq 1', '', attribute(0xc0, 18, `${u32(65001)}0a000001`))[1], 'undefined');
  });

  it('joins both halves into one sequence only up to 255', () => {
    const lead = Array.from({ length: 100 }, (_, i) => i + 1).join(' ');
    const rest = Array.from({ length: 200 }, (_, i) => i + 1000).join(' ');
    const old = `seq ${lead}, seq ${rest}`;
    assert.equal(merged(old, `seq ${rest}`)[0], `${lead} ${rest}`);
    assert.equal(verdict.pathLength, 300);
  });
});
