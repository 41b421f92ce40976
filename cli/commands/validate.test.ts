// podroute validate, from outside: what it says of a folder as a whole.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '..', 'main.ts');
const POOL =
  'apiVersion: podroute.io/v1\nkind: IPPool\nmetadata: { name: pods }\nspec: { cidr: 10.244.0.0/16 }\n';
const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: x }\n';

describe('podroute validate', function () {
  this.timeout(30_000);

  for (const [what, text, status, lines] of [
    ['good documents', POOL, 0, ['1 document in 1 file: all good']],
    [
      'a document that nobody reads beside a good one: not all is said to be good',
      `${POOL}---\n${CONFIG_MAP}`,
      0,
      [
        'note: v1 ConfigMap is not a kind that podroute reads',
        '2 documents in 1 file: all good of what was read',
      ],
    ],
    [
      'a kind of Calico in other capitals: named, with the right one',
      POOL.replace('podroute.io/v1', 'projectcalico.org/v3').replace('IPPool', 'ipPool'),
      0,
      [/^.*: warning: ipPool pods: kind: "ipPool" is not read \(did you mean "IPPool"\?\)$/, /: 1 warning$/],
    ],
  ] as const) {
    it(what, () => {
      const folder = mkdtempSync(join(tmpdir(), 'validate-'));
      try {
        writeFileSync(join(folder, 'a.yaml'), text);
        const { stdout, status: code } = spawnSync(process.execPath, [MAIN, 'validate', folder], {
          encoding: 'utf8',
        });
        assert.equal(code, status);
        const said = stdout.trimEnd().split('\n');
        for (const [i, line] of lines.entries()) {
          if (typeof line === 'string') assert.ok(said.includes(line), stdout);
          else
            assert.ok(
              said.some((one) => line.test(one)),
              `${i}: ${stdout}`,
            );
        }
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }

  it('reads a folder as the store does: mounted ConfigMaps once, what agents wrote last, nothing that is too large', () => {
    const folder = mkdtempSync(join(tmpdir(), 'validate-'));
    try {
      mkdirSync(join(folder, '..2026_01'));
      writeFileSync(join(folder, '..2026_01', 'net.yaml'), POOL);
      symlinkSync('..2026_01', join(folder, '..data'));
      symlinkSync('..data/net.yaml', join(folder, 'net.yaml'));
      mkdirSync(join(folder, '.podroute'));
      writeFileSync(join(folder, '.podroute', 'p.yaml'), POOL.replace('/16', '/24'));
      writeFileSync(join(folder, 'big.json'), Buffer.alloc(4 * 1024 * 1024 + 1, ' '));
      mkdirSync(join(folder, 'folder.yaml'));
      const { stdout, status } = spawnSync(process.execPath, [MAIN, 'validate', folder], {
        encoding: 'utf8',
      });
      assert.equal(status, 1);
      assert.deepEqual(stdout.replaceAll(folder, '').trimEnd().split('\n'), [
        '/big.json: file: has more than 4194304 characters, and is not read',
        '/.podroute/p.yaml:3: IPPool pods: metadata.name: stands in /net.yaml already, and that one is in force; delete one of them',
        '3 documents in 3 files: 2 errors',
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
