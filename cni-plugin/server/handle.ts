// One call from request to answer: read, ordered, done, written. Never throws.
import { ownerKey } from '#ipam';
import { add } from './verbs/add.ts';
import { ownerOf } from './request/attachment.ts';
import type { CallOrder } from './call-order.ts';
import { check } from './verbs/check.ts';
import { CniError, codes, errorJson, toCniError } from './request/cni-error.ts';
import { readConfig, versionForErrors } from './request/network-config.ts';
import { del } from './verbs/del.ts';
import type { DelQueue } from './del-queue.ts';
import { type CniCall, readEnvironment } from './request/environment.ts';
import { type CniRequest, decodeRequest } from './request/frame.ts';
import { collectGarbage } from './verbs/gc.ts';
import { resultJson } from './request/results.ts';
import type { VerbIo } from './verbs/verbs.ts';
import { NEWEST, VERSIONS } from './request/versions.ts';

export interface Answer {
  readonly exitCode: number;
  /** JSON, or empty. */
  readonly output: string;
  readonly command: string;
  readonly error?: CniError;
}

export interface Handling {
  readonly io: VerbIo;
  readonly order: CallOrder;
  readonly queue: DelQueue;
}

export async function handle(request: CniRequest | undefined, handling: Handling): Promise<Answer> {
  const command = request?.environment.get('CNI_COMMAND') ?? '';
  try {
    if (request === undefined) throw new CniError(codes.decoding, 'the request on the socket cannot be read');
    return { exitCode: 0, output: await perform(request, handling), command };
  } catch (thrown) {
    const error = toCniError(thrown);
    const output = errorJson(error, versionForErrors(request?.input ?? ''));
    return { exitCode: 1, output, command, error };
  }
}

async function perform(request: CniRequest, handling: Handling): Promise<string> {
  const call = readEnvironment(request.environment);
  const { io, order } = handling;
  if (call.command === 'VERSION') {
    return `${JSON.stringify({ cniVersion: NEWEST, supportedVersions: VERSIONS })}\n`;
  }
  const config = readConfig(request.input, call.command);
  const key = call.containerId === '' ? '' : ownerKey(call);
  switch (call.command) {
    case 'ADD':
      return order.run(key, async () => {
        await finishQueuedDel(call, handling);
        return resultJson(await add(call, config, io), config.cniVersion);
      });
    case 'DEL':
      await order.run(key, () => del(ownerOf(call, config), io));
      return '';
    case 'CHECK':
      await order.run(key, () => check(call, config, io));
      return '';
    case 'GC':
      await order.runAlone(() => collectGarbage(config, io));
      return '';
    case 'STATUS': {
      const why = io.whyUnready() ?? io.ipam.whyUnready();
      if (why !== undefined) throw new CniError(codes.unavailable, 'podroute cannot serve ADD', why);
      return '';
    }
  }
}

/** A DEL that was queued for the same attachment is of its life before this one. */
async function finishQueuedDel(call: CniCall, { io, queue }: Handling): Promise<void> {
  const name = queue.nameOf(call.containerId, call.ifname);
  if (!queue.has(name)) return;
  await del({ containerId: call.containerId, ifname: call.ifname, network: '' }, io);
  await queue.remove(name);
}

/** Does what the queue holds. What cannot be done stays there, and is said. */
export async function drainDelQueue(handling: Handling): Promise<void> {
  const { queue, order, io } = handling;
  for (const name of await queue.names()) {
    const bytes = await queue.read(name);
    if (bytes === undefined) continue;
    try {
      const request = decodeRequest(bytes);
      if (request === undefined) throw new CniError(codes.decoding, 'it is not a request');
      const call = readEnvironment(request.environment);
      await order.run(ownerKey(call), async () => {
        if (!queue.has(name)) return;
        const { containerId, ifname } = call;
        await del({ containerId, ifname, network: '' }, io);
        await queue.remove(name);
      });
      io.log.info(name, 'DEL done that came while the agent was down');
    } catch (error) {
      io.log.error(name, `queued DEL cannot be done: ${toCniError(error).message}`);
    }
  }
}
