// The Secrets that something in force refers to: no others are asked for.
import type { Resources } from '#api';

export function referredSecrets({
  bgpPeers,
  bgpConfigurations,
}: Pick<Resources, 'bgpPeers' | 'bgpConfigurations'>): ReadonlySet<string> {
  const references = [
    ...[...bgpPeers.values()].map(({ spec }) => spec.password?.secretKeyRef.name),
    ...[...bgpConfigurations.values()].map(({ spec }) => spec.nodeMeshPassword?.secretKeyRef.name),
  ];
  return new Set(references.filter((name) => name !== undefined));
}
