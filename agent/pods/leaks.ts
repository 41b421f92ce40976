// Which addresses have leaked: given out to a Pod that is gone, which no DEL ever gave back. Pure. An address is collected
// only when its Pod has been absent for the whole grace time from a list that was heard all the while, and the host's end of
// its link is gone: that goes with the pod's network namespace. While the link is there it is reported and nothing more, since
// the runtime may still be at it. What has no name of a Pod, or is of another network, is never looked at.
import { type Allocation, hostLinkName, type Owner, ownerKey } from '#ipam';
import type { OwnPods } from '#store';

export interface Leak {
  readonly allocation: Allocation;
  /** By the clock: since then its Pod is known to be gone. */
  readonly sinceMs: number;
}

export interface LeakFacts {
  readonly nowMs: number;
  /** How long a Pod must have been gone. */
  readonly graceMs: number;
  readonly allocations: readonly Allocation[];
  /** Undefined: nobody knows which Pods there are. */
  readonly pods: OwnPods | undefined;
  /** The CNI network by which the cluster's Pods are attached. */
  readonly network: string;
  /** Pods' links of the host; undefined: nobody has looked, and nothing is collected. */
  readonly links: ReadonlySet<string> | undefined;
}

export interface LeakVerdict {
  /** Since when which Pod is gone: for the next look. Bounded by the allocations. */
  readonly absent: ReadonlyMap<Allocation, number>;
  /** Nobody uses it any more. */
  readonly collect: readonly Leak[];
  /** Its link is there, or nobody has looked. */
  readonly report: readonly Leak[];
}

/** @param before `absent` of the last look */
export function judgeLeaks(before: ReadonlyMap<Allocation, number>, facts: LeakFacts): LeakVerdict {
  const absent = new Map<Allocation, number>();
  const collect: Leak[] = [];
  const report: Leak[] = [];
  const { pods, allocations, network, nowMs, graceMs, links } = facts;
  for (const allocation of pods === undefined ? [] : allocations) {
    const { owner } = allocation;
    if (owner.network !== network || !isGone(owner, pods!)) continue;
    // A list that was not heard in between tells nothing of that time.
    const sinceMs = Math.max(before.get(allocation) ?? nowMs, pods!.heardSinceMs);
    absent.set(allocation, sinceMs);
    if (nowMs - sinceMs < graceMs) continue;
    const isLinkGone = links !== undefined && !links.has(hostLinkName(ownerKey(owner)));
    (isLinkGone ? collect : report).push({ allocation, sinceMs });
  }
  return { absent, collect, report };
}

/** It was a Pod's, and that Pod is not among them. */
function isGone({ podNamespace, podName, podUid }: Owner, pods: OwnPods): boolean {
  return podNamespace !== undefined && podName !== undefined && !pods.has(podNamespace, podName, podUid);
}
