import assert from 'node:assert/strict';
import { parsePacket } from './capture.ts';

describe('reading a capture', () => {
  it("tells a pod's own packet by EtherType and addresses (lines as tcpdump 4.99 printed them)", () => {
    const line =
      '05:00:00.000001 0a:00:00:00:00:01 > 0a:00:00:00:00:02, ethertype IPv4 (0x0800), length 98: 10.244.0.1 > 10.244.0.65: ICMP echo request, id 7, seq 1, length 64';
    const packet = parsePacket(line);
    assert.deepEqual(
      [packet?.etherType, packet?.source, packet?.destination],
      ['IPv4', '10.244.0.1', '10.244.0.65'],
    );
  });

  it('takes neither a tunnelled packet nor its inner header for a packet on the wire', () => {
    for (const line of [
      '05:00:00.1 0a:00:00:00:00:01 > 0a:00:00:00:00:02, ethertype IPv4 (0x0800), length 118: 10.0.1.1 > 10.0.2.1: IP 10.244.0.1 > 10.244.0.65: ICMP echo request, id 7, seq 1, length 64',
      '05:00:00.2 0a:00:00:00:00:01 > 0a:00:00:00:00:02, ethertype IPv4 (0x0800), length 148: 10.0.1.1.4789 > 10.0.2.1.4789: VXLAN, flags [I] (0x08), vni 1',
    ]) {
      assert.equal(parsePacket(line), undefined);
    }
  });
});
