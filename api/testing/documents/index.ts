// Every document of the table, and what a document of a case is as a whole.
import { type OurKind, ourKinds } from '../../kinds/resources.ts';
import { addressDocuments } from './address-documents.ts';
import { bfdProfileDocuments } from './bfd-documents.ts';
import { bgpConfigurationDocuments } from './bgp-configuration-documents.ts';
import { bgpFilterDocuments } from './bgp-filter-documents.ts';
import { bgpPeerDocuments } from './bgp-peer-documents.ts';
import type { DocumentCase } from './document-case.ts';

export type { DocumentCase } from './document-case.ts';
export { documentUpdates } from './document-updates.ts';

const withoutSpec = (Object.keys(ourKinds) as OurKind[]).flatMap((kind) =>
  [undefined, null, 'x', 5, true, [], [{}]].map(
    (spec): DocumentCase => ({
      kind,
      about: `spec: ${JSON.stringify(spec)}`,
      spec,
      isTakenBy: { validate: false, server: false },
    }),
  ),
);

export const documentCases: readonly DocumentCase[] = [
  ...bgpPeerDocuments,
  ...bgpFilterDocuments,
  ...bgpConfigurationDocuments,
  ...bfdProfileDocuments,
  ...addressDocuments,
  ...withoutSpec,
];

export const documentOf = (kind: OurKind, spec: unknown): Readonly<Record<string, unknown>> => ({
  apiVersion: 'podroute.io/v1',
  kind,
  metadata: { name: 'x' },
  spec,
});
