// What the address of a host must not be, beside an address: fields restrict themselves by it.
import {
  type Address,
  addressToBytes,
  contains,
  isManyHosts,
  isUnspecified,
  parsePrefix,
  type Prefix,
} from '#ip';
import { type Restriction, Wrong } from './fields.ts';
import { notManyHostsCel, oneHostCel, rangeOfHostsCel } from './patterns.ts';

const expected = 'the address of one host';

/** One host's, or none at all (0.0.0.0, ::). */
export const notManyHosts: Restriction<Address> = {
  cel: notManyHostsCel,
  broken: (address) =>
    isManyHosts(addressToBytes(address))
      ? new Wrong('is a multicast or broadcast address', expected)
      : undefined,
};

export const oneHost: Restriction<Address> = {
  cel: oneHostCel,
  broken: (address) =>
    isUnspecified(addressToBytes(address))
      ? new Wrong('is the unspecified address', expected)
      : notManyHosts.broken(address),
};

const MULTICAST = ['224.0.0.0/4', 'ff00::/8'].map((range) => parsePrefix(range)!);

/** A range that has a host at least. */
export const rangeOfHosts: Restriction<Prefix> = {
  cel: rangeOfHostsCel,
  broken: (prefix) =>
    MULTICAST.some((range) => contains(range, prefix))
      ? new Wrong('is a range of multicast addresses', 'a CIDR in which neighbours have their addresses')
      : undefined,
};
