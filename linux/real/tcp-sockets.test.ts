import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { openKernel } from './real-kernel.ts';
import { type TcpSocketRequest, tcpSockets } from './tcp-sockets.ts';
import { needNamespaces, TestNetns } from '../testing/temporary-netns.ts';
import { withNetns } from '../native/netns.ts';

/** 'connected' when a connection from one to the other comes about within the time, else why not. */
async function tryToConnect(
  netns: string,
  server: TcpSocketRequest,
  client: TcpSocketRequest,
  waitMs = 300,
  prepare: (listening: number) => void = () => undefined,
): Promise<string> {
  const listening = withNetns(netns, () => tcpSockets.openTcpSocket(server));
  const connecting = withNetns(netns, () => tcpSockets.openTcpSocket(client));
  const listener = net.createServer((socket) => socket.end('hello'));
  const socket = new net.Socket({ fd: connecting });
  try {
    listener.listen({ fd: listening });
    await once(listener, 'listening');
    prepare(listening);
    const { address, port } = listener.address() as net.AddressInfo;
    const host = address === '::' && client.family === 'ipv4' ? '127.0.0.1' : address;
    socket.connect({ host, port });
    const result = once(socket, 'connect').then(
      () => 'connected',
      (error: NodeJS.ErrnoException) => error.code ?? 'failed',
    );
    const late = new Promise<string>((resolve) => setTimeout(resolve, waitMs, 'no answer'));
    return await Promise.race([result, late]);
  } finally {
    socket.on('error', () => undefined).destroy();
    listener.close();
  }
}

describe('TCP sockets for BGP', function () {
  needNamespaces(this);
  let netns: TestNetns;
  before(async () => {
    netns = new TestNetns();
    await using kernel = await openKernel({ netns: netns.path });
    const errors = await kernel.apply([
      { type: 'setLink', device: 'lo', up: true },
      { type: 'addAddress', device: 'lo', address: 'fd00::1/128', noDad: true },
      { type: 'addLink', kind: 'veth', name: 'eth7', up: true, peer: { name: 'eth8' } },
    ]);
    assert.deepEqual(errors, [undefined, undefined, undefined]);
  });
  after(() => netns?.[Symbol.dispose]());

  const families = [
    { family: 'ipv4', address: '127.0.0.1', other: '127.0.0.9', prefix: '127.0.0.0/8' },
    { family: 'ipv6', address: '::1', other: 'fd00::1', prefix: '::/64' },
  ] as const;
  for (const { family, address, other, prefix } of families) {
    const server = { family, bind: { address, port: 0 } };

    it(`connects ${family} with the same MD5 key at both ends and not with another`, async () => {
      const listens = { ...server, md5: [{ prefix: address, key: 'secret' }] };
      const calls = (key: string) => ({
        family,
        bind: { address, port: 0 },
        md5: [{ prefix: address, key }],
      });
      assert.equal(await tryToConnect(netns.path, listens, calls('secret')), 'connected');
      assert.equal(await tryToConnect(netns.path, listens, calls('guessed')), 'no answer');
      assert.equal(await tryToConnect(netns.path, listens, { family }), 'no answer');
    });

    it(`takes an MD5 key for all neighbours of an ${family} prefix`, async () => {
      const listens = { ...server, md5: [{ prefix, key: 'rack' }] };
      const calls = (key: string) => ({ family, md5: [{ prefix: address, key }] });
      assert.equal(await tryToConnect(netns.path, listens, calls('rack')), 'connected');
      assert.equal(await tryToConnect(netns.path, listens, calls('other')), 'no answer');
    });

    it(`changes and removes the MD5 key of a listening ${family} socket`, async () => {
      const listens = { ...server, md5: [{ prefix: address, key: 'old' }] };
      const calls = { family, md5: [{ prefix: address, key: 'new' }] };
      const change = (fd: number) => tcpSockets.setMd5(fd, address, 'new');
      assert.equal(await tryToConnect(netns.path, listens, calls, 300, change), 'connected');
      const remove = (fd: number) => tcpSockets.setMd5(fd, address, undefined);
      assert.equal(await tryToConnect(netns.path, listens, { family }, 300, remove), 'connected');
    });

    it(`drops ${family} packets whose TTL is below the minimum`, async () => {
      const listens = { ...server, ttl: 255, minTtl: 255 };
      assert.equal(await tryToConnect(netns.path, listens, { family, ttl: 255, minTtl: 255 }), 'connected');
      assert.equal(await tryToConnect(netns.path, listens, { family, ttl: 64 }), 'no answer');
    });

    it(`binds to an absent ${family} address only with freebind`, () => {
      const absent = family === 'ipv4' ? '192.0.2.77' : '2001:db8::77';
      const bind = { address: absent, port: 179 };
      assert.throws(
        () => withNetns(netns.path, () => tcpSockets.openTcpSocket({ family, bind })),
        new RegExp(`bind TCP socket to ${absent} port 179: EADDRNOTAVAIL`),
      );
      const fd = withNetns(netns.path, () => tcpSockets.openTcpSocket({ family, bind, freebind: true }));
      tcpSockets.closeSocket(fd);
    });

    it(`binds ${family} to the address asked for`, async () => {
      const calls = { family, bind: { address: other, port: 0 }, userTimeoutMs: 5000, reuseAddress: true };
      assert.equal(await tryToConnect(netns.path, server, calls), 'connected');
    });
  }

  it('protects IPv4 neighbours of a dual-stack listener too', async () => {
    const listens: TcpSocketRequest = {
      family: 'ipv6',
      v6Only: false,
      bind: { address: '::', port: 0 },
      ttl: 255,
      md5: [{ prefix: '127.0.0.0/8', key: 'secret' }],
    };
    const calls = (key: string): TcpSocketRequest => ({
      family: 'ipv4',
      md5: [{ prefix: '127.0.0.1', key }],
    });
    assert.equal(await tryToConnect(netns.path, listens, calls('secret')), 'connected');
    assert.equal(await tryToConnect(netns.path, listens, calls('guessed')), 'no answer');
  });

  it('changes the key of a live session without breaking it', async () => {
    const md5 = [{ prefix: '127.0.0.1', key: 'old' }];
    const request: TcpSocketRequest = { family: 'ipv4', bind: { address: '127.0.0.1', port: 0 }, md5 };
    const [listening, calling] = withNetns(netns.path, () => [
      tcpSockets.openTcpSocket(request),
      tcpSockets.openTcpSocket(request),
    ]) as [number, number];
    const listener = net.createServer();
    const client = new net.Socket({ fd: calling });
    try {
      listener.listen({ fd: listening });
      await once(listener, 'listening');
      client.connect({ host: '127.0.0.1', port: (listener.address() as net.AddressInfo).port });
      const [server] = (await once(listener, 'connection')) as [net.Socket];
      const accepted = (server as unknown as { _handle: { fd: number } })._handle.fd;
      for (const fd of [calling, accepted]) tcpSockets.setMd5(fd, '127.0.0.1', 'new');
      client.write('still there');
      assert.equal(String((await once(server, 'data'))[0]), 'still there');
      tcpSockets.setMd5(accepted, '127.0.0.1', 'newer');
      client.write('unheard');
      const late = new Promise((resolve) => setTimeout(resolve, 200, 'silence'));
      assert.equal(await Promise.race([once(server, 'data'), late]), 'silence');
      server.destroy();
    } finally {
      client.destroy();
      listener.close();
    }
  });

  it('keeps a socket that is bound to a device off the others', async () => {
    const listens: TcpSocketRequest = { family: 'ipv4', bind: { address: '127.0.0.1', port: 0 } };
    const outcome = await tryToConnect(netns.path, listens, { family: 'ipv4', device: 'eth7' });
    assert.notEqual(outcome, 'connected');
    assert.equal(await tryToConnect(netns.path, listens, { family: 'ipv4', device: 'lo' }), 'connected');
  });

  it('counts what nobody has read', async () => {
    const fd = withNetns(netns.path, () => tcpSockets.openTcpSocket({ family: 'ipv4' }));
    assert.equal(tcpSockets.unread(fd), 0);
    tcpSockets.closeSocket(fd);
    assert.throws(() => tcpSockets.unread(fd), /count unread bytes of socket \d+: EBADF/);
  });

  it('names the device, the key or the prefix that is wrong', () => {
    assert.throws(
      () => tcpSockets.openTcpSocket({ family: 'ipv4', device: 'nope0' }),
      /bind socket to device nope0: ENODEV/,
    );
    const md5 = [{ prefix: '10.0.0.1', key: 'x'.repeat(81) }];
    assert.throws(
      () => tcpSockets.openTcpSocket({ family: 'ipv4', md5 }),
      /10\.0\.0\.1 .*EINVAL \(key of 81 bytes/,
    );
    const nowhere = [{ prefix: 'tor-a', key: 'x' }];
    assert.throws(
      () => tcpSockets.openTcpSocket({ family: 'ipv4', md5: nowhere }),
      /tor-a .*no address and no prefix/,
    );
  });
});
