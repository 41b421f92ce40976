// The Kernel over rtnetlink.
import type { Kernel } from './kernel.ts';

export interface KernelOptions {
  /** a namespace's path, or that of a process; default: the calling thread's */
  readonly netns?: string | { readonly pid: number };
}

export async function openKernel(options: KernelOptions = {}): Promise<Kernel> {
  throw new Error(`not yet: ${String(options)}`);
}
