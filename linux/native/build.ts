// Builds the addon: one call of the C compiler, into build/podroute_linux.node, when one of its sources is newer.
// Headers come with Node itself: npm's package node@24 has them, and so has an installed Node.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, realpathSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const sources = ['addon.c', 'namespaces.c', 'readiness.c', 'addon.h'].map((name) =>
  join(import.meta.dirname, name),
);
const output = join(root, 'build', 'podroute_linux.node');

function fail(message: string): never {
  console.error(`linux/native/build.ts: ${message}`);
  process.exit(1);
}

/** npm's packages named node-linux-ARCH, wherever npm put them. */
function packagedHeaders(): string[] {
  const places = [join(root, 'node_modules'), join(root, 'node_modules', 'node', 'node_modules')];
  return places.flatMap((place) =>
    existsSync(place)
      ? readdirSync(place)
          .filter((name) => name.startsWith('node-linux-'))
          .map((name) => join(place, name, 'include', 'node'))
      : [],
  );
}

function headers(): string {
  const candidates = [
    ...packagedHeaders(),
    join(dirname(realpathSync(process.execPath)), '..', 'include', 'node'),
    '/usr/local/include/node',
    '/usr/include/node',
    '/usr/include/nodejs/src',
  ];
  const found = candidates.find(
    (directory) => existsSync(join(directory, 'node_api.h')) && existsSync(join(directory, 'uv.h')),
  );
  return (
    found ??
    fail(
      `no node_api.h and uv.h in ${candidates.join(', ')}. Install them with:\n` +
        `  npm install --no-save node-linux-${process.arch}@${process.versions.node}`,
    )
  );
}

function isCurrent(): boolean {
  if (!existsSync(output)) return false;
  const built = statSync(output).mtimeMs;
  return [...sources, import.meta.filename].every((path) => built > statSync(path).mtimeMs);
}

if (process.platform !== 'linux') fail(`podroute runs on Linux only, this is ${process.platform}`);
if (!isCurrent()) {
  mkdirSync(dirname(output), { recursive: true });
  const compiler = process.env.CC ?? 'cc';
  // Written beside and renamed: a running process keeps the old file.
  const fresh = `${output}.${process.pid}`;
  const flags = [
    '-std=gnu11',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror=implicit',
    '-fPIC',
    '-shared',
    '-pthread',
    '-s',
  ];
  const units = sources.filter((path) => path.endsWith('.c'));
  try {
    execFileSync(compiler, [...flags, '-DNAPI_VERSION=8', `-I${headers()}`, '-o', fresh, ...units], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      fail(`no C compiler (${compiler}). Install one with:\n  apt-get install -y gcc libc6-dev`);
    }
    fail(`${compiler} could not build ${units.join(' ')} (see above)`);
  }
  renameSync(fresh, output);
  console.log(`built build/podroute_linux.node (${statSync(output).size} bytes)`);
}
