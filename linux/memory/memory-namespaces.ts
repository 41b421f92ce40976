// The network namespaces of one machine in memory, by path: pods' ones, which are made and go as a container runtime
// would have it.
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import { MemoryKernel } from './memory-kernel.ts';

export class MemoryNamespaces {
  readonly #byPath = new Map<string, MemoryKernel>();

  /** A fresh one, its lo down. */
  create(path: string): MemoryKernel {
    if (this.#byPath.has(path)) throw new KernelError('create network namespace', path, errnos.EEXIST);
    const kernel = new MemoryKernel(path);
    this.#byPath.set(path, kernel);
    return kernel;
  }

  /** Its links go, with their ends elsewhere. */
  delete(path: string): void {
    this.#byPath.get(path)?.end();
    this.#byPath.delete(path);
  }

  open(path: string): MemoryKernel | KernelError {
    return (
      this.#byPath.get(path) ??
      new KernelError('open network namespace', path, errnos.ENOENT, 'no such namespace')
    );
  }
}
