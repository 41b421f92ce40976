// DELs that waited for the agent: each is done once, before an ADD for the same attachment, and what cannot be done stays
// and is said once.
import assert from 'node:assert/strict';
import { ownerKey } from '#ipam';
import { callOf, type CniNode, configOf, startCniNode } from '../testing/cni-node.ts';
import { CallOrder } from './call-order.ts';
import { encodeRequest, withoutLength } from './call.ts';
import { CniError } from './cni-error.ts';
import { DelQueue } from './del-queue.ts';
import { add } from './verbs/add.ts';

const FOLDER = '/state/del-queue';

function queue(node: CniNode, containerId: string, name = `${containerId}@eth0`): void {
  const environment = new Map([
    ['CNI_COMMAND', 'DEL'],
    ['CNI_CONTAINERID', containerId],
    ['CNI_IFNAME', 'eth0'],
    ['CNI_PATH', '/opt/cni/bin'],
  ]);
  node.disk.put(`${FOLDER}/${name}`, withoutLength(encodeRequest({ environment, input: '{}' })));
}
const isQueued = (node: CniNode, name: string): boolean =>
  node.disk.contents(`${FOLDER}/${name}`) !== undefined;
const held = ({ ipam }: CniNode): string[] => ipam.usage().allocations.map((a) => a.owner.containerId);

async function scene() {
  const node = await startCniNode();
  await add(callOf('c1'), configOf(), node.io);
  const waiting = new DelQueue(node.disk, '/state');
  const order = new CallOrder();
  return { node, waiting, order, drain: () => waiting.drain(order, node.io) };
}

describe('the queue of DELs', () => {
  it('is nothing while there is no folder', async () => {
    const { node, waiting, drain } = await scene();
    await drain();
    await waiting.finish({ containerId: 'c1', ifname: 'eth0' }, node.io);
    assert.deepEqual(waiting.problems(), []);
    assert.deepEqual(held(node), ['c1']);
  });

  it('is done and emptied, but for temporary files and folders', async () => {
    const { node, waiting, drain } = await scene();
    queue(node, 'c1');
    queue(node, 'c2');
    queue(node, 'c3', '.c3@eth0.tmp');
    queue(node, 'c4', 'folder/c4@eth0');
    await drain();
    assert.deepEqual(held(node), []);
    assert.deepEqual(
      ['c1@eth0', 'c2@eth0', '.c3@eth0.tmp', 'folder/c4@eth0'].map((name) => isQueued(node, name)),
      [false, false, true, true],
    );
    assert.deepEqual(waiting.problems(), []);
    assert.equal(node.log.filter((line) => /DEL done that came/.test(line)).length, 2);
  });

  it('does not do a DEL that an ADD has finished meanwhile', async () => {
    const { node, waiting, order, drain } = await scene();
    queue(node, 'c1');
    const { promise, resolve } = Promise.withResolvers<void>();
    // The runtime gave the name to a new pod: its ADD finishes the old DEL and then wires.
    const adding = order.run(ownerKey(callOf('c1')), async () => {
      await promise;
      await waiting.finish({ containerId: 'c1', ifname: 'eth0' }, node.io);
      await add(callOf('c1'), configOf(), node.io);
    });
    const draining = drain();
    await new Promise(setImmediate);
    resolve();
    await Promise.all([adding, draining]);
    assert.deepEqual(held(node), ['c1']);
    assert.equal(isQueued(node, 'c1@eth0'), false);
    assert.deepEqual(waiting.problems(), []);
  });

  it('keeps what is no request, and what cannot be done now; goes on with others, and says each once', async () => {
    const { node, waiting, drain } = await scene();
    node.disk.put(`${FOLDER}/a-broken`, Buffer.from('CNI_COMMAND=DEL'));
    node.disk.put(`${FOLDER}/b-wrong`, withoutLength(encodeRequest({ environment: new Map(), input: '' })));
    queue(node, 'c1');
    await drain();
    await drain();
    assert.deepEqual(waiting.problems(), [
      `queued DEL ${FOLDER}/a-broken: it is not a request: delete it`,
      `queued DEL ${FOLDER}/b-wrong: unknown CNI_COMMAND`,
    ]);
    assert.equal(node.log.filter((line) => /queued DEL cannot be done/.test(line)).length, 2);
    assert.deepEqual(held(node), []);
    await node.disk.remove(`${FOLDER}/a-broken`);
    await node.disk.remove(`${FOLDER}/b-wrong`);
    await drain();
    assert.deepEqual(waiting.problems(), []);
  });

  it('says that the disk does not answer, to an ADD as well', async () => {
    const { node, waiting, drain } = await scene();
    queue(node, 'c1');
    node.disk.damaged.set(`${FOLDER}/c1@eth0`, 'input/output error');
    await assert.rejects(
      waiting.finish({ containerId: 'c1', ifname: 'eth0' }, node.io),
      (error) =>
        error instanceof CniError &&
        error.code === 104 &&
        error.message === `DEL queue ${FOLDER}: input/output error`,
    );
    await drain();
    assert.deepEqual(waiting.problems(), [`queued DEL ${FOLDER}/c1@eth0: input/output error`]);
    assert.deepEqual(held(node), ['c1']);
    node.disk.list = async () => {
      throw new Error('folder: input/output error');
    };
    await drain();
    assert.deepEqual(waiting.problems(), [`queued DEL ${FOLDER}: folder: input/output error`]);
  });

  it('is done before an ADD for the same attachment, and for no other', async () => {
    const { node, waiting } = await scene();
    queue(node, 'c1');
    await waiting.finish({ containerId: 'c1', ifname: 'eth1' }, node.io);
    assert.deepEqual(held(node), ['c1']);
    await waiting.finish({ containerId: 'c1', ifname: 'eth0' }, node.io);
    assert.deepEqual(held(node), []);
    assert.equal(isQueued(node, 'c1@eth0'), false);
  });
});
