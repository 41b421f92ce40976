// Objects as an API server hands them out, and what a store makes of them, for tests.
import type { Problem } from '#api';
import type { Store } from '../../store.ts';
import type { MemoryApiServer } from './memory-api-server.ts';

export type Given = Parameters<MemoryApiServer['apply']>[1];

export function pool(name: string, cidr: string, more: object = {}): Given {
  return { apiVersion: 'podroute.io/v1', kind: 'IPPool', metadata: { name }, spec: { cidr, ...more } };
}

export function secret(namespace: string, text: string): Given {
  const metadata = { name: 'bgp', namespace };
  const data = { tor: Buffer.from(text).toString('base64') };
  return { apiVersion: 'v1', kind: 'Secret', metadata, data } as Given;
}

export const peer = (spec: object): Given => ({
  apiVersion: 'podroute.io/v1',
  kind: 'BGPPeer',
  metadata: { name: 'tor' },
  spec: { peerIP: '192.0.2.1', asNumber: 65001, ...spec },
});

/** Whose key is `tor` of a Secret. */
export const profile = (name: string, secretName: string): Given => ({
  apiVersion: 'podroute.io/v1',
  kind: 'BFDProfile',
  metadata: { name },
  spec: {
    authentication: {
      type: 'KeyedSHA1',
      keyID: 1,
      keyFrom: { secretKeyRef: { name: secretName, key: 'tor' } },
    },
  },
});

export const cidrs = (store: Store): string[] =>
  [...store.snapshot().ipPools].map(([name, { spec }]) => `${name} ${spec.cidr}`);

export const texts = (problems: readonly Problem[]): string[] =>
  problems.map(({ object, message }) => `${object}: ${message}`);
