// Versions of the CNI specification that we speak (also written in podroute.c).
export const VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'] as const;
export type CniVersion = (typeof VERSIONS)[number];
export const NEWEST: CniVersion = '1.1.0';
/** Of a configuration that does not say. */
export const UNSTATED: CniVersion = '0.1.0';

export function isVersion(text: string): text is CniVersion {
  return (VERSIONS as readonly string[]).includes(text);
}

export function isAtLeast(version: CniVersion, least: CniVersion): boolean {
  return VERSIONS.indexOf(version) >= VERSIONS.indexOf(least);
}
