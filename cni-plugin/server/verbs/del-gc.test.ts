// DEL and GC: what goes, what stays when a step fails, and what is said of it.
import assert from 'node:assert/strict';
import { hostLinkName, ownerKey } from '#ipam';
import { KernelError } from '#linux';
import { callOf, type CniNode, configOf, startCniNode } from '../../testing/cni-node.ts';
import { ownerOf } from '../attachment.ts';
import { CniError } from '../cni-error.ts';
import { add } from './add.ts';
import { del } from './del.ts';
import { collectGarbage, collectLeaks } from './gc.ts';

const EPERM = 1;
const owner = (containerId: string) => ownerOf(callOf(containerId), { name: 'n' });
const failsWith = (code: number, message: RegExp) => (error: unknown) =>
  error instanceof CniError && error.code === code && message.test(`${error.message} ${error.details}`);

async function withPods(...ids: string[]): Promise<CniNode> {
  const node = await startCniNode();
  for (const id of ids) await add(callOf(id), configOf(), node.io);
  return node;
}
const held = ({ ipam }: CniNode): string[] => ipam.usage().allocations.map((a) => a.owner.containerId);

describe('DEL', () => {
  it('deletes the link, frees the addresses, and says so; again it does nothing and says nothing', async () => {
    const node = await startCniNode();
    await add(callOf('c1'), configOf(), node.io);
    const { length } = node.log;
    await del(owner('c1'), node.io);
    assert.deepEqual(
      (await node.kernel.links()).map(({ name }) => name),
      ['lo'],
    );
    assert.deepEqual(held(node), []);
    assert.deepEqual(node.guarded, ['+c1 10.77.0.0 fd77::', '-c1']);
    const link = hostLinkName(ownerKey(callOf('c1')));
    assert.deepEqual(node.log.slice(length), [`container c1: 10.77.0.0 and fd77:: freed, ${link} deleted`]);
    await del(owner('c1'), node.io);
    assert.equal(node.log.length, length + 1);
    await add(callOf('c2'), configOf({ families: ['ipv6'] }), node.io);
    await del(owner('c2'), node.io);
    assert.match(node.log.at(-1)!, /^container c2: fd77::1 freed, /);
  });

  it('keeps the addresses when the link cannot be deleted', async () => {
    const node = await withPods('c1');
    node.io.wirer.unwire = async (name) => new KernelError('delete link', name, EPERM);
    await assert.rejects(del(owner('c1'), node.io), failsWith(110, /^container c1: delete link pr/));
    assert.deepEqual(held(node), ['c1']);
    assert.deepEqual(node.guarded, ['+c1 10.77.0.0 fd77::']);
  });

  it('says when the journal cannot be written', async () => {
    const node = await withPods('c1');
    node.disk.failure = 'no space left on device';
    await assert.rejects(del(owner('c1'), node.io), failsWith(104, /no space left/));
  });
});

describe('GC', () => {
  const config = (...valid: string[]) =>
    configOf({ 'cni.dev/valid-attachments': valid.map((id) => ({ containerID: id, ifname: 'eth0' })) }, 'GC');

  it('frees what the runtime does not know, of this network only', async () => {
    const node = await withPods('c1', 'c2', 'c3');
    await add(callOf('c4'), configOf({ name: 'other' }), node.io);
    await collectGarbage(config('c2'), node.io);
    assert.deepEqual(held(node), ['c2', 'c4']);
    assert.equal(node.log.filter((line) => /collected/.test(line)).length, 2);
    await collectGarbage(config('c2'), node.io);
    assert.deepEqual(held(node), ['c2', 'c4']);
    await collectGarbage(configOf({}, 'GC'), node.io);
    assert.deepEqual(held(node), ['c4'], 'no list: none is valid');
  });

  it('goes on after a failure, and tells of all', async () => {
    const node = await withPods('c1', 'c2', 'c3');
    const [first, , third] = ['c1', 'c2', 'c3'].map((id) =>
      hostLinkName(ownerKey({ containerId: id, ifname: 'eth0' })),
    );
    const unwire = node.io.wirer.unwire.bind(node.io.wirer);
    node.io.wirer.unwire = async (name) =>
      name === first || name === third ? new KernelError('delete link', name, EPERM) : unwire(name);
    await assert.rejects(
      collectGarbage(config(), node.io),
      failsWith(110, /^2 of 3 stale attachments could not be removed .*c1.*; .*c3/),
    );
    assert.deepEqual(held(node), ['c1', 'c3']);
    assert.deepEqual(
      node.log.filter((line) => /collected/.test(line)),
      ['container c2: collected: the runtime does not know it any more'],
    );
  });
});

describe('what is left over', () => {
  it('is freed as its DEL would, by who is told which links there are; the others stay', async () => {
    const node = await withPods('c1', 'c2', 'c3');
    const link = hostLinkName(ownerKey(callOf('c1')));
    await node.io.wirer.unwire(link);
    let seen: string[] = [];
    const outcomes = await collectLeaks((links) => {
      seen = [...links];
      return [owner('c1')];
    }, node.io);
    assert.deepEqual(seen.sort(), ['c2', 'c3'].map((id) => hostLinkName(ownerKey(callOf(id)))).sort());
    assert.deepEqual(outcomes, [undefined]);
    assert.deepEqual(held(node), ['c2', 'c3']);
    assert.equal(node.guarded.at(-1), '-c1');
  });

  it('stays when it cannot be freed, each with its reason, and does not keep the others', async () => {
    const node = await withPods('c1', 'c2');
    const first = hostLinkName(ownerKey(callOf('c1')));
    const unwire = node.io.wirer.unwire.bind(node.io.wirer);
    node.io.wirer.unwire = async (name) =>
      name === first ? new KernelError('delete link', name, EPERM) : unwire(name);
    const [why, none] = await collectLeaks(() => [owner('c1'), owner('c2')], node.io);
    assert.equal(why?.code, 110);
    assert.equal(none, undefined);
    assert.deepEqual(held(node), ['c1']);
  });
});
