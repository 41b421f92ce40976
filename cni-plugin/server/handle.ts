// One call from its bytes to those of the answer: read, ordered, done, written. Never throws.
import { ownerKey } from '#ipam';
import type { CallOrder } from './call-order.ts';
import type { DelQueue } from './del-queue.ts';
import { ownerOf } from './request/attachment.ts';
import { CniError, codes, errorJson, toCniError } from './request/cni-error.ts';
import { readEnvironment } from './request/environment.ts';
import { type CniRequest, decodeRequest, encodeAnswer, withoutLength } from './request/call-frame.ts';
import { NEWEST, readConfig, versionForErrors, VERSIONS } from './request/network-config.ts';
import { resultJson } from './request/results.ts';
import { add } from './verbs/add.ts';
import { check } from './verbs/check.ts';
import { del } from './verbs/del.ts';
import { collectGarbage } from './verbs/gc.ts';
import type { VerbIo } from './verbs/verb-io.ts';

export interface Handling {
  readonly io: VerbIo;
  readonly order: CallOrder;
  readonly queue: DelQueue;
}

/** @param bytes a whole request, its length included */
export async function answerCall(bytes: Uint8Array, handling: Handling): Promise<Uint8Array> {
  const request = decodeRequest(withoutLength(bytes));
  try {
    if (request === undefined) throw new CniError(codes.decoding, 'the request on the socket cannot be read');
    return encodeAnswer(0, await perform(request, handling));
  } catch (thrown) {
    const error = toCniError(thrown);
    const command = request?.environment.get('CNI_COMMAND') ?? '';
    const details = error.details === '' ? '' : ` (${error.details})`;
    handling.io.log.warn('cni', `${command} answered code ${error.code}: ${error.message}${details}`);
    return encodeAnswer(1, errorJson(error, versionForErrors(request?.input ?? '')));
  }
}

/** JSON, or nothing. */
async function perform(request: CniRequest, { io, order, queue }: Handling): Promise<string> {
  const call = readEnvironment(request.environment);
  if (call.command === 'VERSION') {
    return `${JSON.stringify({ cniVersion: NEWEST, supportedVersions: VERSIONS })}\n`;
  }
  const config = readConfig(request.input, call.command);
  const key = call.containerId === '' ? '' : ownerKey(call);
  switch (call.command) {
    case 'ADD':
      return order.run(key, async () => {
        await queue.finish(call, io);
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
