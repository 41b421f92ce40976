// How a person tries whether packets of a size reach a neighbour; `podroute doctor` does the same by itself.
import { familyOf, splitZone } from '#ip';

const HEADERS = { ipv4: 20 + 8, ipv6: 40 + 8 };

/** @param mtu octets of the whole IP packet */
export function probeCommand(remote: string, mtu: number): string {
  return `ping -M do -c 3 -s ${mtu - HEADERS[familyOf(splitZone(remote).address)]} ${remote}`;
}
