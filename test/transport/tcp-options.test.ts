// BGP's transport over real sockets with linux/'s socket options: keys, TTLs, addresses, unread bytes. Loopback
// only; needs no rights.
import assert from 'node:assert/strict';
import { type Connection, type DialError, type DialOptions, type ListenerHandle, TcpTransport } from '#bgp';
import { tcpSockets } from '#linux';
import { waitUntil } from '#world';

const GTSM = { kind: 'gtsm', hops: 1 } as const;
const MULTIHOP = { kind: 'multihop', hops: 64 } as const;

describe('TCP with socket options', () => {
  const transport = new TcpTransport({ socketOptions: tcpSockets });
  const accepted: Connection[] = [];
  const opened: Connection[] = [];
  let listener: ListenerHandle;
  let onAccept: ((connection: Connection) => void) | undefined;

  beforeEach(async () => {
    onAccept = undefined;
    listener = await transport.listen({ address: '127.0.0.1', port: 0 }, (connection) => {
      accepted.push(connection);
      onAccept?.(connection);
    });
  });
  afterEach(() => {
    for (const connection of [...opened.splice(0), ...accepted.splice(0)]) connection.destroy();
    listener.close();
  });

  function dial(more: Partial<DialOptions> = {}): Promise<Connection | DialError> {
    return new Promise((resolve) => {
      transport.dial(
        {
          remoteAddress: '127.0.0.1',
          remotePort: listener.port,
          localAddress: '127.0.0.2',
          ttl: MULTIHOP,
          connectTimeoutMs: 700,
          ...more,
        },
        (result) => {
          if (!('error' in result)) opened.push(result);
          resolve(result);
        },
      );
    });
  }

  async function connected(more: Partial<DialOptions> = {}): Promise<[Connection, Connection]> {
    const near = await dial(more);
    assert.ok(!('error' in near), JSON.stringify(near));
    await waitUntil('a connection', 1000, () => accepted.length > 0);
    return [near, accepted.at(-1)!];
  }

  it('binds the source address', async () => {
    const [near, far] = await connected({ localAddress: '127.0.0.9' });
    assert.equal(near.localAddress, '127.0.0.9');
    assert.equal(far.remoteAddress, '127.0.0.9');
  });

  it('SEC-1 MD5: the right key gets through, a wrong one and none do not', async () => {
    listener.setMd5Key('127.0.0.2/32', 'right');
    for (const more of [{ md5Key: 'wrong' }, {}]) {
      const result = await dial(more);
      assert.ok('error' in result && result.errno === 'ETIMEDOUT', JSON.stringify(result));
    }
    assert.equal(accepted.length, 0);
    await connected({ md5Key: 'right' });
  });

  it('SEC-1 a key for a range, and other neighbours without one', async () => {
    listener.setMd5Key('127.5.0.0/16', 'fleet');
    await connected({ md5Key: 'fleet', localAddress: '127.5.7.9' });
    await connected({ localAddress: '127.0.0.2' });
    listener.setMd5Key('127.5.0.0/16', undefined);
    await connected({ localAddress: '127.5.7.9' });
  });

  it('SEC-1 a key changed on both ends keeps the connection', async () => {
    listener.setMd5Key('127.0.0.2/32', 'old');
    const [near, far] = await connected({ md5Key: 'old' });
    const heard = collect(far);
    transport.setMd5Key(near, 'new');
    transport.setMd5Key(far, 'new');
    near.write(Buffer.from('still here'));
    await waitUntil('the text', 1000, () => heard.text === 'still here');
  });

  it('SEC-1 keys are there before the socket listens', async () => {
    const prepared = await transport.listen(
      { address: '127.0.0.1', port: 0 },
      (connection) => accepted.push(connection),
      (keys) => keys.setMd5Key('127.0.0.2/32', 'right'),
    );
    try {
      const result = await dial({ remotePort: prepared.port });
      assert.ok('error' in result && result.errno === 'ETIMEDOUT', JSON.stringify(result));
      await connected({ remotePort: prepared.port, md5Key: 'right' });
    } finally {
      prepared.close();
    }
    const refuse = transport.listen(
      { address: '127.0.0.1', port: 0 },
      () => {},
      () => {
        throw new Error('no');
      },
    );
    await assert.rejects(refuse, /127\.0\.0\.1 port \d+: no/);
  });

  it('SEC-1 a connection that came unsigned, before the key, is told from one that is signed', async () => {
    const rules = { ttl: MULTIHOP, md5Key: 'right' };
    const [, unsigned] = await connected();
    assert.deepEqual(transport.admit(unsigned, rules), { kind: 'unsigned' });
    listener.setMd5Key('127.0.0.2/32', 'right');
    const [near, signed] = await connected({ md5Key: 'right' });
    const heard = collect(signed);
    near.write(Buffer.from('before'));
    assert.equal(transport.admit(signed, rules), undefined);
    near.write(Buffer.from(' and after'));
    await waitUntil('the text', 1000, () => heard.text === 'before and after');
    listener.setMd5Key('127.0.0.2/32', undefined);
    listener.setMd5Key('127.0.0.0/24', 'right');
    const [, byPrefix] = await connected({ md5Key: 'right' });
    assert.equal(transport.admit(byPrefix, rules), undefined);
    assert.equal(
      transport.admit((await connected({ localAddress: '127.7.0.1' }))[1], { ttl: MULTIHOP }),
      undefined,
    );
  });

  it('SEC-2 GTSM: what came from too far is told, though its bytes were here before the rule', async () => {
    const [distant, deaf] = await connected({ ttl: MULTIHOP });
    distant.write(Buffer.from('all of a session in one go'));
    await waitUntil('the bytes', 1000, () => deaf.hasUnreadBytes() === true);
    assert.deepEqual(transport.admit(deaf, { ttl: GTSM }), { kind: 'too far', ttl: 64, least: 255 });
    const [, near] = await connected({ ttl: GTSM });
    assert.equal(transport.admit(near, { ttl: GTSM }), undefined);
  });

  it('SEC-2 GTSM: both ends with TTL 255 talk; one with less is not heard', async () => {
    onAccept = (connection) => transport.setTtlRule(connection, GTSM);
    const [near, far] = await connected({ ttl: GTSM });
    const heard = collect(far);
    near.write(Buffer.from('near enough'));
    await waitUntil('the text', 1000, () => heard.text === 'near enough');
    const [distant, deaf] = await connected({ ttl: MULTIHOP });
    const nothing = collect(deaf);
    distant.write(Buffer.from('too far'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(nothing.text, '');
  });

  it('FSM-9 sees bytes that the kernel holds, on dialled and accepted connections', async () => {
    const [near, far] = await connected();
    collect(near);
    collect(far);
    for (const [reader, writer] of [
      [near, far],
      [far, near],
    ] as const) {
      assert.equal(reader.hasUnreadBytes(), false);
      writer.write(Buffer.from('wake up'));
      // The loop does not turn: nothing can have been read, as after a stall.
      const end = performance.now() + 50;
      while (performance.now() < end && reader.hasUnreadBytes() !== true);
      assert.equal(reader.hasUnreadBytes(), true);
      await waitUntil('the bytes to be read', 1000, () => reader.hasUnreadBytes() === false);
    }
  });

  it('FSM-7 tells whether the other end answers, has closed, or takes nothing', async () => {
    const [near, far] = await connected();
    far.setHandler({ data: () => {}, drained: () => {}, closed: () => {} });
    near.setHandler({ data: () => {}, drained: () => {}, closed: () => {} });
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(near.lifeSigns()!.answeredAgoMs >= 250, 'nobody was asked');
    near.write(Buffer.from('are you there?'));
    await waitUntil('an answer', 1000, () => near.lifeSigns()!.answeredAgoMs < 100);
    assert.deepEqual([near.lifeSigns()!.isClosed, near.lifeSigns()!.isShut], [false, false]);
    far.pause();
    while (near.write(Buffer.alloc(256 * 1024)));
    await waitUntil('its window to shut', 5000, () => near.lifeSigns()!.isShut);
    near.pause();
    far.destroy();
    await waitUntil('the end, which nobody has read', 1000, () => near.lifeSigns()!.isClosed);
    near.destroy();
    assert.equal(near.lifeSigns()!.isClosed, true);
  });

  it('an address that is not ours is an error that says so, and no descriptor is lost', async () => {
    const result = await dial({ localAddress: '192.0.2.77' });
    assert.ok('error' in result);
    assert.match(result.error, /127\.0\.0\.1 port \d+: .*EADDRNOTAVAIL/);
  });

  it('works over IPv6', async () => {
    const six = await transport.listen({ address: '::1', port: 0 }, (connection) =>
      accepted.push(connection),
    );
    try {
      six.setMd5Key('::1/128', 'six');
      const [near] = await connected({
        remoteAddress: '::1',
        remotePort: six.port,
        localAddress: '::1',
        ttl: GTSM,
        md5Key: 'six',
      });
      assert.equal(near.remoteAddress, '::1');
      assert.equal(transport.admit(accepted.at(-1)!, { ttl: GTSM, md5Key: 'six' }), undefined);
      const six64 = { remoteAddress: '::1', remotePort: six.port, localAddress: '::1', md5Key: 'six' };
      await connected({ ...six64, ttl: MULTIHOP });
      const far = transport.admit(accepted.at(-1)!, { ttl: GTSM, md5Key: 'six' });
      assert.deepEqual(far, { kind: 'too far', ttl: 64, least: 255 });
    } finally {
      six.close();
    }
  });
});

function collect(connection: Connection): { text: string } {
  const heard = { text: '' };
  connection.setHandler({
    data: (buffer, start, end) => {
      heard.text += Buffer.from(buffer.subarray(start, end)).toString();
    },
    drained: () => {},
    closed: () => {},
  });
  return heard;
}
