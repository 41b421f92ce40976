import { connect, createHost } from '#lab';
import { follow, Machine } from './testing/machine.ts';
import { readPage, stepsOf } from './testing/page.ts';

const PAGE = 'getting-started.md';

describe('docs: three machines from nothing', () => {
  it('shows what a reader sees who follows it to the letter', async () => {
    await using lan = createHost('lan', { group: 'docs' });
    lan.ip('link', 'add', 'lan', 'type', 'bridge');
    lan.ip('link', 'set', 'lan', 'up');
    await using stack = new AsyncDisposableStack();
    const machines = new Map<string, Machine>();
    for (const [name, address] of addressesOf(readPage(PAGE))) {
      const machine = stack.use(new Machine(name, 'docs'));
      connect(machine.host, lan, { devices: ['eth0', name], addresses: [[address], []] });
      lan.ip('link', 'set', name, 'master', 'lan');
      await machine.setUp();
      machines.set(name, machine);
    }
    await follow(PAGE, stepsOf(readPage(PAGE)), machines);
  });
});

/** The page's table of machines. */
function addressesOf(page: string): [string, string][] {
  return [...page.matchAll(/^\| (\w+)[^|]*\| (\d[\d./]+) \|/gm)].map(([, name = '', address = '']) => [
    name,
    address,
  ]);
}
