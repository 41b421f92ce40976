// Who serves a unix socket: its process as this one would name it, also when it runs in a container.
import { errnos } from '../errno.ts';
import { KernelError } from '../kernel-error.ts';
import { addon } from '../native/addon.ts';

const AF_UNIX = 1;
const SOCK_STREAM_NONBLOCK = 1 | 0o4000;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const MOST_PATH_BYTES = 107;

/** The process that listens there (0: one that cannot be seen from here), or why nobody takes the connection. */
export function unixPeer(path: string): number | KernelError {
  const native = addon();
  const name = new TextEncoder().encode(path);
  if (name.length > MOST_PATH_BYTES)
    return new KernelError('connect to', path, errnos.EINVAL, `over ${MOST_PATH_BYTES} octets`);
  const address = new Uint8Array(2 + name.length + 1);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(name, 2);
  const fd = native.socket(AF_UNIX, SOCK_STREAM_NONBLOCK, 0);
  if (fd < 0) return new KernelError('open', 'a unix socket', -fd);
  try {
    const connected = native.connect(fd, address);
    if (connected < 0) return new KernelError('connect to', path, -connected);
    // struct ucred: | pid 4 | uid 4 | gid 4 |
    const credentials = new Uint8Array(12);
    const read = native.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials);
    if (read < 0) return new KernelError('ask who serves', path, -read);
    return new DataView(credentials.buffer).getInt32(0, true);
  } finally {
    native.close(fd);
  }
}
