// Lines of a stream, however its bytes are cut into pieces, and what they may cost.
import assert from 'node:assert/strict';
import { LineSplitter, MOST_LINE_BYTES } from './line-splitter.ts';

describe('LineSplitter', () => {
  const text = '{"a":"ä€😀"}\n\n{"b":2}\n{"c"';
  for (const size of [1, 2, 3, 5, 100]) {
    it(`gives lines of pieces of ${size} bytes`, () => {
      const lines: string[] = [];
      const splitter = new LineSplitter((line) => lines.push(line));
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
      assert.deepEqual(lines, ['{"a":"ä€😀"}', '{"b":2}']);
      splitter.push(Buffer.from(':3}\n'));
      assert.equal(lines.at(-1), '{"c":3}');
    });
  }

  it('takes a line of as many bytes as it may have, and none of one more', () => {
    const lengths: number[] = [];
    const splitter = new LineSplitter((line) => lengths.push(line.length));
    const half = Buffer.alloc(MOST_LINE_BYTES / 2, 'x');
    splitter.push(half);
    splitter.push(Buffer.concat([half, Buffer.from('\n')]));
    assert.deepEqual(lengths, [MOST_LINE_BYTES]);
    splitter.push(half);
    splitter.push(half);
    assert.throws(() => splitter.push(Buffer.from('x')), /a line of more than 8388608 bytes/);
  });

  it('holds no more than the line where bytes come one by one', () => {
    const splitter = new LineSplitter(() => undefined);
    const before = process.memoryUsage();
    // Each byte keeps the packet of which it is a part, and is an object of some hundred bytes.
    const packet = Buffer.alloc(65_536, 'x');
    for (let i = 0; i < 2_000_000; i++) splitter.push(packet.subarray(i & 65_535, (i & 65_535) + 1));
    const after = process.memoryUsage();
    const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    assert.ok(grown < 100e6, `${Math.round(grown / 1e6)} MB for a line of 2 MB`);
  });
});
