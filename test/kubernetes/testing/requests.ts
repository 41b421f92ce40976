// Requests to an API server, one by one, of an administrator or by a token: faster than kubectl where there are many, and
// nothing but what is written here.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { KubernetesApi } from '#lab';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export class Requests implements Disposable {
  readonly #url: string;
  readonly #agent: Agent;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param token undefined: an administrator's */
  constructor(api: KubernetesApi, token?: string) {
    const { clusters, users } = JSON.parse(readFileSync(api.kubeconfig, 'utf8')) as {
      clusters: [{ cluster: Record<string, string> }];
      users: [{ user: { token: string } }];
    };
    this.#url = api.url;
    const ca = Buffer.from(clusters[0].cluster['certificate-authority-data']!, 'base64');
    this.#agent = new Agent({ ca, keepAlive: true, maxSockets: 8 });
    this.#headers = {
      authorization: `Bearer ${token ?? users[0].user.token}`,
      'content-type': 'application/json',
    };
  }

  /** Rejects when there is no answer; one that refuses is an answer. */
  send(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Answer> {
    const headers = {
      ...this.#headers,
      ...(method === 'PATCH' && { 'content-type': 'application/strategic-merge-patch+json' }),
    };
    return new Promise((resolve, reject) => {
      request(this.#url + path, { method, agent: this.#agent, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) as unknown });
        });
      })
        .on('error', reject)
        .end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}
