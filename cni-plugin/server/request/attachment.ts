// One attachment: who it belongs to, how its link is named, which addresses it asks for. Pure.
import { canonicalAddress, type Family, familyOf } from '#ip';
import { type Addresses, hostLinkName, type Owner, ownerKey } from '#ipam';
import { CniError, codes } from './cni-error.ts';
import { type NetworkConfig, readIps, readMac } from './network-config.ts';
import type { CniCall } from './environment.ts';

/** Next hops of a pod's default routes. No host has these addresses: neighbour entries lead to the link's other end. */
export const GATEWAYS: Readonly<Record<Family, string>> = { ipv4: '169.254.1.1', ipv6: 'fe80::1' };
export const DEFAULT_ROUTES: Readonly<Record<Family, string>> = { ipv4: '0.0.0.0/0', ipv6: '::/0' };
/** Pod annotations that ask for addresses: a JSON list. Ours first. */
const ADDRESS_ANNOTATIONS = ['podroute.io/ips', 'cni.projectcalico.org/ipAddrs'];

export interface AttachmentNames {
  readonly key: string;
  readonly hostName: string;
  readonly hostMac: string;
  readonly podMac: string;
}

/** The same in every run, so that a restarted agent finds what an earlier one made. */
export function attachmentNames(of: Pick<Owner, 'containerId' | 'ifname'>): AttachmentNames {
  const key = ownerKey(of);
  const digits = key.slice(-10).match(/../g)!.join(':');
  // Locally administered addresses: 02 the pod's end, 06 the host's.
  return { key, hostName: hostLinkName(key), podMac: `02:${digits}`, hostMac: `06:${digits}` };
}

export function ownerOf(call: CniCall, config: Pick<NetworkConfig, 'name'>): Owner {
  const podNamespace = call.args.get('K8S_POD_NAMESPACE');
  const podName = call.args.get('K8S_POD_NAME');
  return {
    containerId: call.containerId,
    ifname: call.ifname,
    network: config.name,
    ...(podNamespace === undefined ? {} : { podNamespace }),
    ...(podName === undefined ? {} : { podName }),
  };
}

/** For log lines and messages: 'pod default/web-0' or 'container 3f2a…'. */
export function subjectOf(owner: Pick<Owner, 'containerId' | 'podNamespace' | 'podName'>): string {
  return owner.podName === undefined
    ? `container ${owner.containerId}`
    : `pod ${owner.podNamespace ?? ''}/${owner.podName}`;
}

/**
 * Addresses asked for: runtimeConfig.ips and args.cni.ips win over CNI_ARGS IP, which wins over the pod's annotation.
 * Throws CniError 7 for one that is not an address or of a family that the network does not have.
 */
export function requestedAddresses(
  call: CniCall,
  config: NetworkConfig,
  families: readonly Family[],
): Addresses {
  const list =
    config.ips.length > 0
      ? config.ips
      : call.args.has('IP')
        ? readIps((call.args.get('IP') ?? '').split(','), 'CNI_ARGS IP')
        : annotatedIps(config);
  const requested: { -readonly [family in Family]?: string } = {};
  for (const address of list) {
    const family = familyOf(address);
    if (!families.includes(family)) {
      throw new CniError(
        codes.invalidConfig,
        `requested address ${address}: this network has no ${family} addresses on this node`,
      );
    }
    requested[family] = address;
  }
  return requested;
}

function annotatedIps({ podAnnotations }: NetworkConfig): string[] {
  for (const key of ADDRESS_ANNOTATIONS) {
    const text = podAnnotations[key];
    if (text === undefined || text === '') continue;
    const single = canonicalAddress(text);
    if (single !== undefined) return [single];
    try {
      return readIps(JSON.parse(text), `pod annotation ${key}`);
    } catch (error) {
      if (error instanceof CniError) throw error;
      throw new CniError(
        codes.invalidConfig,
        `pod annotation ${key} is ${JSON.stringify(text)}`,
        'wanted: a JSON list such as ["10.0.0.9", "fd00::9"]',
      );
    }
  }
  return [];
}

export function requestedMac(call: CniCall, config: NetworkConfig): string | undefined {
  if (config.mac !== undefined) return config.mac;
  const text = call.args.get('MAC');
  return text === undefined || text === '' ? undefined : readMac(text, 'CNI_ARGS MAC');
}
