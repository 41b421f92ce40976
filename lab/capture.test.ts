import assert from 'node:assert/strict';
import { readFrame } from './capture.ts';

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
const ethernet = '66 41 19 84 b7 5d  a6 b2 ea e7 24 33';
// An echo request from 10.244.0.1 to 10.244.0.65, as ping sends it.
const inner = '45 00 00 54 12 34 40 00 40 01 00 00 0a f4 00 01 0a f4 00 41  08 00 00 00 00 07 00 01';

describe('reading a capture', () => {
  it("tells a pod's own packet by EtherType and outermost addresses", () => {
    const frame = readFrame(bytes(`${ethernet} 08 00 ${inner}`));
    assert.deepEqual(
      [frame.etherType, frame.source, frame.destination],
      ['IPv4', '10.244.0.1', '10.244.0.65'],
    );
    assert.equal(
      frame.text,
      'a6:b2:ea:e7:24:33 > 66:41:19:84:b7:5d, IPv4, 42 bytes: 10.244.0.1 > 10.244.0.65: ICMP echo request',
    );
  });

  it('does not take an inner packet of a tunnel for one on the wire (IP in IP)', () => {
    const outer = '45 00 00 68 00 00 40 00 40 04 00 00 0a 00 01 01 0a 00 02 01';
    const frame = readFrame(bytes(`${ethernet} 08 00 ${outer} ${inner}`));
    assert.deepEqual([frame.source, frame.destination], ['10.0.1.1', '10.0.2.1']);
  });

  it('reads IPv6', () => {
    const header = '60 00 00 00 00 40 3a 40';
    const from = 'fd 00 00 10 02 44 00 00 00 00 00 00 00 00 00 01';
    const to = 'fd 00 00 10 02 44 00 00 00 00 00 00 00 00 00 40';
    const frame = readFrame(bytes(`${ethernet} 86 dd ${header} ${from} ${to} 80 00`));
    assert.deepEqual(
      [frame.etherType, frame.source, frame.destination],
      ['IPv6', 'fd00:10:244::1', 'fd00:10:244::40'],
    );
    assert.match(frame.text, /ICMPv6 echo request$/);
  });
});
