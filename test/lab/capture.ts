// What is really on a wire: a short tcpdump, and the question whether a packet is a pod's own or carries another.
import type { Host } from './netns.ts';
import { waitFor } from './wait.ts';

export interface CapturedPacket {
  /** 'IPv4' or 'IPv6' from the frame's EtherType. */
  readonly etherType: string;
  readonly source: string;
  readonly destination: string;
  readonly line: string;
}

// "… ethertype IPv4 (0x0800), length 98: 10.244.0.1 > 10.244.0.65: ICMP echo request, id 1, seq 1, length 64"
const LINE = /ethertype (\S+) \(0x[0-9a-f]+\), length \d+: (\S+) > (\S+): (ICMP6?)[, ]/;

/** One line of `tcpdump -e -nn`; undefined when it is not an ICMP packet directly in an Ethernet frame. */
export function parsePacket(line: string): CapturedPacket | undefined {
  const match = LINE.exec(line);
  if (match === null) return undefined;
  return {
    etherType: match[1] as string,
    source: match[2] as string,
    destination: match[3] as string,
    line,
  };
}

/** Captures every packet between two addresses (inner or outer) while `action` runs. */
export async function captureDuring(
  host: Host,
  device: string,
  addresses: readonly string[],
  action: () => Promise<void> | void,
): Promise<{ packets: CapturedPacket[]; lines: string[] }> {
  // -Z root: it must not become its own user, who does not exist in a user namespace.
  // Everything but BGP and neighbour discovery: an encapsulated packet would be seen, whatever its outer header.
  const filter = 'not port 179 and not arp and not (icmp6 and ip6[40] >= 133 and ip6[40] <= 136)';
  const dump = host.spawn(['tcpdump', '-l', '-e', '-nn', '--immediate-mode', '-Z', 'root', '-i', device, filter], {});
  await waitFor('tcpdump to listen', 5000, () => dump.output.includes('listening on'));
  await action();
  await new Promise((resolve) => setTimeout(resolve, 150));
  await dump.stop();
  const lines = dump.output.split('\n').filter((line) => addresses.some((a) => line.includes(a)));
  return { packets: lines.flatMap((line) => parsePacket(line) ?? []), lines };
}
