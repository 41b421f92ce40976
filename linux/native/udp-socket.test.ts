// What only sockets of Linux have: queues and marks of the kernel, floods, and threads that end with sockets open.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { waitUntil } from '#world';
import type { Datagram, DatagramOptions, DatagramSocket } from '../datagrams.ts';
import { KernelError } from '../kernel-error.ts';
import { openPacketSocket } from '../real/packet-socket.ts';
import { openKernel } from '../real/real-kernel.ts';
import { needNamespaces, TestNetns } from '../testing/temporary-netns.ts';
import { addon } from './addon.ts';
import { withNetns } from './netns.ts';
import { udp } from './udp-socket.ts';

describe('UDP sockets', function () {
  needNamespaces(this);
  let cleanUp: DisposableStack;
  let netns: TestNetns;
  beforeEach(async () => {
    cleanUp = new DisposableStack();
    netns = cleanUp.use(new TestNetns());
    await using kernel = await openKernel({ netns: netns.path });
    await kernel.apply([{ type: 'setLink', device: 'lo', up: true }]);
  });
  afterEach(() => cleanUp.dispose());

  function open(
    address: string,
    options: Omit<DatagramOptions, 'local'> & { port?: number } = {},
    received?: (datagram: Datagram) => void,
  ): DatagramSocket {
    const { port = 0, ...rest } = options;
    const socket = withNetns(netns.path, () => udp.bind({ local: { address, port }, ...rest }, received));
    if (socket instanceof KernelError) throw socket;
    return cleanUp.use(socket);
  }

  it('mark network control traffic with CS6 in both families', async () => {
    const frames = cleanUp.use(openPacketSocket(netns.path, 'lo'));
    for (const address of ['127.0.0.1', '::1']) {
      const to = open(address, { port: 3784 }, () => undefined).local;
      open(address).send(Buffer.from('plain'), to);
      open(address, { isControl: true }).send(Buffer.from('control'), to);
    }
    // A frame of lo is seen twice: as it leaves and as it comes.
    const seen: Uint8Array[] = [];
    await waitUntil('all are seen', 5000, () => seen.push(...frames.take()) >= 8);
    const marks = seen.map((frame) => {
      const packet = Buffer.from(frame.subarray(14));
      const mark = packet[0]! >> 4 === 4 ? packet[1] : (packet.readUInt16BE(0) >> 4) & 0xff;
      return `${packet.toString('latin1').endsWith('control') ? 'control' : 'plain'} ${mark}`;
    });
    assert.deepEqual([...new Set(marks)].sort(), ['control 192', 'plain 0']);
  });

  it('lose what is longer than a datagram may be, and hear the next', async () => {
    const heard: number[] = [];
    const to = open('127.0.0.1', { port: 3784 }, ({ bytes }) => heard.push(bytes.length)).local;
    const sender = open('127.0.0.1');
    for (const length of [1_501, 1_500, 0]) sender.send(new Uint8Array(length), to);
    await waitUntil('two are heard', 5000, () => heard.length >= 2);
    assert.deepEqual(heard, [1_500, 0]);
  });

  it('keep what a thousand senders say while the thread is held up, and tell all of it in one turn', async () => {
    let heard = 0;
    const to = open('127.0.0.1', { port: 3784 }, () => heard++).local;
    const sender = open('127.0.0.1');
    for (let i = 0; i < 1_000; i++) sender.send(new Uint8Array(24), to);
    await new Promise((turned) => setTimeout(() => setImmediate(turned), 1));
    assert.equal(heard, 1_000);
  });

  it('end with the thread that opened them, however it ends', async () => {
    const code = `
      const { workerData, parentPort } = require('node:worker_threads');
      Promise.all(workerData.modules.map((module) => import(module))).then(([{ udp }, { withNetns }]) => {
        const bind = (port, received) =>
          withNetns(workerData.netns, () => udp.bind({ local: { address: '127.0.0.1', port } }, received));
        globalThis.kept = [bind(3784, () => undefined), bind(3785)];
        parentPort.postMessage('open');
        if (workerData.fails) setTimeout(() => { throw new Error('as in a test'); }, 10);
      });`;
    const modules = ['./udp-socket.ts', './netns.ts'].map((file) => new URL(file, import.meta.url).href);
    for (const fails of [true, false]) {
      const worker = new Worker(code, { eval: true, workerData: { modules, netns: netns.path, fails } });
      await once(worker, 'message');
      const taken = withNetns(netns.path, () => udp.bind({ local: { address: '127.0.0.1', port: 3784 } }));
      assert.ok(taken instanceof KernelError);
      assert.equal(taken.code, 'EADDRINUSE');
      const ended = new Promise((done) => worker.once('exit', done));
      worker.once('error', () => undefined);
      if (!fails) void worker.terminate();
      await ended;
      for (const port of [3784, 3785]) open('127.0.0.1', { port })[Symbol.dispose]();
    }
  });

  it('take no filter that is not whole instructions', () => {
    const fd = addon().socket(2, 2, 0);
    cleanUp.defer(() => void addon().close(fd));
    const EINVAL = -22;
    const wrong = [0, 7, 12, 8 * 4_097].map((length) => addon().attachFilter(fd, new Uint8Array(length)));
    assert.deepEqual(wrong, [EINVAL, EINVAL, EINVAL, EINVAL]);
  });
});
