// What the kernel refused: the operation, the object, the errno by name and the kernel's own words when it gave some.
import { errnoName } from './errno.ts';

export class KernelError extends Error {
  override readonly name = 'KernelError';
  /** positive, e.g. 17 */
  readonly errno: number;
  /** 'EEXIST' */
  readonly code: string;
  /** 'add route' */
  readonly operation: string;
  /** '10.0.0.0/24 via 10.1.1.1 dev eth0 table 254' */
  readonly object: string;
  /** the kernel's extended acknowledgement, or a hint of ours */
  readonly detail: string | undefined;

  constructor(operation: string, object: string, errno: number, detail?: string) {
    const code = errnoName(errno);
    super(`${operation} ${object}: ${code}${detail === undefined || detail === '' ? '' : ` (${detail})`}`);
    this.errno = errno;
    this.code = code;
    this.operation = operation;
    this.object = object;
    this.detail = detail;
  }
}
