// What each verb needs to do its work.
import type { Ipam } from '#ipam';
import type { Kernel, PodWirer } from '#linux';
import type { CniLog } from '../../outside.ts';
import type { SourceGuard } from '../source-guard.ts';

export interface VerbIo {
  readonly ipam: Ipam;
  readonly wirer: PodWirer;
  /** The host's. */
  readonly kernel: Kernel;
  /** The kernel of a pod's namespace. Rejects when there is no such namespace. */
  readonly openPodKernel: (netns: string) => Promise<Kernel>;
  readonly guard: Pick<SourceGuard, 'admit' | 'forget' | 'missing'>;
  /** Of links made from now on. */
  readonly mtu: () => number;
  /** Undefined when the agent can serve ADD; else why not. */
  readonly whyUnready: () => string | undefined;
  readonly log: CniLog;
}
