// What all nodes say of a peer, added up.
import assert from 'node:assert/strict';
import { type BGPPeer, MOST_DOWN, parseDocument } from '#api';
import type { NodeReport } from './node-reports.ts';
import { countPeers, peerStatus } from './peer-sum.ts';

const PEER = parseDocument({
  apiVersion: 'podroute.io/v1',
  kind: 'BGPPeer',
  metadata: { name: 'tor', generation: 4 },
  spec: { peerIP: '192.0.2.1', asNumber: 65000 },
}).resource as BGPPeer;

const since = (minute: number) => `2026-01-01T00:${String(minute).padStart(2, '0')}:00.000Z`;
const session = (state: string, more: object = {}) => ({
  peer: 'tor',
  object: 'BGPPeer tor',
  address: '192.0.2.1',
  state,
  since: since(0),
  ...more,
});
const report = (node: string, sessions: readonly object[], problems: readonly object[] = []): NodeReport =>
  ({ node, status: { sessions, problems } }) as unknown as NodeReport;
const statusOf = (reports: readonly NodeReport[]) =>
  peerStatus(PEER, countPeers(reports).get('tor'), reports.length, undefined, since(9));

describe('the status of a BGPPeer', () => {
  it('is not known while nobody reports, and bad when no node has a session', () => {
    const reasons = [[], [report('n1', [])]].map((reports) => statusOf(reports).conditions![0]!);
    assert.deepEqual(
      reasons.map(({ status, reason }) => [status, reason]),
      [
        ['Unknown', 'NobodyReports'],
        ['False', 'NoSessions'],
      ],
    );
  });

  it('counts the sessions of this peer, whatever their ids are, and no others', () => {
    const status = statusOf([
      report('n1', [
        session('Established', { peer: 'tor/192.0.2.7' }),
        session('Established', { object: 'BGPPeer tor-2' }),
      ]),
      report('n2', [session('Established', { object: 'node-to-node mesh, Node tor' })]),
    ]);
    assert.deepEqual(
      [status.established, status.desired, status.worst, status.down],
      [1, 1, undefined, undefined],
    );
    assert.equal(status.observedGeneration, 4);
    assert.ok(status.conditions!.every(({ observedGeneration }) => observedGeneration === 4));
  });

  it('counts sessions whose BFD is up, and says of those that are down what theirs is', () => {
    assert.deepEqual(
      (({ bfdUp, bfdDesired }) => [bfdUp, bfdDesired])(statusOf([report('n1', [session('Established')])])),
      [undefined, undefined],
    );
    const silent = { ...report('n4', [session('Established', { bfd: 'Up' })]), silentMinutes: 20 };
    const status = statusOf([
      report('n1', [session('Established', { bfd: 'Up' })]),
      report('n2', [session('Established', { bfd: 'Down' }), session('Established')]),
      report('n3', [session('Idle', { bfd: 'Down', whyDown: 'BFD' })]),
      silent,
    ]);
    assert.deepEqual([status.bfdUp, status.bfdDesired, status.established], [1, 4, 3]);
    assert.deepEqual(
      status.down!.map(({ node, bfd }) => [node, bfd]),
      [
        ['n4', undefined],
        ['n3', 'Down'],
      ],
    );
  });

  it('names the worst: a refusal before a neighbour that does not answer, the longest down first', () => {
    const status = statusOf([
      report('n1', [session('Active', { whyDown: 'no answer', since: since(1) })]),
      report('n2', [session('Idle', { whyDown: 'refused: bad AS', lastErrorCode: '2/2', since: since(5) })]),
      report('n3', [session('Idle', { whyDown: 'refused: no', lastErrorCode: '2/2', since: since(3) })]),
      report('n4', [session('Established')]),
    ]);
    assert.equal(status.worst, 'n3: refused: no');
    assert.deepEqual(
      status.down!.map(({ node }) => node),
      ['n3', 'n2', 'n1'],
    );
    assert.match(status.conditions![0]!.message, /^1 of 4 sessions are up; n3: refused: no$/);
  });

  it('says what nodes find wrong with the object, also when all sessions are up', () => {
    const problem = { object: 'BGPPeer tor', message: 'has an address of two' };
    const status = statusOf([report('n1', [session('Established')], [problem]), report('n2', [], [problem])]);
    assert.equal(status.worst, 'n1: has an address of two');
    const [ready, problems] = status.conditions!;
    assert.deepEqual([ready!.status, problems!.status], ['True', 'False']);
    assert.equal(problems!.message, 'n1: has an address of two, and 1 more');
  });

  it('is bounded, whatever the cluster has', () => {
    const long = 'x'.repeat(1024);
    const reports = Array.from({ length: 5_000 }, (_, i) =>
      report(`n${i}`, [session('Idle', { whyDown: long })]),
    );
    const status = statusOf(reports);
    assert.equal(status.down!.length, MOST_DOWN);
    assert.equal(status.downLeftOut, 5_000 - MOST_DOWN);
    assert.ok(JSON.stringify(status).length < 20_000);
    const again = parseDocument({
      ...PEER,
      metadata: { name: 'tor' },
      spec: { peerIP: '192.0.2.1', asNumber: 65000 },
      status,
    });
    assert.deepEqual((again.resource as BGPPeer).status, status, 'the CRD takes it');
  });
});
