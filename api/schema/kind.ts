// What the machinery knows of one kind: its names, schemas, how a Calico document differs, printer columns.
import type { z } from 'zod';

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
  /** Fields that such a document implies. It is given the document's own spec and may change the copy. */
  readonly fromCalico?: (spec: Record<string, unknown>) => void;
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
