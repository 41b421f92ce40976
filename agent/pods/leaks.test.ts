// Which addresses count as leaked, and which of them are given back.
import assert from 'node:assert/strict';
import { type Allocation, hostLinkName, type Owner, ownerKey } from '#ipam';
import type { OwnPods } from '#store';
import { judgeLeaks, type LeakFacts } from './leaks.ts';

const GRACE_MS = 900_000;
const NOW = 5_000_000;
const OLD = NOW - GRACE_MS;

type Given = { readonly [K in keyof Owner]?: Owner[K] | undefined };
const allocationOf = (more: Given = {}): Allocation => ({
  owner: {
    ...{ containerId: 'c1', ifname: 'eth0', network: 'podroute' },
    ...{ podNamespace: 'default', podName: 'web', podUid: 'u1', ...more },
  } as Owner,
  addresses: { ipv4: '10.244.0.5' },
  allocatedAtMs: 0,
});
/** @param pods 'default/web u1' */
const podsOf = (heardSinceMs: number, ...pods: string[]): OwnPods => ({
  heardSinceMs,
  has: (namespace, name, uid) =>
    pods.some(
      (pod) =>
        pod === `${namespace}/${name} ${uid}` ||
        (uid === undefined && pod.startsWith(`${namespace}/${name} `)),
    ),
});

interface Case {
  readonly owner?: Given;
  readonly pods?: OwnPods | undefined;
  /** Since when it was absent at the last look; undefined: it was not. */
  readonly since?: number | undefined;
  readonly isLinkThere?: boolean;
  readonly isUnlooked?: boolean;
  readonly becomes: 'collected' | 'reported' | 'waiting' | 'nothing';
}

const cases: Readonly<Record<string, Case>> = {
  'is given back when Pod and link are gone for the grace time': { becomes: 'collected' },
  'is reported while its link is there': { isLinkThere: true, becomes: 'reported' },
  'is given back by nobody who has not looked at links': { isUnlooked: true, becomes: 'reported' },
  'waits before the grace time is over': { since: OLD + 1, becomes: 'waiting' },
  'waits when the Pod was there at the last look': { since: undefined, becomes: 'waiting' },
  'waits when the list was away in between': { pods: podsOf(OLD + 1), becomes: 'waiting' },
  'is none while nobody knows the Pods': { pods: undefined, becomes: 'nothing' },
  'is none while its Pod is there': { pods: podsOf(0, 'default/web u1'), becomes: 'nothing' },
  'is given back when its name is another Pod’s now': {
    pods: podsOf(0, 'default/web u2'),
    becomes: 'collected',
  },
  'is none while a Pod has that name, and the runtime gave no UID': {
    owner: { podUid: undefined },
    pods: podsOf(0, 'default/web u2'),
    becomes: 'nothing',
  },
  'is given back without a UID when no Pod has that name': {
    owner: { podUid: undefined },
    becomes: 'collected',
  },
  'is given back when that name is in another namespace': {
    pods: podsOf(0, 'other/web u1'),
    becomes: 'collected',
  },
  'is none of Kubernetes when it has no Pod’s name': { owner: { podName: undefined }, becomes: 'nothing' },
  'is none of Kubernetes when it has no namespace': {
    owner: { podNamespace: undefined },
    becomes: 'nothing',
  },
  'is none when it is of another network': { owner: { network: 'storage' }, becomes: 'nothing' },
};

describe('an address of a Pod that is gone', () => {
  for (const [name, one] of Object.entries(cases)) {
    it(name, () => {
      const allocation = allocationOf(one.owner);
      const since = 'since' in one ? one.since : OLD;
      const link = hostLinkName(ownerKey(allocation.owner));
      const facts: LeakFacts = {
        ...{ nowMs: NOW, graceMs: GRACE_MS, allocations: [allocation], network: 'podroute' },
        pods: 'pods' in one ? one.pods : podsOf(0),
        links: one.isUnlooked ? undefined : new Set(one.isLinkThere ? [link] : ['pr0000000000000']),
      };
      const { absent, collect, report } = judgeLeaks(
        since === undefined ? new Map() : new Map([[allocation, since]]),
        facts,
      );
      const became =
        collect.length > 0
          ? 'collected'
          : report.length > 0
            ? 'reported'
            : absent.size > 0
              ? 'waiting'
              : 'nothing';
      assert.equal(became, one.becomes);
    });
  }

  it('waits anew when the same container got addresses anew, and what is given back is remembered no longer', () => {
    const before = new Map([[allocationOf(), OLD]]);
    const facts = {
      nowMs: NOW,
      graceMs: GRACE_MS,
      pods: podsOf(0),
      network: 'podroute',
      links: new Set<string>(),
    };
    const again = allocationOf();
    const verdict = judgeLeaks(before, { ...facts, allocations: [again] });
    assert.deepEqual([...verdict.absent], [[again, NOW]]);
    assert.equal(judgeLeaks(before, { ...facts, allocations: [] }).absent.size, 0);
  });
});
