import { follow, machinesOnOneSegment } from './testing/machine.ts';
import { readPage, stepsOf } from './testing/page.ts';

const PAGE = 'getting-started.md';

describe('docs: three machines from nothing', () => {
  it('shows what a reader sees who follows it to the letter', async () => {
    const page = readPage(PAGE);
    await using stack = new AsyncDisposableStack();
    const machines = await machinesOnOneSegment(addressesOf(page), stack);
    await follow(PAGE, stepsOf(page), machines);
  });
});

/** The page's table of machines. */
function addressesOf(page: string): [string, string][] {
  return [...page.matchAll(/^\| (\w+)[^|]*\| (\d[\d./]+) \|/gm)].map(([, name = '', address = '']) => [
    name,
    address,
  ]);
}
