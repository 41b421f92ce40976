// The CNI socket and the executable of one machine in memory: the server listens, and call() does what podroute.c does
// between the runtime and the agent: environment and stdin in, exit code and stdout out, DELs queued while no agent answers.
import type { Disk } from '#world';
import type { AnswerCall, CniListener } from '../outside.ts';
import { servedByAnother } from '../outside.ts';
import { type CniRequest, encodeRequest, withoutLength } from '../server/call.ts';

const TRY_AGAIN = 11;
const UNAVAILABLE = 50;

export interface CniOutcome {
  readonly exitCode: number;
  /** What is printed: JSON, or empty. */
  readonly output: string;
}

export class MemoryCni implements CniListener {
  readonly #served = new Map<string, AnswerCall>();
  readonly #disk: Disk;

  /** @param disk where DELs are queued */
  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async listen(path: string, answer: AnswerCall): Promise<AsyncDisposable> {
    if (this.#served.has(path)) throw servedByAnother(path);
    const underWay = new Set<Promise<unknown>>();
    this.#served.set(path, (request) => {
      const answered = answer(request);
      underWay.add(answered);
      return answered.finally(() => underWay.delete(answered));
    });
    return {
      [Symbol.asyncDispose]: async () => {
        this.#served.delete(path);
        await Promise.all(underWay);
      },
    };
  }

  /** Every agent of the machine died at once: nobody answers, calls under way get no answer. */
  kill(): void {
    this.#served.clear();
  }

  /** The whole request in, the whole answer out; undefined when nobody serves the path. */
  ask(path: string, request: Uint8Array): Promise<Uint8Array> | undefined {
    return this.#served.get(path)?.(request);
  }

  /** Runs the executable: input is the network configuration, with socketPath and stateDir. */
  async call(request: CniRequest): Promise<CniOutcome> {
    const { socketPath, stateDir, cniVersion } = JSON.parse(request.input) as Record<string, string>;
    const bytes = encodeRequest(request);
    const answer = await this.ask(socketPath ?? '', bytes);
    if (answer !== undefined) {
      return { exitCode: answer[0]!, output: new TextDecoder().decode(answer.subarray(1)) };
    }
    const { environment } = request;
    const command = environment.get('CNI_COMMAND');
    if (command === 'DEL') {
      const name = `${environment.get('CNI_CONTAINERID')}@${environment.get('CNI_IFNAME')}`;
      const folder = `${stateDir}/del-queue`;
      // Each executable has a temporary name of its own; here one goes after the other.
      await this.#disk.locked(`${folder}/.lock`, () =>
        this.#disk.replace(`${folder}/${name}`, withoutLength(bytes)),
      );
      return { exitCode: 0, output: '' };
    }
    const code = command === 'STATUS' ? UNAVAILABLE : TRY_AGAIN;
    const error = { cniVersion, code, msg: 'the podroute agent does not answer', details: socketPath };
    return { exitCode: 1, output: JSON.stringify(error) };
  }
}
