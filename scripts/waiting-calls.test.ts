// What an agent runs asks no disk and no file server on its main thread: BGP would wait with it. The few calls that do are
// named here with why they never wait for long.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const ROOMS = ['agent', 'api', 'bgp', 'cni-plugin', 'ip', 'ipam', 'linux', 'store', 'world'];
const ALLOWED: Readonly<Record<string, string>> = {
  'linux/real/sysctl.ts': '/proc/sys is memory, and the calling thread may stand in another namespace',
  'linux/native/netns.ts': 'namespaces are made by labs and tests only',
  'linux/native/addon.ts': 'once, at the first use',
};
const IS_PRODUCT = /\.ts$/;
const IS_NOT = /\.test\.ts$|(^|\/)testing\/|\/(build|generate-[a-z-]+)\.ts$/;

describe('the main thread', () => {
  it('makes no synchronous call of node:fs but those named here', () => {
    const found = ROOMS.flatMap((room) =>
      readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
        .map((file) => `${room}/${file}`)
        .filter((file) => IS_PRODUCT.test(file) && !IS_NOT.test(file))
        .filter((file) => /\b[a-z]\w*Sync\b/.test(readFileSync(join(ROOT, file), 'utf8'))),
    );
    assert.deepEqual(found.sort(), Object.keys(ALLOWED).sort());
  });
});
