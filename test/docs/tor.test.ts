import { existsSync } from 'node:fs';
import { FRR_FOLDER, hasOneUser } from '#lab';
import { follow, machinesOnOneSegment } from './testing/machine.ts';
import { readPage, stepsOf, withOneSection } from './testing/page.ts';

const PAGE = 'tor.md';
const ADDRESSES = [
  ['n1', '10.0.1.1/24'],
  ['n2', '10.0.1.2/24'],
  ['tor', '10.0.1.254/24'],
] as const;

describe("docs: the router's side", () => {
  it('of FRR is taken by FRR, and nodes of one AS hear of each other', async function () {
    // FRR drops to a user of its own, which a namespace of an ordinary user does not have.
    if (hasOneUser() || (process.env['CI'] !== 'true' && !existsSync(`${FRR_FOLDER}/bgpd`))) this.skip();
    await followSection('FRR, and SONiC');
  });

  it('of BIRD is taken by BIRD, and nodes of one AS hear of each other', async () => {
    await followSection('BIRD 2');
  });
});

async function followSection(heading: string): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const machines = await machinesOnOneSegment(ADDRESSES, stack);
  await follow(PAGE, stepsOf(withOneSection(readPage(PAGE), heading)), machines);
}
