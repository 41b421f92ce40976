// What the server expects of a CniListener, asked of the unix socket and of the one in memory.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '#world';
import { realDisk } from '#linux';
import type { CniListener } from '../outside.ts';
import { encodeAnswer, encodeRequest, STILL_AT_WORK } from '../server/call.ts';
import { MemoryCni } from '../testing/memory-cni.ts';
import { unixSocketListener } from './unix-socket.ts';

const clock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

const request = (input: string) =>
  encodeRequest({ environment: new Map([['CNI_COMMAND', 'STATUS']]), input });
/** The configuration of a request, back as the answer. */
const echo = (bytes: Uint8Array) => encodeAnswer(0, new TextDecoder().decode(bytes).split('\0').at(-1) ?? '');

/** As podroute.c: one request, all that comes back, signs of life left out. */
function askSocket(path: string, bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(path, () => socket.end(bytes));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      const all = Buffer.concat(chunks);
      resolve(all.subarray(all.findIndex((byte) => byte !== STILL_AT_WORK)));
    });
  });
}

interface Bench {
  readonly listener: CniListener;
  /** Rejects when nobody serves the path. */
  ask(path: string, bytes: Uint8Array): Promise<Uint8Array>;
}

function memoryBench(): Bench {
  const listener = new MemoryCni(realDisk);
  const ask = async (path: string, bytes: Uint8Array) => {
    const answer = await listener.ask(path, bytes);
    if (answer === undefined) throw new Error('nobody serves it');
    return answer;
  };
  return { listener, ask };
}

for (const [name, makeBench] of [
  ['in memory', memoryBench],
  ['on a unix socket', (): Bench => ({ listener: unixSocketListener, ask: askSocket })],
] as const) {
  describe(`the listener for CNI calls ${name}`, () => {
    let folder: string;
    let path: string;
    let bench: Bench;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'podroute-cni-'));
      path = join(folder, 'cni.sock');
      bench = makeBench();
    });
    afterEach(() => rmSync(folder, { recursive: true }));

    const ask = async (input: string): Promise<string> => {
      const [exitCode, ...text] = await bench.ask(path, request(input));
      assert.equal(exitCode, 0);
      return Buffer.from(text).toString();
    };

    it('gives each call its own answer, many at a time', async () => {
      await using _served = await bench.listener.listen(path, async (bytes) => echo(bytes), clock);
      const inputs = Array.from({ length: 20 }, (_, i) => `{"n":${i}}`);
      assert.deepEqual(await Promise.all(inputs.map(ask)), inputs);
    });

    it('leaves a path alone that another serves, and takes it once that one is gone', async () => {
      {
        await using _served = await bench.listener.listen(path, async (bytes) => echo(bytes), clock);
        await assert.rejects(
          bench.listener.listen(path, async (bytes) => echo(bytes), clock),
          (error: Error) => error.message.startsWith(`CNI socket ${path}: another agent serves it`),
        );
        assert.equal(await ask('{}'), '{}');
      }
      await using _again = await bench.listener.listen(path, async (bytes) => echo(bytes), clock);
      assert.equal(await ask('{"a":1}'), '{"a":1}');
    });

    it('when it closes waits for the answer of a call that is under way; later callers find nobody', async () => {
      const isAsked = Promise.withResolvers<void>();
      const mayAnswer = Promise.withResolvers<void>();
      const served = await bench.listener.listen(
        path,
        async (bytes) => {
          isAsked.resolve();
          await mayAnswer.promise;
          return echo(Uint8Array.from(bytes));
        },
        clock,
      );
      const answer = ask('{"late":true}');
      await isAsked.promise;
      let isClosed = false;
      const closed = served[Symbol.asyncDispose]().then(() => {
        isClosed = true;
      });
      await assert.rejects(ask('{}'));
      assert.equal(isClosed, false);
      mayAnswer.resolve();
      assert.equal(await answer, '{"late":true}');
      await closed;
      await assert.rejects(ask('{}'));
    });
  });
}

describe('the unix socket for CNI calls', () => {
  it('and its folder can be changed by nobody else, also under umask 0', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'podroute-cni-'));
    const path = join(folder, 'run', 'cni.sock');
    const before = process.umask(0);
    try {
      await using _served = await unixSocketListener.listen(path, async (bytes) => bytes, clock);
      assert.equal(statSync(path).mode & 0o777, 0o600);
      assert.equal(statSync(join(folder, 'run')).mode & 0o777, 0o755);
    } finally {
      process.umask(before);
      rmSync(folder, { recursive: true });
    }
  });
});
