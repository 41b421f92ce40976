// Identity of an attachment: one interface of one container, hashed to a fixed size for the journal and for the name
// of its host link. The network's name is no part of it: a container has one interface of a name, whatever network
// made it, and DEL must find it even if the network was renamed meanwhile.
import { createHash } from 'node:crypto';
import type { Owner } from './types.ts';

export const OWNER_KEY_BYTES = 16;
/** A device name has at most 15 bytes. */
const LINK_NAME_LENGTH = 15;
const LINK_NAME_PREFIX = 'pr';
/** A name that hostLinkName makes. */
export const POD_LINK = /^pr[0-9a-f]{13}$/;

/** 32 hexadecimal digits. */
export function ownerKey(owner: Pick<Owner, 'containerId' | 'ifname'>): string {
  return createHash('sha256')
    .update(`${owner.containerId}\0${owner.ifname}`)
    .digest('hex')
    .slice(0, 2 * OWNER_KEY_BYTES);
}

/** The host's end of an attachment's veth, 'pr' and 13 digits: the same in every run, so that it is found again. */
export function hostLinkName(key: string): string {
  return (LINK_NAME_PREFIX + key).slice(0, LINK_NAME_LENGTH);
}
