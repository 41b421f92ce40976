// Every frame of an interface, as tcpdump sees it (AF_PACKET); our own because tcpdump cannot run in a user namespace.
import { KernelError } from '../kernel-error.ts';
import { addon } from '../native/addon.ts';
import { withNetns } from '../native/netns.ts';

const AF_PACKET = 17;
const SOCK_RAW_NONBLOCK = 3 | 2048;
const MSG_DONTWAIT = 0x40;
const ETH_P_ALL_NETWORK_ORDER = 0x0300;
const LONGEST_FRAME = 65_536;

export interface PacketSocket extends Disposable {
  /** The frames that have come since the last call. */
  take(): Uint8Array[];
}

/** Throws KernelError when the interface is not there, or without CAP_NET_RAW. Without a device: of every one. */
export function openPacketSocket(netnsPath: string, device?: string): PacketSocket {
  const system = addon();
  const fd = withNetns(netnsPath, () => system.socket(AF_PACKET, SOCK_RAW_NONBLOCK, ETH_P_ALL_NETWORK_ORDER));
  if (fd < 0) throw new KernelError('open packet socket', device ?? netnsPath, -fd);
  const bound = system.bind(fd, packetAddress(device === undefined ? 0 : system.interfaceIndex(fd, device)));
  if (bound < 0) {
    system.close(fd);
    throw new KernelError('bind packet socket', device ?? netnsPath, -bound);
  }
  const buffer = new Uint8Array(LONGEST_FRAME);
  return {
    take() {
      const frames: Uint8Array[] = [];
      for (;;) {
        const length = system.recv(fd, buffer, 0, buffer.length, MSG_DONTWAIT);
        if (length <= 0) return frames;
        frames.push(buffer.slice(0, length));
      }
    },
    [Symbol.dispose]: () => void system.close(fd),
  };
}

/** struct sockaddr_ll */
function packetAddress(interfaceIndex: number): Uint8Array {
  const address = new Uint8Array(20);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, true);
  view.setUint16(2, ETH_P_ALL_NETWORK_ORDER, true);
  view.setInt32(4, interfaceIndex, true);
  return address;
}
