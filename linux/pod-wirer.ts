// Makes and removes pod links.
import type { KernelOptions } from './real-kernel.ts';
import type { PodWirer } from './pod-wiring.ts';

/** Default: the calling thread's namespace. */
export function openPodWirer(options: KernelOptions = {}): PodWirer {
  throw new Error(`not yet: ${String(options)}`);
}
