// The same bad octets to our agent and to every other daemon: a NOTIFICATION of the same code and subcode, or the same
// treatment of the route, or a difference that is known with its reason.
import assert from 'node:assert/strict';
import { announce, type Answer, BAD_INPUTS, type BadInput, prefixOf } from './testing/bad-input.ts';
import type { DaemonKind } from './daemons/daemon.ts';
import { DAEMONS } from './daemons/index.ts';
import { podroute } from './daemons/podroute.ts';
import { DIFFERENCES } from './testing/differences.ts';
import { eventually } from './testing/fixture.ts';
import { Matrix } from './testing/matrix.ts';
import { MessageType, open } from '../testing/messages.ts';
import type { RawPeer } from '../testing/raw-peer.ts';
import { type Cell, describeTracks, type Track } from './testing/scenarios.ts';
import { HOLD_SECONDS, SCRIPT_AS, scriptAddress, Target } from './testing/target.ts';

const matrix = new Matrix('bad input');
/** A speaker that has done nothing until then has taken it, where that is what is expected … */
const PATIENCE_MS = 700;
/** … and where something else is expected, and for a hold time. */
const LONG_PATIENCE_MS = 6000;

describe('interop: answers to bad input', function () {
  this.timeout(100_000);
  after(() => matrix.publish('interop:errors', '### Answers to bad input'));
  describeTracks([podroute, ...DAEMONS].map(track), matrix);
});

function track(kind: DaemonKind): Track<Target> {
  return {
    kind,
    name: '',
    set: () =>
      Target.set(
        kind,
        BAD_INPUTS.map((input) => input.setup ?? {}),
      ),
    scenarios: BAD_INPUTS.map((input, index) => ({
      title: input.title,
      ...(input.setup?.maxPrefixes === undefined ? {} : { needs: 'maxPrefixes' as const }),
      body: (target: Target) => compared(kind, target, input, index),
    })),
  };
}

async function compared(kind: DaemonKind, target: Target, input: BadInput, index: number): Promise<Cell> {
  const peer = await reached(target, input, index);
  try {
    const difference = DIFFERENCES[kind.name]?.[input.title];
    const expected = difference?.answer ?? input.answer;
    const isNothing = expected === 'kept' || expected === 'stays';
    const answer = await answerTo(peer, target, input, index, isNothing ? PATIENCE_MS : LONG_PATIENCE_MS);
    assert.equal(answer, expected);
    if (kind === podroute && input.data !== undefined) {
      assert.equal(notificationOf(peer)?.subarray(2).toString('hex'), input.data, 'data');
    }
    return difference === undefined ? { text: answer } : { text: answer, reason: difference.reason };
  } finally {
    peer.close();
  }
}

/** A connection on which the target is in the state for the input. */
async function reached(target: Target, input: BadInput, index: number): Promise<RawPeer> {
  const fields = { asNumber: SCRIPT_AS, holdTimeSeconds: HOLD_SECONDS, routerId: scriptAddress(index) };
  if (input.at === 'Established') return target.established(index, fields);
  const peer = await target.opened(index);
  if (input.at === 'OpenConfirm') {
    peer.send(open(fields));
    await peer.readUntil(MessageType.keepalive);
  }
  return peer;
}

async function answerTo(
  peer: RawPeer,
  target: Target,
  input: BadInput,
  index: number,
  patienceMs: number,
): Promise<Answer> {
  const hasRoute = async () => (await target.daemon.routes('ipv4')).some((r) => r.prefix === prefixOf(index));
  const isAboutRoute = input.title.startsWith('UPDATE: ');
  if (isAboutRoute) {
    peer.send(announce(index));
    assert.ok(await eventually(hasRoute, (has) => has), 'the good route did not arrive');
  }
  peer.send(input.bytes(index));
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const isGone = isAboutRoute && !peer.isClosed && !(await hasRoute());
    // An end of the session takes the route away too: a moment for its NOTIFICATION.
    await new Promise((wake) => setTimeout(wake, 100));
    const notification = notificationOf(peer);
    if (notification !== undefined) return `${notification[0] ?? 0}/${notification[1] ?? 0}`;
    if (peer.isClosed) return target.isAlive ? 'closed' : 'crash';
    if (isGone) return 'withdrawn';
    if (performance.now() > deadline) return isAboutRoute ? 'kept' : 'stays';
  }
}

function notificationOf(peer: RawPeer): Buffer | undefined {
  return peer.received.find((m) => m.type === MessageType.notification)?.body;
}
