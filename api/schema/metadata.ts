// The common frame of every resource: apiVersion, kind, metadata. Spec and status belong to the kinds.

export const group = 'podroute.io';
export const apiVersion = 'podroute.io/v1';
/** Documents of this group are read as if they were ours. */
export const calicoApiVersion = 'projectcalico.org/v3';

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Opaque; changes with every write. */
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly uid?: string;
  /** RFC 3339 */
  readonly creationTimestamp?: string;
}

export interface ResourceObject<K extends string, Spec, Status = never> {
  readonly apiVersion: string;
  readonly kind: K;
  readonly metadata: Metadata;
  readonly spec: Spec;
  readonly status?: Status;
}
