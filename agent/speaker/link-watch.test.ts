import assert from 'node:assert/strict';
import type { Address, Kernel, KernelEvent, Link } from '#linux';
import { LinkWatch } from './link-watch.ts';
import { SILENT } from '../log.ts';

function link(change: Partial<Link>): Link {
  const base = { mtu: 1500, up: true, carrier: true, loopback: false, group: 0, peerElsewhere: false };
  return { index: 2, name: 'eth0', ...base, ...change };
}

const address: Address = {
  family: 'ipv4',
  address: '10.0.0.1/24',
  deviceIndex: 2,
  scope: 'global',
  tentative: false,
  permanent: true,
};

async function watched() {
  let tell: (event: KernelEvent) => void = () => undefined;
  let links = [link({})];
  const kernel = {
    links: async () => links,
    addresses: async () => [address],
    watch: (handler: (event: KernelEvent) => void) => {
      tell = handler;
      return { [Symbol.dispose]: () => undefined };
    },
  } as unknown as Kernel;
  const watch = new LinkWatch(kernel, SILENT);
  await watch.start();
  return {
    watch,
    tell: (event: KernelEvent) => tell(event),
    setLinks: (now: Link[]) => {
      links = now;
    },
  };
}

describe('the watch on links under sessions', () => {
  it('knows which link has an address, and forgets it with the address', async () => {
    const { watch, tell } = await watched();
    assert.deepEqual(watch.linkOf('10.0.0.1'), { device: 'eth0', network: '10.0.0.0/24', ipv4: '10.0.0.1' });
    assert.equal(watch.linkOf('10.0.0.2'), undefined);
    tell({ type: 'address', change: 'deleted', address });
    assert.equal(watch.linkOf('10.0.0.1'), undefined);
  });

  it('knows what else may be a next hop there: no link-local address, none that may be a duplicate', async () => {
    const { watch, tell } = await watched();
    const add = (text: string, more: Partial<Address> = {}) =>
      tell({
        type: 'address',
        change: 'new',
        address: { ...address, family: 'ipv6', address: text, ...more },
      });
    add('fe80::1/64');
    add('2001:db8::1/64', { tentative: true });
    assert.deepEqual(watch.linkOf('10.0.0.1'), { device: 'eth0', network: '10.0.0.0/24', ipv4: '10.0.0.1' });
    add('2001:db8::1/64');
    const both = { device: 'eth0', network: '10.0.0.0/24', ipv4: '10.0.0.1', ipv6: '2001:db8::1' };
    assert.deepEqual(watch.linkOf('10.0.0.1'), both);
    tell({ type: 'link', change: 'new', link: link({ index: 3, name: 'eth1' }) });
    add('fe80::1/64', { deviceIndex: 3 });
    assert.deepEqual(watch.linkOf('fe80::1', 'eth1'), { device: 'eth1', network: 'fe80::/64' });
    assert.deepEqual(watch.linkOf('fe80::1', 'eth0'), { ...both, network: 'fe80::/64' });
  });

  it('tells once when the link loses its carrier, is switched off, or goes', async () => {
    const losses: Link[] = [link({ carrier: false }), link({ up: false })];
    for (const lost of losses) {
      const { watch, tell } = await watched();
      let count = 0;
      watch.watchLink('eth0', () => count++);
      tell({ type: 'link', change: 'new', link: link({ mtu: 9000 }) });
      assert.equal(count, 0);
      tell({ type: 'link', change: 'new', link: lost });
      tell({ type: 'link', change: 'new', link: lost });
      assert.equal(count, 1);
    }
    const { watch, tell } = await watched();
    let count = 0;
    watch.watchLink('eth0', () => count++);
    tell({ type: 'link', change: 'deleted', link: link({}) });
    assert.equal(count, 1);
  });

  it('tells nobody who has cancelled, nor those of other links', async () => {
    const { watch, tell } = await watched();
    watch.watchLink('eth1', () => assert.fail('another link'));
    watch.watchLink('eth0', () => assert.fail('cancelled')).cancel();
    tell({ type: 'link', change: 'new', link: link({ up: false }) });
  });

  it('reads all again when notifications were lost', async () => {
    const { watch, tell, setLinks } = await watched();
    setLinks([link({ up: false })]);
    const told = new Promise<void>((done) => {
      watch.watchLink('eth0', done);
    });
    tell({ type: 'overrun' });
    await told;
  });

  it('tells who follows of links that come, change, have another name and go, also in what was lost', async () => {
    const { watch, tell, setLinks } = await watched();
    const told: string[] = [];
    const following = watch.follow((device) => told.push(`${device} ${watch.link(device)?.index}`));
    tell({ type: 'link', change: 'new', link: link({ index: 3, name: 'eth1', up: false }) });
    tell({ type: 'link', change: 'new', link: link({ index: 3, name: 'up1', up: false }) });
    tell({ type: 'link', change: 'deleted', link: link({ index: 3, name: 'up1' }) });
    assert.deepEqual(told.splice(0), ['eth1 3', 'eth1 undefined', 'up1 3', 'up1 undefined']);
    setLinks([]);
    tell({ type: 'overrun' });
    await new Promise(setImmediate);
    assert.deepEqual(told.splice(0), ['eth0 undefined']);
    following[Symbol.dispose]();
    tell({ type: 'link', change: 'new', link: link({}) });
    assert.deepEqual(told, []);
  });
});
