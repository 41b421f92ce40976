import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FRAME_OK, FRAME_STOPPED, type FrameSink, Framer } from './frame.ts';
import { bytes, hexOf, MARKER, message, u16, update } from '../testing/message-bytes.ts';

class Collector implements FrameSink {
  readonly seen: string[] = [];
  readonly types: number[] = [];
  stopAfter = Infinity;
  message(buf: Uint8Array, start: number, end: number, type: number): boolean {
    this.seen.push(hexOf(buf, start, end));
    this.types.push(type);
    return this.seen.length < this.stopAfter;
  }
}

const KEEPALIVE = bytes(`${MARKER} 0013 04`);
const OPEN = message(1, '04 fde9 00b4 c0000201 00');
const UPDATE = update({ attributes: '4001 01 00', nlri: '18 0a0102' });
const NOTIFICATION = message(3, '06 02 03 627965');
const REFRESH = message(5, '0001 00 01');
const STREAM = new Uint8Array(Buffer.concat([OPEN, KEEPALIVE, UPDATE, REFRESH, UPDATE, NOTIFICATION]));
const PARTS = [OPEN, KEEPALIVE, UPDATE, REFRESH, UPDATE, NOTIFICATION].map((part) => hexOf(part));

describe('framer', () => {
  it('hands on the messages of one chunk in order', () => {
    const sink = new Collector();
    assert.equal(new Framer(sink).feed(STREAM, 0, STREAM.length), FRAME_OK);
    assert.deepEqual(sink.seen, PARTS);
    assert.deepEqual(sink.types, [1, 4, 2, 5, 2, 3]);
  });

  it('gives the same messages when the stream is cut at any one place', () => {
    for (let cut = 0; cut <= STREAM.length; cut++) {
      const sink = new Collector();
      const framer = new Framer(sink);
      assert.equal(framer.feed(STREAM, 0, cut), FRAME_OK);
      assert.equal(framer.feed(STREAM, cut, STREAM.length), FRAME_OK);
      assert.deepEqual(sink.seen, PARTS, `cut at ${cut}`);
      assert.equal(framer.pendingLength, 0);
    }
  });

  it('gives the same messages byte by byte, in a buffer that is reused for every chunk', () => {
    const sink = new Collector();
    const framer = new Framer(sink);
    const chunk = new Uint8Array(3);
    for (const octet of STREAM) {
      chunk[1] = octet;
      assert.equal(framer.feed(chunk, 1, 2), FRAME_OK);
    }
    assert.deepEqual(sink.seen, PARTS);
  });

  it('gives the same messages for any split into chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(STREAM.length), { maxLength: 12 }), (cuts) => {
        const sink = new Collector();
        const framer = new Framer(sink);
        let from = 0;
        for (const cut of [...cuts.toSorted((a, b) => a - b), STREAM.length]) {
          framer.feed(STREAM.slice(from, cut), 0, cut - from);
          from = cut;
        }
        return sink.seen.join() === PARTS.join();
      }),
    );
  });

  it('takes 10,000 tiny UPDATEs in one chunk', () => {
    const one = update({});
    const chunk = new Uint8Array(one.length * 10_000);
    for (let i = 0; i < 10_000; i++) chunk.set(one, i * one.length);
    const sink = new Collector();
    assert.equal(new Framer(sink).feed(chunk, 0, chunk.length), FRAME_OK);
    assert.equal(sink.seen.length, 10_000);
  });

  it('HDR-2: a marker that is not all ones is 1/1 without data, at each of its octets', () => {
    for (let i = 0; i < 16; i++) {
      const bad = KEEPALIVE.slice();
      bad[i] = 0xfe;
      const framer = new Framer(new Collector());
      assert.equal(framer.feed(bad, 0, bad.length), 0x0101);
      assert.equal(framer.errorData.length, 0);
    }
  });

  it('HDR-3: a length that no message of its type has is 1/2 with the length as data', () => {
    const cases: [type: number, length: number][] = [
      [1, 28],
      [2, 22],
      [3, 20],
      [4, 18],
      [4, 20],
      [4, 4096],
      [2, 0],
      [2, 18],
      [2, 4097],
      [2, 65535],
    ];
    for (const [type, length] of cases) {
      const framer = new Framer(new Collector());
      const header = bytes(`${MARKER} ${u16(length)} 0${type}`);
      assert.equal(framer.feed(header, 0, header.length), 0x0102, `type ${type} length ${length}`);
      assert.equal(hexOf(framer.errorData), u16(length));
      assert.equal(framer.errorMessageType, type);
    }
  });

  it('takes the shortest and the longest message of each type', () => {
    const cases: [type: number, length: number][] = [
      [1, 29],
      [1, 4096],
      [2, 23],
      [2, 4096],
      [3, 21],
      [3, 4096],
      [4, 19],
      [5, 19],
      [5, 23],
    ];
    for (const [type, length] of cases) {
      const sink = new Collector();
      const whole = message(type, '00'.repeat(length - 19));
      assert.equal(new Framer(sink).feed(whole, 0, length), FRAME_OK, `type ${type} length ${length}`);
      assert.deepEqual(sink.types, [type]);
    }
  });

  it('RFC 8654: takes 65,535 octets once agreed, but never an OPEN or KEEPALIVE above 4,096', () => {
    for (const type of [2, 3, 5]) {
      const sink = new Collector();
      const framer = new Framer(sink);
      framer.maxLength = 65535;
      const whole = message(type, '00'.repeat(65535 - 19));
      for (let at = 0; at < whole.length; at += 1000) {
        assert.equal(framer.feed(whole, at, Math.min(at + 1000, whole.length)), FRAME_OK);
      }
      assert.deepEqual(sink.types, [type]);
    }
    for (const type of [1, 4]) {
      const framer = new Framer(new Collector());
      framer.maxLength = 65535;
      assert.equal(framer.feed(bytes(`${MARKER} 1001 0${type}`), 0, 19), 0x0102);
    }
  });

  it('HDR-4: an unknown type is 1/3 with the type as data', () => {
    for (const type of [0, 6, 255]) {
      const framer = new Framer(new Collector());
      const header = message(type, '');
      assert.equal(framer.feed(header, 0, header.length), 0x0103);
      assert.deepEqual([...framer.errorData], [type]);
    }
  });

  it('finds a bad header also when it arrives in two pieces', () => {
    const bad = bytes(`${MARKER} 0012 02`);
    for (let cut = 1; cut < bad.length; cut++) {
      const framer = new Framer(new Collector());
      assert.equal(framer.feed(bad, 0, cut), FRAME_OK);
      assert.equal(framer.feed(bad, cut, bad.length), 0x0102);
    }
  });

  it('hands on nothing more once the sink said stop, whatever the rest of the chunk holds', () => {
    for (let stopAfter = 1; stopAfter <= PARTS.length; stopAfter++) {
      for (const size of [1, 7, STREAM.length]) {
        const sink = new Collector();
        sink.stopAfter = stopAfter;
        const framer = new Framer(sink);
        for (let at = 0; at < STREAM.length; at += size) {
          framer.feed(STREAM, at, Math.min(at + size, STREAM.length));
        }
        assert.equal(sink.seen.length, stopAfter);
        assert.equal(framer.feed(STREAM, 0, STREAM.length), FRAME_STOPPED);
        assert.equal(sink.seen.length, stopAfter);
      }
    }
  });

  it('hands on nothing more when stop() is called while a message is handled', () => {
    let seen = 0;
    const framer: Framer = new Framer({
      message: () => {
        seen++;
        framer.stop();
        return true;
      },
    });
    assert.equal(framer.feed(STREAM, 0, STREAM.length), FRAME_STOPPED);
    assert.equal(seen, 1);
  });

  it('takes no byte after a bad header', () => {
    const sink = new Collector();
    const framer = new Framer(sink);
    const chunk = new Uint8Array(Buffer.concat([KEEPALIVE, message(9, ''), KEEPALIVE]));
    assert.equal(framer.feed(chunk, 0, chunk.length), 0x0103);
    assert.equal(sink.seen.length, 1);
    assert.equal(framer.feed(KEEPALIVE, 0, 19), FRAME_STOPPED);
    assert.equal(sink.seen.length, 1);
  });
});
