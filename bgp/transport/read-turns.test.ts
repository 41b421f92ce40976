import assert from 'node:assert/strict';
import { type Reader, ReadTurns, TURN_MS } from './read-turns.ts';

const LONG = 65_536;
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

class Sender implements Reader {
  goes = 0;
  goOn(): void {
    this.goes++;
  }
}

describe('turns of heavy readers', () => {
  it('light chunks are never paused, whatever the turn has cost', () => {
    const turns = new ReadTurns();
    turns.spent(new Sender(), 100, LONG);
    for (let i = 0; i < 100; i++) assert.equal(turns.spent(new Sender(), 0.1, 200), false);
  });

  it('cheap ones that fill the buffer wait too, once the turn has cost its share', () => {
    const turns = new ReadTurns();
    const sender = new Sender();
    const paused = Array.from({ length: 32 }, () => turns.spent(sender, TURN_MS / 16, LONG));
    assert.equal(paused.indexOf(true), 15);
  });

  it('a heavy reader alone goes on in the next turn', async () => {
    const turns = new ReadTurns();
    const sender = new Sender();
    assert.equal(turns.spent(sender, 20, LONG), true);
    assert.ok(turns.isWaiting(sender));
    await nextTurn();
    assert.equal(sender.goes, 1);
    assert.ok(!turns.isWaiting(sender));
  });

  it('many go on one after another, all of them in the end, and one that leaves is forgotten', async () => {
    const turns = new ReadTurns();
    const senders = Array.from({ length: 30 }, () => new Sender());
    for (let i = 0; i < 40; i++) for (const sender of senders) turns.spent(sender, 10, LONG);
    turns.leave(senders[29]!);
    await nextTurn();
    assert.equal(senders.filter(({ goes }) => goes > 0).length, 1);
    for (let i = 0; i < 40; i++) await nextTurn();
    assert.deepEqual(
      senders.map(({ goes }) => goes),
      [...Array.from({ length: 29 }, () => 1), 0],
    );
  });
});
