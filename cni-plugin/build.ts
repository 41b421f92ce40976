// Builds the CNI executable: build/podroute-cni, static, so that it runs on any host of this architecture. With musl it
// has about 40 KB; a C library that cannot be linked that small still works, but is said.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

const source = join(import.meta.dirname, 'podroute.c');
const folder = join(import.meta.dirname, '..', 'build');
const target = join(folder, 'podroute-cni');
const MOST_BYTES = 100_000;

const has = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

/** Undefined when it is built, else why not. */
function build(): string | undefined {
  const isNewer = (path: string): boolean => statSync(path).mtimeMs > statSync(target).mtimeMs;
  if (existsSync(target) && !isNewer(source) && !isNewer(import.meta.filename)) return undefined;
  const compiler = process.env['CC'] ?? ['musl-gcc', 'cc'].find(has);
  if (compiler === undefined) {
    throw new Error(
      'cni-plugin: no C compiler: apt-get install --no-install-recommends musl-tools gcc libc6-dev',
    );
  }
  mkdirSync(folder, { recursive: true });
  const temporary = `${target}.${process.pid}`;
  const flags = [
    '-std=gnu11',
    '-Os',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-ffunction-sections',
    '-fdata-sections',
  ];
  const linking = ['-static', '-s', '-Wl,--gc-sections', '-Wl,-z,norelro', '-Wl,--build-id=none'];
  const { status } = spawnSync(compiler, [...flags, ...linking, '-o', temporary, source], {
    stdio: 'inherit',
  });
  if (status !== 0) return `cni-plugin: ${compiler} could not build podroute.c`;
  // By rename: a runtime may be running the old one.
  renameSync(temporary, target);
  const { size } = statSync(target);
  console.log(`build/podroute-cni: ${size} bytes, static, by ${compiler}`);
  if (size > MOST_BYTES) {
    console.warn(`build/podroute-cni: over ${MOST_BYTES} bytes; smaller with: apt-get install musl-tools`);
  }
  return undefined;
}

const problem = build();
if (problem !== undefined) {
  console.error(problem);
  process.exitCode = 1;
}
