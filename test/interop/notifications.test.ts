// NOTIFICATIONs that the other daemons send to our agent because of what they are configured with or what befalls
// them, as its status tells them; and the Ceases that our agent sends when it is told to end a session.
import assert from 'node:assert/strict';
import type { SessionStatus } from '#agent-api';
import type { DaemonKind } from './daemons/daemon.ts';
import { DAEMONS } from './daemons/index.ts';
import { Podroute, podroute } from './daemons/podroute.ts';
import { eventually, OWN_AS, Stage, THEIRS } from './testing/fixture.ts';
import { Matrix } from './testing/matrix.ts';
import { MessageType, open as openMessage } from '../testing/messages.ts';
import { type Cell, describeTracks, type Track } from './testing/scenarios.ts';
import { HOLD_SECONDS, SCRIPT_AS, scriptAddress, Target } from './testing/target.ts';

const matrix = new Matrix('what befalls it');
const HOLD = 3;

describe('interop: NOTIFICATIONs', function () {
  this.timeout(100_000);
  after(() => matrix.publish('interop:notifications', '### NOTIFICATIONs that status shows'));
  describeTracks(DAEMONS.map(track), matrix);
  describe('podroute', ceases);
});

function track(kind: DaemonKind): Track<Stage> {
  return {
    kind,
    name: '',
    set: () => Stage.set(kind, { type: 'ebgp', holdTimeSeconds: HOLD, theirIpv4: { remoteAs: OWN_AS + 9 } }),
    scenarios: [
      {
        title: 'it expects another AS of us',
        body: async (s) => {
          const session = await told(s, THEIRS.ipv4, 2);
          assert.match(session.whyDown?.next ?? '', /expects another AS than 4200000000/);
          return cellOf(session);
        },
      },
      {
        title: 'we are silent for the hold time',
        body: async (s) => {
          await eventually(
            () => s.podroute.session(THEIRS.ipv6),
            ({ state }) => state === 'Established',
          );
          process.kill(s.podroute.pid, 'SIGSTOP');
          try {
            await new Promise((wake) => setTimeout(wake, (HOLD + 2) * 1000));
          } finally {
            process.kill(s.podroute.pid, 'SIGCONT');
          }
          return cellOf(await told(s, THEIRS.ipv6, 4));
        },
      },
      {
        title: 'it is stopped',
        needs: 'ceaseOnStop',
        body: async (s) => {
          await s.daemon.retry?.('fd01::1');
          const { state } = await eventually(
            () => s.podroute.session(THEIRS.ipv6),
            (session) => session.state === 'Established',
            20_000,
          );
          assert.equal(state, 'Established');
          await s.daemon[Symbol.asyncDispose]();
          return cellOf(await told(s, THEIRS.ipv6, 6));
        },
      },
    ],
  };
}

/** Waits until the neighbour's newest NOTIFICATION has this code. */
async function told(s: Stage, remote: string, code: number): Promise<SessionStatus> {
  const session = await eventually(
    () => s.podroute.session(remote),
    ({ notifications }) => notifications.lastIn?.code === code,
    10_000,
  );
  assert.equal(session.notifications.lastIn?.code, code, session.lastError?.text);
  return session;
}

function cellOf({ notifications }: SessionStatus): Cell {
  const { code, subcode } = notifications.lastIn ?? {};
  return { text: `${code}/${subcode}` };
}

function ceases(): void {
  const fieldsOf = (index: number) => ({
    ...{ asNumber: SCRIPT_AS, holdTimeSeconds: HOLD_SECONDS, routerId: scriptAddress(index) },
  });
  const open = (target: Target, index: number) => target.established(index, fieldsOf(index));

  it('says 6/3 to a neighbour that is taken from its configuration, and nothing to the others', async () => {
    await using target = await Target.set(podroute, [{}, {}]);
    const [kept, removed] = [await open(target, 0), await open(target, 1)];
    assert.ok(target.daemon instanceof Podroute);
    target.daemon.setPeers(target.peers.slice(0, 1));
    const notification = await removed.readUntil(MessageType.notification);
    assert.equal(notification?.body.subarray(0, 2).toString('hex'), '0603');
    assert.equal(kept.isClosed, false);
  });

  it('says 6/7 to the second connection of a neighbour whose first is established', async () => {
    await using target = await Target.set(podroute, [{}]);
    const first = await open(target, 0);
    const second = await target.connect(0);
    second.send(openMessage(fieldsOf(0)));
    const notification = await second.readUntil(MessageType.notification);
    assert.equal(notification?.body.subarray(0, 2).toString('hex'), '0607');
    assert.equal(first.isClosed, false);
  });

  it('says 6/2 to everybody when it ends', async () => {
    await using target = await Target.set(podroute, [{}]);
    const peer = await open(target, 0);
    await target.daemon[Symbol.asyncDispose]();
    const notification = await peer.readUntil(MessageType.notification);
    assert.equal(notification?.body.subarray(0, 2).toString('hex'), '0602');
  });
}
