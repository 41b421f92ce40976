// What the agent's socket answers to POST /v1/plan/diff. Only on the unix socket, which is root's.
import type { PlanDiffReply } from '#agent-api';
import { json, refusal, type Reply, type StatusRequest } from './endpoints.ts';

interface Meant {
  /** For messages: as who asks calls it. */
  readonly file: string;
  readonly text: string;
  readonly deed: 'apply' | 'delete';
}

type Compare = (meant: Meant) => Promise<PlanDiffReply>;

export class PlanDiffDesk {
  readonly #compare: Compare;
  #isBusy = false;

  constructor(compare: Compare) {
    this.#compare = compare;
  }

  /** One at a time. @returns undefined for any other path */
  answer({ method, url, body = '' }: StatusRequest): Promise<Reply> | undefined {
    const { pathname, searchParams } = new URL(url, 'http://agent');
    if (pathname !== '/v1/plan/diff') return undefined;
    if (method !== 'POST') return Promise.resolve(refusal(405, `${method}: only POST is served here`));
    if (this.#isBusy) return Promise.resolve(refusal(409, 'another comparison is under way: ask again'));
    this.#isBusy = true;
    const deed = searchParams.has('delete') ? 'delete' : 'apply';
    return this.#compare({ file: searchParams.get('file') ?? 'FILE', text: body, deed })
      .then(
        (reply) => json(reply),
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
