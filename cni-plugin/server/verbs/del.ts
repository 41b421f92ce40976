// DEL: the link goes, then the address is free. Needs neither the namespace nor a result of ADD, and may be repeated.
import type { Owner } from '#ipam';
import { attachmentNames, subjectOf } from '../attachment.ts';
import { CniError, codes } from '../cni-error.ts';
import type { VerbIo } from './verb-io.ts';

/** Throws CniError; the address stays held when the link could not be deleted or the journal not be written. */
export async function del(owner: Owner, io: VerbIo): Promise<void> {
  const { hostName } = attachmentNames(owner);
  const allocation = io.ipam.allocationOf(owner);
  const error = await io.wirer.unwire(hostName);
  if (error !== undefined && error.code !== 'ENODEV') {
    throw new CniError(codes.wiringFailed, `${subjectOf(owner)}: ${error.message}`);
  }
  await io.guard.forget(owner);
  const journalError = await io.ipam.release(owner);
  if (journalError !== undefined) throw new CniError(codes.storeNotReady, journalError.message);
  if (allocation === undefined) return;
  const { ipv4, ipv6 } = allocation.addresses;
  io.log.info(
    subjectOf(allocation.owner),
    `${[ipv4, ipv6].filter((a) => a !== undefined).join(' and ')} freed, ${hostName} deleted`,
  );
}
