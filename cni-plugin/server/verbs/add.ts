// ADD: addresses, link, answer. The link is wired while the journal's record goes to disk; the answer waits for both.
// Whatever fails, nothing of this call stays.
import { addressBits, FAMILIES } from '#ip';
import { type Owner } from '#ipam';
import { KernelError } from '#linux';
import {
  appendResult,
  attachmentNames,
  type CniResult,
  DEFAULT_ROUTES,
  GATEWAYS,
  hostMacBesideRequested,
  ownerOf,
  readPrevResult,
  requestedAddresses,
  requestedMac,
  subjectOf,
} from '../attachment.ts';
import { CniError, codes } from '../cni-error.ts';
import type { NetworkConfig } from '../network-config.ts';
import type { CniCall } from '../call.ts';
import type { VerbIo } from './verb-io.ts';

/** Throws CniError. */
export async function add(call: CniCall, config: NetworkConfig, io: VerbIo): Promise<CniResult> {
  if (call.isOwnNetns) {
    throw new CniError(
      codes.netnsIsOwn,
      `CNI_NETNS ${call.netns} is the network namespace that the plugin runs in`,
      'CNI_NETNS_OVERRIDE=1 allows it',
    );
  }
  const before = readPrevResult(config.prevResult);
  const owner = ownerOf(call, config);
  const families = config.families ?? io.ipam.families();
  if (families.length === 0) {
    throw new CniError(codes.poolNotFound, io.ipam.whyUnready() ?? 'this node has no addresses to give');
  }
  const mac = requestedMac(call, config);
  const reservation = await io.ipam.reserve(owner, families, requestedAddresses(call, config, families));
  if (reservation.kind === 'refused') throw new CniError(reservation.code, reservation.message);

  const names = attachmentNames(owner);
  const { addresses } = reservation.allocation;
  const held = FAMILIES.filter((family) => addresses[family] !== undefined);
  await io.guard.admit(owner, addresses);
  const wired = io.wirer.wire({
    netns: call.netns,
    hostName: names.hostName,
    podName: call.ifname,
    hostMac: mac === undefined ? names.hostMac : hostMacBesideRequested(names.hostMac),
    podMac: mac ?? names.podMac,
    mtu: config.mtu ?? io.mtu(),
    addresses: held.map((family) => addresses[family]!),
    gateways: GATEWAYS,
  });
  const journalError = await reservation.durable;
  if (wired instanceof KernelError) {
    // Addresses that an earlier ADD of the same attachment got are still its.
    if (reservation.isNew) {
      await io.guard.forget(owner);
      await io.ipam.release(owner);
    }
    throw wiringError(wired, call, owner);
  }
  if (journalError !== undefined) {
    await io.wirer.unwire(names.hostName);
    await io.guard.forget(owner);
    throw new CniError(codes.storeNotReady, journalError.message);
  }
  io.log.info(subjectOf(owner), `${held.map((f) => addresses[f]).join(' and ')} on ${names.hostName}`);
  const ours: CniResult = {
    interfaces: [
      { name: names.hostName, mac: wired.hostMac, mtu: config.mtu ?? io.mtu(), sandbox: '' },
      { name: call.ifname, mac: wired.podMac, mtu: config.mtu ?? io.mtu(), sandbox: call.netns },
    ],
    ips: held.map((family) => ({
      address: `${addresses[family]}/${addressBits(family)}`,
      gateway: GATEWAYS[family],
      interface: 1,
    })),
    routes: held.map((family) => ({ dst: DEFAULT_ROUTES[family], gw: GATEWAYS[family] })),
    dns: config.dns ?? {},
  };
  return before === undefined ? ours : appendResult(before, ours);
}

function wiringError(error: KernelError, call: CniCall, owner: Owner): CniError {
  if (error.code === 'EEXIST' && error.operation === 'add link') {
    return new CniError(
      codes.interfaceExists,
      `${subjectOf(owner)} has an interface ${call.ifname} already: DEL it first`,
      error.message,
    );
  }
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
    return new CniError(codes.containerUnknown, `CNI_NETNS ${call.netns} does not exist`, error.message);
  }
  return new CniError(codes.wiringFailed, `cannot wire ${subjectOf(owner)}: ${error.message}`);
}
