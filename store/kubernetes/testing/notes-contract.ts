// What the notes of a cluster promise, kept by the API server in memory and the real one.
import assert from 'node:assert/strict';
import type { ClusterEvent, ClusterNotes } from '../../cluster-notes.ts';

export interface NotesPlace {
  readonly notes: ClusterNotes;
  /** With its status. */
  applyNode(node: object): Promise<void>;
  /** Both as the server has them. */
  node(name: string): Promise<unknown>;
  event(name: string): Promise<unknown>;
  /** How many requests have changed something; undefined: nobody counts. */
  writes?(): number;
}

interface RawNode {
  readonly spec: { readonly taints?: readonly { readonly key: string }[] };
  readonly status: { readonly conditions: readonly Record<string, string>[] };
}

const TAINT = 'podroute.io/agent-not-ready';
const at = (minute: number) => `2026-01-01T00:0${minute}:00.000Z`;
const event = (count: number, more: Partial<ClusterEvent> = {}): ClusterEvent => ({
  name: 'notes.1',
  about: { apiVersion: 'v1', kind: 'Node', name: 'notes', uid: 'uid-notes' },
  ...{ type: 'Warning', reason: 'SessionDown', message: `number ${count}`, count },
  ...{ firstAt: at(0), lastAt: at(count), node: 'notes', ...more },
});

/** @param make with an empty log */
export function describeNotes(name: string, make: () => Promise<NotesPlace>): void {
  describe(`the notes of an API server ${name}`, () => {
    let place: NotesPlace;
    before(async () => {
      place = await make();
      const ready = { type: 'Ready', status: 'True', reason: 'x', message: 'of the kubelet' };
      await place.applyNode({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: 'notes' },
        spec: {
          taints: [
            { key: TAINT, effect: 'NoSchedule' },
            { key: 'other', effect: 'NoExecute' },
          ],
        },
        status: { conditions: [ready] },
      });
    });

    const nodeNow = async () => (await place.node('notes')) as RawNode;
    const conditions = async () =>
      (await nodeNow()).status.conditions
        .map(({ type, status, reason, lastTransitionTime }) => [type, status, reason, lastTransitionTime])
        .sort(byType);

    it('make an event, and count it on; one that was forgotten is made anew', async () => {
      await place.notes.recordEvent(event(1));
      await place.notes.recordEvent(event(3));
      const found = (await place.event('notes.1')) as Record<string, unknown>;
      assert.deepEqual(
        [found['count'], found['message'], found['reason'], found['type'], found['lastTimestamp']],
        [3, 'number 3', 'SessionDown', 'Warning', '2026-01-01T00:03:00Z'],
      );
      await place.notes.recordEvent(event(7, { name: 'notes.2' }));
      assert.equal(((await place.event('notes.2')) as Record<string, unknown>)['count'], 7);
    });

    it('take an event for written whose first answer was lost', async () => {
      await place.notes.recordEvent(event(1, { name: 'notes.3' }));
      await place.notes.recordEvent(event(1, { name: 'notes.3', lastAt: at(2) }));
      const found = (await place.event('notes.3')) as Record<string, unknown>;
      assert.deepEqual([found['count'], found['lastTimestamp']], [1, '2026-01-01T00:02:00Z']);
    });

    it('say on the Node that its network is not there, and leave its taints', async () => {
      const marks = {
        isUnavailable: true,
        reason: 'PodrouteNotReady',
        message: 'no plan',
        startUpTaint: TAINT,
      };
      await place.notes.markNode('notes', marks, at(1));
      assert.deepEqual(await conditions(), [
        ['NetworkUnavailable', 'True', 'PodrouteNotReady', '2026-01-01T00:01:00Z'],
        ['Ready', 'True', 'x', (await conditions())[1]![3]],
      ]);
      const taints = (await nodeNow()).spec.taints?.map(({ key }) => key) ?? [];
      assert.ok(taints.includes(TAINT) && taints.includes('other'), taints.join());
    });

    it('say that it is there, and take their own taint off and no other', async () => {
      const marks = { isUnavailable: false, reason: 'PodrouteReady', message: 'well', startUpTaint: TAINT };
      await place.notes.markNode('notes', marks, at(2));
      const taints = (await nodeNow()).spec.taints?.map(({ key }) => key) ?? [];
      assert.ok(!taints.includes(TAINT) && taints.includes('other'), taints.join());
      assert.deepEqual((await conditions())[0]!.slice(1), ['False', 'PodrouteReady', '2026-01-01T00:02:00Z']);
    });

    it('write nothing that is so already, and keep the time of a condition that only says it in other words', async () => {
      const marks = { isUnavailable: false, reason: 'PodrouteReady', message: 'well' };
      const before = place.writes?.();
      await place.notes.markNode('notes', marks, at(3));
      assert.equal(place.writes?.(), before);
      await place.notes.markNode('notes', { ...marks, reason: 'Better' }, at(4));
      assert.deepEqual((await conditions())[0]!.slice(1), ['False', 'Better', '2026-01-01T00:02:00Z']);
    });

    it('reject when there is no such Node', async () => {
      const marks = { isUnavailable: false, reason: 'PodrouteReady', message: 'well' };
      await assert.rejects(place.notes.markNode('nobody', marks, at(1)), /404/);
    });
  });
}

const byType = (a: readonly unknown[], b: readonly unknown[]): number =>
  String(a[0]) < String(b[0]) ? -1 : 1;
