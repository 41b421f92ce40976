// node scripts/build-image.ts [FILE]: writes the image of what was built (scripts/build.ts) as an OCI archive. No container
// engine takes part; the same commit, built with the same compiler and libraries, has the same digest.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import { makeImage } from './image/archive.ts';
import { imageContents } from './image/contents.ts';

const ROOT = join(import.meta.dirname, '..');
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();

/** Of the commit: a time that does not depend on when it is built. Without git, SOURCE_DATE_EPOCH or 1970. */
function timeOfSources(): Date {
  const given = process.env['SOURCE_DATE_EPOCH'];
  try {
    return new Date(Number(given ?? git('show', '-s', '--format=%ct', 'HEAD')) * 1000);
  } catch {
    return new Date(0);
  }
}

const architecture = ARCHITECTURES[arch()] ?? arch();
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
const file = process.argv[2] ?? join(ROOT, 'build', `podroute-${version}-${architecture}.oci.tar`);
const { archive, digest, layerBytes } = await makeImage(imageContents(), {
  name: `podroute:${version}`,
  architecture,
  time: timeOfSources(),
  labels: {
    'org.opencontainers.image.title': 'podroute',
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.licenses': 'Apache-2.0',
  },
});
writeFileSync(file, archive);
process.stdout.write(
  `${file}\npodroute:${version} ${digest} ${(layerBytes / 1e6).toFixed(1)} MB compressed\n`,
);
