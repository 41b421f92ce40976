// Secret of Kubernetes' core API, for passwords. Its values are never part of a message.
import * as z from 'zod';
import { field, Wrong } from '../schema/fields.ts';
import type { Metadata } from '../schema/kind.ts';

export interface Secret {
  readonly apiVersion: string;
  readonly kind: 'Secret';
  readonly metadata: Metadata;
  /** Decoded; stringData wins over data, as in Kubernetes. */
  readonly values: Readonly<Record<string, string>>;
}

/**
 * The Secret that a reference without a namespace means: the agent's own namespace is meant, and files need not name
 * it. Else the first of that name counts.
 */
export function secretNamed(secrets: ReadonlyMap<string, Secret>, name: string): Secret | undefined {
  return secrets.get(name) ?? [...secrets.values()].find(({ metadata }) => metadata.name === name);
}

const base64 = field({ type: 'string', format: 'byte' }, (input) => {
  const compact = typeof input === 'string' ? input.replace(/\s+/g, '') : '-';
  return /^[A-Za-z0-9+/]*={0,2}$/.test(compact) && compact.length % 4 === 0
    ? Buffer.from(compact, 'base64').toString('utf8')
    : new Wrong('is not base64', 'base64 text; plain text belongs into stringData');
});

const plain = field({ type: 'string' }, (input) =>
  typeof input === 'string'
    ? input
    : new Wrong('is not a text', 'a text, in quotes when it looks like a number'),
);

export const secretTop = {
  data: z.record(z.string(), base64).default({}),
  stringData: z.record(z.string(), plain).default({}),
  type: z.string().optional(),
  immutable: z.boolean().optional(),
};

export function secretFrom(
  frame: { apiVersion: string; metadata: Metadata },
  top: { data: Record<string, string>; stringData: Record<string, string> },
): Secret {
  return { ...frame, kind: 'Secret', values: { ...top.data, ...top.stringData } };
}
