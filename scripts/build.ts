// Builds everything that is not run from source: the N-API addon and the CNI executable (build/), and the bundle
// of the command line with the agent (dist/). Each is rebuilt only when its sources are newer.
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '..');

for (const script of ['linux/native/build.ts', 'cni-plugin/build.ts']) {
  if (!existsSync(join(root, script))) continue;
  execFileSync(process.execPath, [join(root, script)], { cwd: root, stdio: 'inherit' });
}

/** The commit that a bundle is made of: only where no file differs from it, and nothing where that cannot be known. */
function builtFrom(): { commit: string; date: string } | undefined {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    if (git('rev-parse', '--show-toplevel') !== root || git('status', '--porcelain') !== '') return undefined;
    return {
      commit: git('rev-parse', '--short=12', 'HEAD'),
      date: git('show', '-s', '--format=%cI', 'HEAD'),
    };
  } catch {
    return undefined;
  }
}

/**
 * The client of Kubernetes reads kubeconfigs and gets credentials for us. What it imports to make requests itself (an HTTP
 * client, every model of the API) is never called: 1.4 MB of code, 16 MB of every agent's memory.
 */
const withoutKubernetesRequests: Plugin = {
  name: 'without-kubernetes-requests',
  setup(bundler) {
    const namespace = 'left-out';
    bundler.onResolve({ filter: /^(undici|\.\/gen\/index\.js)$/ }, ({ path, importer }) =>
      importer.endsWith('client-node/dist/config.js') ? { path, namespace } : undefined,
    );
    bundler.onLoad({ filter: /.*/, namespace }, ({ path }) => {
      const names =
        path === 'undici' ? ['Agent', 'ProxyAgent'] : ['createConfiguration', 'ServerConfiguration'];
      const why = JSON.stringify(`${path} is left out of this bundle: scripts/build.ts`);
      return {
        contents: names.map((name) => `export function ${name}() { throw new Error(${why}); }`).join('\n'),
      };
    });
  },
};

const from = builtFrom();
const dist = join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: {
    podroute: 'cli/main.ts',
    'parse-worker': 'agent/bindings/parse-worker.ts',
    'detection-worker': 'agent/bindings/detection-worker.ts',
  },
  outdir: dist,
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  plugins: [withoutKubernetesRequests],
  logLevel: 'warning',
  define: { 'globalThis.PODROUTE_BUILT_FROM': from === undefined ? 'undefined' : JSON.stringify(from) },
  // Packages in CommonJS call require() at run time, which a bundle in ESM does not have by itself.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
