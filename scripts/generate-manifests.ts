// node scripts/generate-manifests.ts: writes manifests/kubernetes/ (kustomize) and manifests/helm/podroute/ anew, both from
// scripts/manifests/. A test fails while they differ.
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { access } from './manifests/access.ts';
import { agentDaemon } from './manifests/agent-daemon.ts';
import { controllerDeployment } from './manifests/controller-deployment.ts';
import { helmFiles } from './manifests/helm.ts';
import { kustomizeFiles } from './manifests/kustomize.ts';
import { uninstallDaemon } from './manifests/uninstall-daemon.ts';

const ROOT = join(import.meta.dirname, '..');
export const FOLDERS = { kustomize: 'manifests/kubernetes', helm: 'manifests/helm/podroute' } as const;

/** By path from the top of the project. */
export function manifestFiles(): Map<string, string> {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const manifests = [...access(), ...agentDaemon(), ...controllerDeployment(), ...uninstallDaemon()];
  const below = (folder: string, files: ReadonlyMap<string, string>): [string, string][] =>
    [...files].map(([name, text]) => [`${folder}/${name}`, text]);
  return new Map([
    ...below(FOLDERS.kustomize, kustomizeFiles(manifests)),
    ...below(FOLDERS.helm, helmFiles(manifests, version)),
  ]);
}

/** What stands there, but for the chart's link to manifests/crds. */
export function presentFiles(): string[] {
  return Object.values(FOLDERS).flatMap((folder) =>
    globSync(`${folder}/**/*`, { cwd: ROOT, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('/crds'))
      .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length + 1)),
  );
}

if (import.meta.main) {
  const files = manifestFiles();
  for (const name of presentFiles()) if (!files.has(name)) rmSync(join(ROOT, name));
  for (const [name, text] of files) {
    mkdirSync(dirname(join(ROOT, name)), { recursive: true });
    writeFileSync(join(ROOT, name), text);
  }
  const crds = join(ROOT, FOLDERS.helm, 'crds');
  if (!existsSync(crds)) symlinkSync('../../crds', crds);
  process.stdout.write(`${files.size} files in ${Object.values(FOLDERS).join(' and ')}\n`);
}
