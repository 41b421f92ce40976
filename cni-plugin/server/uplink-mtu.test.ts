import assert from 'node:assert/strict';
import type { Link } from '#linux';
import { uplinkMtu } from './uplink-mtu.ts';

const link = (index: number, name: string, mtu: number, more: Partial<Link> = {}): Link => ({
  index,
  name,
  mtu,
  up: true,
  carrier: true,
  loopback: false,
  group: 0,
  peerElsewhere: false,
  ...more,
});
const LO = link(1, 'lo', 65_536, { loopback: true });

describe('MTU of pods', () => {
  it("is that of the default route's link, the smaller of two", () => {
    const links = [LO, link(2, 'eth0', 9000), link(3, 'eth1', 1400)];
    assert.equal(uplinkMtu(links, [2]), 9000);
    assert.equal(uplinkMtu(links, [2, 3]), 1400);
  });

  it('without a default route is the smallest of the links that may lead out', () => {
    const pod = link(4, 'pr0123456789abc', 1300);
    const down = link(5, 'eth2', 1280, { up: false });
    assert.equal(uplinkMtu([LO, link(2, 'eth0', 9000), link(3, 'eth1', 1500), pod, down], []), 1500);
  });

  it('is 1500 without any link', () => {
    assert.equal(uplinkMtu([LO], []), 1500);
  });
});
