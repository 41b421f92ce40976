// GC: frees every attachment of this network that the runtime does not know any more; and the same for what the agent finds
// to be left over. Goes on after an error and reports all of them.
import type { Owner } from '#ipam';
import { subjectOf } from '../attachment.ts';
import { CniError, toCniError } from '../cni-error.ts';
import type { NetworkConfig } from '../network-config.ts';
import { del } from './del.ts';
import { podLinksAndRoutes } from './audit.ts';
import type { VerbIo } from './verb-io.ts';

/** Throws the first CniError, with all in its details. */
export async function collectGarbage(config: NetworkConfig, io: VerbIo): Promise<void> {
  const { leaked } = io.ipam.check(config.validAttachments ?? [], config.name);
  const results = await Promise.allSettled(leaked.map(({ owner }) => del(owner, io)));
  const errors = results.filter((r) => r.status === 'rejected').map((r) => toCniError(r.reason));
  leaked.forEach(({ owner }, i) => {
    if (results[i]!.status === 'rejected') return;
    io.log.info(subjectOf(owner), 'collected: the runtime does not know it any more');
  });
  const [first] = errors;
  if (first === undefined) return;
  throw new CniError(
    first.code,
    `${errors.length} of ${leaked.length} stale attachments could not be removed`,
    errors.map((error) => error.message).join('; '),
  );
}

/**
 * DEL of those for whom none came.
 *
 * @param choose told which pods' links the host has
 * @returns of each that was chosen: undefined, or why it still has its addresses
 */
export async function collectLeaks(
  choose: (links: ReadonlySet<string>) => readonly Owner[],
  io: VerbIo,
): Promise<readonly (CniError | undefined)[]> {
  const { links } = await podLinksAndRoutes(io.kernel);
  const results = await Promise.allSettled(choose(links).map((owner) => del(owner, io)));
  return results.map((result) => (result.status === 'rejected' ? toCniError(result.reason) : undefined));
}
