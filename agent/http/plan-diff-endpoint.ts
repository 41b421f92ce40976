// What the agent's socket answers to POST /v1/plan/diff. Only on the unix socket, which is root's.
import type { ErrorReply, PlanDiffReply } from '#agent-api';
import type { Reply, StatusRequest } from './endpoints.ts';

export class PlanDiffDesk {
  readonly #compare: (text: string) => Promise<PlanDiffReply>;
  #isBusy = false;

  constructor(compare: (text: string) => Promise<PlanDiffReply>) {
    this.#compare = compare;
  }

  /** One at a time. @returns undefined for any other path */
  answer({ method, url, body = '' }: StatusRequest): Promise<Reply> | undefined {
    if (new URL(url, 'http://agent').pathname !== '/v1/plan/diff') return undefined;
    if (method !== 'POST') return Promise.resolve(refusal(405, `${method}: only POST is served here`));
    if (this.#isBusy) return Promise.resolve(refusal(409, 'another comparison is under way: ask again'));
    this.#isBusy = true;
    return this.#compare(body)
      .then(
        (reply): Reply => ({ status: 200, contentType: 'application/json', body: JSON.stringify(reply) }),
        (error: unknown) => {
          if (error instanceof RangeError) return refusal(400, error.message);
          throw error;
        },
      )
      .finally(() => {
        this.#isBusy = false;
      });
  }
}

function refusal(status: number, error: string): Reply {
  const body: ErrorReply = { error };
  return { status, contentType: 'application/json', body: JSON.stringify(body) };
}
