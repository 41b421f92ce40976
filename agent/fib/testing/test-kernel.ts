// For tests of the FIB: each is run on a kernel in memory and, when we are root, on one of Linux in a namespace of its
// own, which has the test's host (rib-and-host.ts) wired.
import { type Kernel, MemoryKernel, openKernel } from '#linux';
import { type Clock, systemClock } from '#world';
import { TestNetns } from '../../../linux/testing/temporary-netns.ts';
import { SILENT } from '../../log.ts';
import { Fib } from '../fib.ts';
import { wireTestHost } from './rib-and-host.ts';

/** Describes it twice: '… on a kernel in memory', '… on a kernel of Linux'. */
export function describeOnKernels(title: string, tests: (isReal: boolean) => void): void {
  for (const isReal of [false, true]) {
    describe(`${title} on a kernel ${isReal ? 'of Linux' : 'in memory'}`, () => {
      before(function () {
        if (isReal && process.getuid?.() !== 0) this.skip();
      });
      tests(isReal);
    });
  }
}

export interface TestKernel extends AsyncDisposable {
  readonly kernel: Kernel;
  /** Of the same namespace. What it changes is somebody else's doing, and it hears of all. */
  readonly others: Kernel;
}

export async function openTestKernel(isReal: boolean): Promise<TestKernel> {
  await using opening = new AsyncDisposableStack();
  let kernel: Kernel;
  let others: Kernel;
  if (isReal) {
    const netns = opening.use(new TestNetns());
    kernel = opening.use(await openKernel({ netns: netns.path }));
    others = opening.use(await openKernel({ netns: netns.path }));
  } else kernel = others = opening.use(new MemoryKernel());
  await wireTestHost(kernel);
  const open = opening.move();
  return { kernel, others, [Symbol.asyncDispose]: () => open.disposeAsync() };
}

type Heard = Pick<ConstructorParameters<typeof Fib>[0], 'nextHopChanged' | 'hostChanged'>;

export function newFib(kernel: Kernel, clock: Clock = systemClock, heard: Partial<Heard> = {}): Fib {
  return new Fib({
    ...{ kernel, clock, log: SILENT, table: 254, seed: 42 },
    nextHopChanged: () => undefined,
    hostChanged: () => undefined,
    ...heard,
  });
}
