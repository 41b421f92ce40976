// A hostile neighbour in a thread of its own: it establishes a session and then sends one kind of message as fast
// as TCP takes it, until it is told to stop. Run as a worker; see flood() in attack.ts.
import { connect } from 'node:net';
import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import type { Attack } from './attack.ts';
import {
  address,
  asPath,
  attribute,
  ENHANCED_REFRESH,
  fourOctetAs,
  hex,
  IPV4_UNICAST,
  IPV6_UNICAST,
  KEEPALIVE,
  message,
  open,
  prefix,
  ROUTE_REFRESH,
  update,
} from '../../testing/messages.ts';

const CHUNK_BYTES = 64 * 1024;
const { port, host, asNumber, kind } = workerData as Attack;
// The tormented and their measurements go first on a machine with few processors: we flood with what is left.
setPriority(10);

const REFRESH = message(5, Buffer.from([0, 1, 0, 1]));
const BEGIN_REFRESH = message(5, Buffer.from([0, 1, 1, 1]));
const END_REFRESH = message(5, Buffer.from([0, 1, 2, 1]));
const END_OF_RIB = update({});
const NEXT_HOP = address(`10.0.0.${host}`);
/** Stands where each message gets a number of its own. */
const MARK = Buffer.from('c0ffee11', 'hex');

function one(i: number): Buffer {
  switch (kind) {
    case 'keepalive':
      return KEEPALIVE;
    case 'refresh':
      return REFRESH;
    // Refreshes without end that bring nothing (RFC 7313).
    case 'marks':
      return i % 2 === 0 ? BEGIN_REFRESH : END_REFRESH;
    // 200 prefixes come and go, with ordinary attributes that are never the same.
    case 'update':
      if (i % 3 === 2) return update({ withdrawn: prefix(`20.${host}.${(i * 7) % 200}.0/24`) });
      return announcement(i, attribute(0x80, 4, MARK), 1);
    // As long as attributes can be, never the same, for few prefixes.
    case 'attributes':
      return announcement(i, Buffer.concat([hex('d008 0f3c'), MARK, Buffer.alloc(3896, 1)]), 1);
    // An attribute to discard (LOCAL_PREF from outside), and one that makes the route a withdrawal (ORIGIN 9).
    case 'malformed':
      return i % 2 === 0
        ? announcement(i, hex('4005 04 00000064'), 1)
        : update({ attributes: hex('4001 01 09'), nlri: prefix(`20.${host}.7.0/24`) });
    // Ordinary UPDATEs of fifty prefixes each, over and over.
    case 'bulk':
      return announcement(i, attribute(0x80, 4, MARK), 50);
  }
}

function announcement(i: number, more: Buffer, count: number): Buffer {
  const attributes = Buffer.concat([
    attribute(0x40, 1, Buffer.of(0)),
    asPath([asNumber]),
    attribute(0x40, 3, NEXT_HOP),
    more,
  ]);
  const nlri = Array.from({ length: count }, (_, n) => prefix(`20.${host}.${(i * count + n) % 200}.0/24`));
  return update({ attributes, nlri: Buffer.concat(nlri) });
}

const parts: Buffer[] = [];
for (let bytes = 0; bytes < CHUNK_BYTES; bytes += parts.at(-1)!.length) parts.push(one(parts.length));
const template = Buffer.concat(parts);
const marks: number[] = [];
for (let at = template.indexOf(MARK); at >= 0; at = template.indexOf(MARK, at + 4)) marks.push(at);
let sent = 0;
let number = 0;

function chunk(): Buffer {
  sent += parts.length;
  const bytes = Buffer.from(template);
  for (const at of marks) bytes.writeUInt32BE(number++ >>> 0, at);
  return bytes;
}

const socket = connect({ host: '127.0.0.1', port, localAddress: `127.0.0.${host}` });
socket.on('error', () => {});
let isStopped = false;
let isEstablished = false;

function pump(): void {
  if (!isStopped && socket.writable && socket.write(chunk())) setImmediate(pump);
}

socket.on('connect', () => {
  const capabilities = [IPV4_UNICAST, IPV6_UNICAST, ROUTE_REFRESH, ENHANCED_REFRESH, fourOctetAs(asNumber)];
  socket.write(open({ asNumber, holdTimeSeconds: 90, routerId: `10.0.0.${host}`, capabilities }));
  socket.write(Buffer.concat([KEEPALIVE, END_OF_RIB]));
});
socket.on('drain', () => {
  if (isEstablished) pump();
});
socket.on('data', () => {
  if (isEstablished) return;
  isEstablished = true;
  parentPort?.postMessage('established');
  pump();
});
socket.on('close', () => parentPort?.postMessage('closed'));
parentPort?.on('message', () => {
  isStopped = true;
  parentPort?.postMessage({ sent, bytes: socket.bytesWritten });
  socket.destroy();
  parentPort?.close();
});
