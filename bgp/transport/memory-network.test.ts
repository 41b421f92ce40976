// What the network in memory does besides the contract of a transport: ways that are lost and found, hosts that die.
import assert from 'node:assert/strict';
import { FakeClock } from '#world/testing';
import type { Connection, DialError } from '../io.ts';
import { type MemoryHost, MemoryNetwork } from './memory-network.ts';

const MULTIHOP = { kind: 'multihop', hops: 255 } as const;

class End {
  readonly connection: Connection;
  heard = '';
  closes: (string | undefined)[] = [];

  constructor(connection: Connection) {
    this.connection = connection;
    connection.setHandler(this);
  }
  data(buffer: Uint8Array, start: number, end: number): void {
    this.heard += Buffer.from(buffer.subarray(start, end)).toString();
  }
  drained(): void {}
  closed(error: string | undefined): void {
    this.closes.push(error);
  }
  say(text: string): void {
    this.connection.write(Buffer.from(text));
  }
}

describe('the network in memory', () => {
  let clock: FakeClock;
  let network: MemoryNetwork;
  let a: MemoryHost;
  let b: MemoryHost;
  /** Host and address between which packets get lost. */
  let lost: Set<string>;
  let routers: number;
  let accepted: End[];

  beforeEach(async () => {
    clock = new FakeClock();
    network = new MemoryNetwork(clock);
    lost = new Set();
    routers = 0;
    network.paths = {
      routersTo: (from, address) => (lost.has(`${from.addresses[0]} ${address}`) ? undefined : routers),
    };
    [a, b] = [network.host('10.0.0.1'), network.host('10.0.0.2')];
    accepted = [];
    await b.listen({ address: '0.0.0.0', port: 179 }, (connection) => accepted.push(new End(connection)));
  });

  function dial(ttl: { kind: 'direct' } | typeof MULTIHOP = MULTIHOP): { result?: Connection | DialError } {
    const outcome: { result?: Connection | DialError } = {};
    const options = { remoteAddress: '10.0.0.2', remotePort: 179, ttl, connectTimeoutMs: 1000 };
    a.dial(options, (result) => {
      outcome.result = result;
    });
    clock.advance(1000);
    return outcome;
  }
  function connected(): [End, End] {
    const { result } = dial();
    assert.ok(result !== undefined && !('error' in result));
    return [new End(result), accepted[0]!];
  }

  it('connects only when packets arrive both ways, with what is left of their TTL', () => {
    for (const way of ['10.0.0.1 10.0.0.2', '10.0.0.2 10.0.0.1']) {
      lost = new Set([way]);
      assert.deepEqual(dial().result, {
        error: 'connect to 10.0.0.2 port 179: no answer',
        errno: 'ETIMEDOUT',
      });
    }
    lost.clear();
    routers = 1;
    assert.ok('error' in dial({ kind: 'direct' }).result!);
    connected();
  });

  it('sends again what got lost on the way, and tells nobody of a hole that was short', () => {
    const [near, far] = connected();
    lost.add('10.0.0.1 10.0.0.2');
    near.say('one');
    far.say('two');
    clock.advance(5000);
    assert.deepEqual([near.heard, far.heard], ['two', '']);
    lost.clear();
    near.say(' three');
    clock.advance(10_000);
    assert.equal(far.heard, 'one three');
    assert.deepEqual([near.closes, far.closes], [[], []]);
  });

  it('says nothing of a machine that died; who sends to it after its return is told that nobody is there', () => {
    const [near] = connected();
    b.crash();
    near.say('hello');
    clock.advance(30_000);
    assert.deepEqual(near.closes, []);
    assert.ok('error' in dial().result!);
    b.isUp = true;
    clock.advance(60_000);
    assert.deepEqual(near.closes, ['connection reset by the other end']);
    assert.deepEqual(dial().result, {
      error: 'connect to 10.0.0.2 port 179: refused',
      errno: 'ECONNREFUSED',
    });
  });

  it('closes the connections of a process that died, and none of its dials ends', () => {
    const [near] = connected();
    b.kill();
    clock.advance(1);
    assert.deepEqual(near.closes, [undefined]);
    let isTold = false;
    a.dial({ remoteAddress: '10.0.0.2', remotePort: 179, ttl: MULTIHOP }, () => {
      isTold = true;
    });
    a.kill();
    clock.advance(60_000);
    assert.equal(isTold, false);
  });
});
