// The installation's files against the tables that they are made of.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { FOLDERS, manifestFiles, presentFiles } from './generate-manifests.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');

describe('manifests/kubernetes and manifests/helm', () => {
  it('are what scripts/manifests says (else run: node scripts/generate-manifests.ts)', () => {
    const files = manifestFiles();
    assert.deepEqual(presentFiles().sort(), [...files.keys()].sort());
    for (const [name, text] of files) assert.equal(read(name), text, `${name} is stale`);
  });

  it('have the same kinds: the chart leads to those of manifests/crds', () => {
    assert.equal(realpathSync(join(ROOT, FOLDERS.helm, 'crds')), realpathSync(join(ROOT, 'manifests/crds')));
  });

  it('are YAML, but for the templates, and name every file that they consist of', () => {
    for (const [name, text] of manifestFiles()) {
      if (!name.endsWith('.yaml') || name.includes('/templates/')) continue;
      for (const document of parseAllDocuments(text)) assert.deepEqual(document.errors, [], name);
    }
    const { resources } = parse(read(`${FOLDERS.kustomize}/base/kustomization.yaml`)) as {
      resources: string[];
    };
    const written = [...manifestFiles().keys()].filter((name) =>
      name.startsWith(`${FOLDERS.kustomize}/base/`),
    );
    assert.equal(resources.length + 1, written.length);
  });

  it('start Node with options that it takes from there, and that a small heap comes of', () => {
    for (const file of ['agents.yaml', 'controller.yaml']) {
      const env = /- name: NODE_OPTIONS\n +value: (.+)/.exec(read(`${FOLDERS.kustomize}/base/${file}`));
      const kept = 'const a = []; for (let i = 0; i < 2e6; i++) a.push({ i });';
      const space = "v8.getHeapSpaceStatistics().find((one) => one.space_name === 'new_space').space_size";
      const youngBytes = (options: string) => {
        const { status, stdout, stderr } = spawnSync(process.execPath, ['-p', `${kept} ${space}`], {
          encoding: 'utf8',
          env: { ...process.env, NODE_OPTIONS: options },
        });
        assert.equal(status, 0, stderr);
        return Number(stdout);
      };
      // Two halves of 4 MB, and pages in between; else 64 or 128.
      assert.ok(youngBytes(env?.[1] ?? '') <= 32 * 2 ** 20, file);
    }
  });
});
