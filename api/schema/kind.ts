// What every resource has: the frame (apiVersion, kind, metadata), and what the machinery knows of its kind: names,
// schemas, how a Calico document differs, printer columns.
import type { z } from 'zod';

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
  /** RFC 3339; it is being deleted, and stays until it has no finalizers. */
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
}

export interface ResourceObject<K extends string, Spec, Status = never> {
  readonly apiVersion: string;
  readonly kind: K;
  readonly metadata: Metadata;
  readonly spec: Spec;
  readonly status?: Status;
}

/** What a document of Calico means where podroute's own default is another. */
export interface Implied {
  /** Below spec. */
  readonly field: string;
  readonly value: unknown;
  /** Reads on after the value. */
  readonly why: string;
  /** Not where one of these stands in the document (or is not 0). */
  readonly unless?: readonly string[];
}

export interface KindDefinition<K extends string, S extends z.ZodType, T extends z.ZodType> {
  readonly kind: K;
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly spec: S;
  /** Ours are typed; where only Calico writes one, absent: it is read over. */
  readonly status?: T;
  /** Documents with apiVersion projectcalico.org/v3 are read too. */
  readonly calico: boolean;
  /** False: the API server writes no defaults into the object, so that it says what its author did. */
  readonly storedDefaults?: false;
  /** What such a document means beside what it says. */
  readonly implied?: readonly Implied[];
  readonly columns: readonly PrinterColumn[];
}

export interface PrinterColumn {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'boolean' | 'date';
  readonly jsonPath: string;
  readonly description?: string;
  /** Above 0: only with -o wide. */
  readonly priority?: number;
}

export const defineKind = <
  const K extends string,
  S extends z.ZodType,
  T extends z.ZodType = z.ZodType<never>,
>(
  definition: KindDefinition<K, S, T>,
): KindDefinition<K, S, T> => definition;

export const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };
