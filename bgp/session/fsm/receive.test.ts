// What received octets mean to the FSM.
import assert from 'node:assert/strict';
import { type Framer, notification } from '../../message/index.ts';
import { peerConfig, speakerConfig } from '../../testing/configs.ts';
import { bytes, MP_BOTH, rawOpen } from '../../testing/message-bytes.ts';
import { localOpen, NOT_RESTARTING } from './local-open.ts';
import {
  headerEvent,
  internalErrorEvent,
  judgeOpen,
  losesCollision,
  notificationCause,
  refusesParameters,
  refusesVersion,
  shutdownMessage,
  unofferedRefreshEvent,
} from './receive.ts';

const framer = (errorMessageType: number, data = ''): Framer =>
  ({ errorMessageType, errorData: bytes(data) }) as unknown as Framer;

describe('what received octets mean', () => {
  it('an OPEN is an agreement, or what is wrong with it', () => {
    const config = peerConfig('tor', '10.0.0.2', 65002);
    const ours = localOpen(speakerConfig(65001, '10.0.0.1'), config, NOT_RESTARTING, true);
    const judge = (open: Buffer) => {
      const padded = Buffer.concat([Buffer.alloc(3), open, Buffer.alloc(5)]);
      const ends = { localAddress: '10.0.0.1', remoteAddress: '10.0.0.2' };
      return judgeOpen(config, ours, ends, padded, 3, 3 + open.length);
    };
    const good = judge(rawOpen({ as: 65002, id: '10.0.0.2', capabilities: MP_BOTH }));
    assert.equal(good.theirs?.asNumber, 65002);
    assert.ok('families' in good.result);
    const stranger = judge(rawOpen({ as: 65003, id: '10.0.0.2', capabilities: MP_BOTH }));
    assert.equal(stranger.theirs?.asNumber, 65003);
    assert.ok('code' in stranger.result);
    const old = judge(rawOpen({ version: 3, as: 65002, id: '10.0.0.2', capabilities: MP_BOTH }));
    assert.deepEqual(old, {
      theirs: undefined,
      result: {
        ...notification(2, 1, bytes('0004')),
        reason: 'OPEN message error: unsupported version number (peer wants 4)',
      },
    });
  });

  it('a broken header is answered, unless it is a NOTIFICATION’s (RFC 4271 §6.1, §6.4)', () => {
    assert.deepEqual(headerEvent((1 << 8) | 3, framer(9, '09')), {
      type: 'headerInvalid',
      error: {
        code: 1,
        subcode: 3,
        data: bytes('09'),
        reason: 'message header error: bad message type (type 9)',
      },
    });
    assert.deepEqual(headerEvent((1 << 8) | 2, framer(3, '0014')), {
      type: 'notificationReceived',
      cause: {
        kind: 'notification unreadable',
        why: 'message header error: bad message length (length 20)',
      },
    });
  });

  it('ROUTE-REFRESH without its capability is a type that nobody knows: 1/3 with the type', () => {
    const { type, ...rest } = unofferedRefreshEvent();
    assert.equal(type, 'headerInvalid');
    const { error } = rest as { error: { code: number; subcode: number; data: Uint8Array } };
    assert.deepEqual([error.code, error.subcode, [...error.data]], [1, 3, [5]]);
  });

  it('a fault of ours ends the session with 6/8, and is kept with the place where it happened', () => {
    const fault = new Error('oops');
    const event = internalErrorEvent(fault);
    assert.ok(event.type === 'automaticStop' && event.cause.kind === 'internal error');
    assert.deepEqual([event.error?.code, event.error?.subcode], [6, 8]);
    assert.equal(event.cause.text, fault.stack);
    const texts = [Object.assign(new Error('no stack'), { stack: undefined }), 'thrown'].map((thrown) => {
      const { cause } = internalErrorEvent(thrown) as { cause: { text: string } };
      return cause.text;
    });
    assert.deepEqual(texts, ['no stack', 'thrown']);
  });

  it('a Cease tells what an operator wrote, also inside a hard reset (RFC 9003, RFC 8538)', () => {
    const TEXT = '03 627965';
    for (const [code, subcode, data, message] of [
      [6, 2, TEXT, 'bye'],
      [6, 4, TEXT, 'bye'],
      [6, 3, TEXT, undefined],
      [4, 2, TEXT, undefined],
      [6, 2, '00', undefined],
      [6, 2, '', undefined],
      [6, 2, '02 c328', undefined],
      [6, 9, `0602 ${TEXT}`, 'bye'],
      [6, 9, `0604 ${TEXT}`, 'bye'],
      [6, 9, `0601 ${TEXT}`, undefined],
      [6, 9, '', undefined],
    ] as const) {
      const error = notification(code, subcode, bytes(data));
      assert.equal(shutdownMessage(error), message, `${code}/${subcode} ${data}`);
      const { text, ...cause } = notificationCause(error);
      assert.ok(text.length > 0);
      assert.deepEqual(cause, {
        kind: 'notification received',
        code,
        subcode,
        ...(message === undefined ? {} : { message }),
      });
    }
  });

  it('2/1 refuses our version, 2/4 our optional parameters, 6/7 ends a collision, and nothing else does', () => {
    for (let code = 0; code < 8; code++) {
      for (let subcode = 0; subcode < 12; subcode++) {
        const error = notification(code, subcode, bytes(''));
        assert.equal(refusesVersion(error), code === 2 && subcode === 1);
        assert.equal(refusesParameters(error), code === 2 && subcode === 4);
        assert.equal(losesCollision(error), code === 6 && subcode === 7);
      }
    }
  });
});
