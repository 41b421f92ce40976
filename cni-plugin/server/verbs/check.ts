// CHECK: what ADD answered still stands: addresses held, link up at both ends, routes there, and the kernel's check of what
// it sends. What later plugins of the chain may change (MAC, MTU, more links) is not looked at.
import { FAMILIES, familyOf } from '#ip';
import { type Owner } from '#ipam';
import { type Kernel, KernelError, type Link } from '#linux';
import { attachmentNames, DEFAULT_ROUTES, ownerOf, readPrevResult, subjectOf } from '../attachment.ts';
import { CniError, codes } from '../cni-error.ts';
import type { NetworkConfig } from '../network-config.ts';
import type { CniCall } from '../call.ts';
import type { VerbIo } from './verb-io.ts';

/** Throws CniError 7 without prevResult, 112 with all that is missing. */
export async function check(call: CniCall, config: NetworkConfig, io: VerbIo): Promise<void> {
  const before = readPrevResult(config.prevResult);
  if (before === undefined) {
    throw new CniError(codes.invalidConfig, 'invalid network configuration: CHECK needs prevResult');
  }
  const owner = ownerOf(call, config);
  const { hostName } = attachmentNames(owner);
  const held = io.ipam.allocationOf(owner)?.addresses;
  const addresses = FAMILIES.map((family) => held?.[family]).filter((address) => address !== undefined);
  const missing = [
    ...(held === undefined ? ['its addresses are not reserved'] : []),
    ...addresses
      .filter((address) => !before.ips.some((ip) => ip.address.split('/')[0] === address))
      .map((address) => `prevResult lacks ${address}`),
    ...(before.interfaces.some((i) => i.name === hostName) ? [] : [`prevResult lacks ${hostName}`]),
    ...(await hostMissing(io.kernel, hostName, addresses)),
    ...(await podMissing(call, io, addresses)),
    ...(await io.guard.missing(owner)),
  ];
  if (missing.length > 0) throw failed(owner, missing);
}

function linkMissing(link: Link | undefined, name: string, place: string): string[] {
  if (link === undefined) return [`no link ${name} ${place}`];
  return link.up ? [] : [`link ${name} ${place} is down`];
}

async function hostMissing(
  kernel: Kernel,
  hostName: string,
  addresses: readonly string[],
): Promise<string[]> {
  const link = (await kernel.links()).find((candidate) => candidate.name === hostName);
  const missing = linkMissing(link, hostName, 'on the host');
  if (link === undefined) return missing;
  for (const address of addresses) {
    const way = await kernel.lookup(address);
    const isGood = !(way instanceof KernelError) && way.deviceIndex === link.index;
    if (!isGood) missing.push(`the host's route to ${address} does not lead to ${hostName}`);
  }
  return missing;
}

async function podMissing(call: CniCall, io: VerbIo, addresses: readonly string[]): Promise<string[]> {
  let kernel: Kernel;
  try {
    kernel = await io.openPodKernel(call.netns);
  } catch (error) {
    return [`CNI_NETNS ${call.netns}: ${(error as Error).message}`];
  }
  await using pod = kernel;
  const [links, given, routes] = await Promise.all([pod.links(), pod.addresses(), pod.routes()]);
  const link = links.find((candidate) => candidate.name === call.ifname);
  const missing = linkMissing(link, call.ifname, 'in the pod');
  if (link === undefined) return missing;
  for (const address of addresses) {
    const isThere = given.some((a) => a.deviceIndex === link.index && a.address.split('/')[0] === address);
    if (!isThere) missing.push(`${call.ifname} lacks ${address}`);
    const destination = DEFAULT_ROUTES[familyOf(address)];
    const hasRoute = routes.some(
      (r) => r.destination === destination && r.nextHops.some((hop) => hop.deviceIndex === link.index),
    );
    if (!hasRoute) missing.push(`the pod lacks a default route ${destination} by ${call.ifname}`);
  }
  return missing;
}

function failed(owner: Owner, missing: readonly string[]): CniError {
  return new CniError(codes.checkFailed, `${subjectOf(owner)} is not as ADD left it`, missing.join('; '));
}
