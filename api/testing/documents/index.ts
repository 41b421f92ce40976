// Every document of the table, and what a document of a case is as a whole.
import type { OurKind } from '../../kinds/resources.ts';
import { addressDocuments } from './address-documents.ts';
import { bgpConfigurationDocuments } from './bgp-configuration-documents.ts';
import { bgpFilterDocuments } from './bgp-filter-documents.ts';
import { bgpPeerDocuments } from './bgp-peer-documents.ts';
import type { DocumentCase } from './document-case.ts';

export type { DocumentCase } from './document-case.ts';

export const documentCases: readonly DocumentCase[] = [
  ...bgpPeerDocuments,
  ...bgpFilterDocuments,
  ...bgpConfigurationDocuments,
  ...addressDocuments,
];

export const documentOf = (kind: OurKind, spec: unknown): Readonly<Record<string, unknown>> => ({
  apiVersion: 'podroute.io/v1',
  kind,
  metadata: { name: 'x' },
  spec,
});
