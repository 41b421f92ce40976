// Loaded into the agent by the bench (node --import): notes how late each tick of a 5 ms timer came, so that the
// delay can be told of just those moments in which a table arrived.
import { appendFileSync } from 'node:fs';

const TICK_MS = 5;
const WRITE_MS = 500;

const file = process.env['PODROUTE_BENCH_TICKS'];
if (file !== undefined) {
  let lines = '';
  let last = process.hrtime();
  setInterval(() => {
    const now = process.hrtime();
    const late = (now[0] - last[0]) * 1e3 + (now[1] - last[1]) / 1e6 - TICK_MS;
    lines += `${(now[0] + now[1] / 1e9).toFixed(4)} ${late.toFixed(2)}\n`;
    last = now;
  }, TICK_MS).unref();
  setInterval(() => {
    appendFileSync(file, lines);
    lines = '';
  }, WRITE_MS).unref();
}
