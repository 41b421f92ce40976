// Names of errno numbers as Linux has them (the same on every architecture that Node runs on).
import { constants } from 'node:os';

const names = new Map<number, string>(Object.entries(constants.errno).map(([name, value]) => [value, name]));
// Several names share one number; these are the ones that the networking man pages use.
names.set(constants.errno.EAGAIN, 'EAGAIN');
names.set(constants.errno.EOPNOTSUPP, 'EOPNOTSUPP');

/** 'EEXIST' for 17; 'errno 999' for a number without a name. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `errno ${errno}`;
}

export const errnos = {
  EPERM: constants.errno.EPERM,
  ENOENT: constants.errno.ENOENT,
  ESRCH: constants.errno.ESRCH,
  EINTR: constants.errno.EINTR,
  EBADF: constants.errno.EBADF,
  EAGAIN: constants.errno.EAGAIN,
  EACCES: constants.errno.EACCES,
  EBUSY: constants.errno.EBUSY,
  EEXIST: constants.errno.EEXIST,
  ENODEV: constants.errno.ENODEV,
  EINVAL: constants.errno.EINVAL,
  EMFILE: constants.errno.EMFILE,
  ERANGE: constants.errno.ERANGE,
  EOPNOTSUPP: constants.errno.EOPNOTSUPP,
  EADDRINUSE: constants.errno.EADDRINUSE,
  EADDRNOTAVAIL: constants.errno.EADDRNOTAVAIL,
  ENETDOWN: constants.errno.ENETDOWN,
  ENETUNREACH: constants.errno.ENETUNREACH,
  EHOSTUNREACH: constants.errno.EHOSTUNREACH,
  ENOBUFS: constants.errno.ENOBUFS,
  EMSGSIZE: constants.errno.EMSGSIZE,
} as const;
