import assert from 'node:assert/strict';
import { answerSessions, type SessionDesk } from './session-endpoints.ts';

const done: string[] = [];
const desk: SessionDesk = {
  ids: () => ['tor-a', 'tor-b'],
  act: (id, action, message) => {
    if (!desk.ids().includes(id)) return undefined;
    if (action === 'refresh-in') return { refused: 'is disabled' };
    done.push(`${id} ${action} ${message}`);
    return 'goes down';
  },
};
const ask = (method: string, url: string) => {
  const reply = answerSessions({ method, url }, desk);
  return reply && [reply.status, JSON.parse(reply.body)];
};

describe('the agent’s socket about sessions', () => {
  it('does what is asked and says what happens now', () => {
    const reply = ask('POST', '/v1/session?id=tor-a&action=disable&message=rack%207');
    assert.deepEqual(reply, [200, { id: 'tor-a', action: 'disable', text: 'goes down' }]);
    assert.deepEqual(done, ['tor-a disable rack 7']);
    assert.equal(ask('GET', '/v1/status'), undefined);
  });

  it('says why not: no such session, no such action, wrong method, a message that no neighbour can be told', () => {
    for (const [method, url, status, words] of [
      [
        'POST',
        '/v1/session?id=tor-c&action=reset',
        404,
        /no session tor-c on this node; there are: tor-a, tor-b/,
      ],
      ['POST', '/v1/session?id=tor-a&action=refresh-in', 409, /^session tor-a is disabled$/],
      ['POST', '/v1/session?id=tor-a&action=constructor', 400, /expected one of enable, disable, reset/],
      ['GET', '/v1/session?id=tor-a&action=reset', 405, /only POST/],
      ['POST', `/v1/session?id=tor-a&action=disable&message=${'x'.repeat(256)}`, 400, /256 octets.*255/],
    ] as const) {
      const [code, body] = ask(method, url) ?? [];
      assert.equal(code, status, url);
      assert.match((body as { error: string }).error, words);
    }
  });
});
