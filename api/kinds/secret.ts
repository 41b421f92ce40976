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

/** Where podroute's own Secrets stand, as those of Calico's manifest do. */
export const OWN_NAMESPACE = 'kube-system';

/** The Secret that a reference means: of podroute's own namespace, which files need not name. Never one of another. */
export function secretNamed(secrets: ReadonlyMap<string, Secret>, name: string): Secret | undefined {
  return secrets.get(`${OWN_NAMESPACE}/${name}`) ?? secrets.get(name);
}

/** Who takes a value, and how much of it. */
export interface TakerOfSecrets {
  readonly who: string;
  readonly octets: number;
}

/** Linux: TCP_MD5SIG_MAXKEYLEN. */
const TCP_MD5: TakerOfSecrets = { who: 'TCP MD5', octets: 80 };

/**
 * Why a value of a Secret cannot be the password that a reference means; undefined when it can. Never shows a value.
 *
 * @param refused identityText of objects whose documents are wrong
 */
export function passwordFault(
  secrets: ReadonlyMap<string, Secret>,
  { name, key }: { readonly name: string; readonly key: string },
  refused: ReadonlySet<string>,
  taker = TCP_MD5,
): { readonly at: 'name' | 'key'; readonly value: string; readonly why: string } | undefined {
  const secret = secretNamed(secrets, name);
  if (secret === undefined) {
    if (refused.has(`Secret ${name}`) || refused.has(`Secret ${OWN_NAMESPACE}/${name}`))
      return { at: 'name', value: name, why: 'is a Secret whose document is refused (see its own problem)' };
    const elsewhere = [...secrets.values()].find(({ metadata }) => metadata.name === name)?.metadata
      .namespace;
    const why =
      elsewhere === undefined
        ? 'is no Secret'
        : `is a Secret of namespace ${elsewhere}, and podroute takes those of ${OWN_NAMESPACE} alone (of files; in a cluster those of its own namespace)`;
    return { at: 'name', value: name, why };
  }
  const password = passwordIn(secret, key);
  if (password === undefined) return { at: 'key', value: key, why: `is no key of Secret ${name}` };
  const octets = Buffer.byteLength(password);
  if (octets > 0 && octets <= taker.octets) return undefined;
  const why =
    octets === 0
      ? `is empty in Secret ${name}`
      : `has ${octets} octets in Secret ${name}, and ${taker.who} takes ${taker.octets}`;
  return { at: 'key', value: key, why };
}

/** What is odd about a password that can be used all the same. Never shows it. */
export function passwordDoubt(
  secrets: ReadonlyMap<string, Secret>,
  { name, key }: { readonly name: string; readonly key: string },
): string | undefined {
  const secret = secretNamed(secrets, name);
  const password = secret && passwordIn(secret, key);
  if (password === undefined || !/[\r\n]$/.test(password)) return undefined;
  return `ends with the end of a line in Secret ${name}, which is part of the password (${Buffer.byteLength(password)} octets): the neighbour's seldom has one; make it with echo -n`;
}

/** Of its own keys: 'constructor' is in every object. */
export function passwordIn({ values }: Secret, key: string): string | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
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
