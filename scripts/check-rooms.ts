// Checks that the rooms (top-level folders) import one another only along the arrows of docs/architecture.md,
// only through a room's door (#room), and that I/O modules are imported only by the files that bind them.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** What each room may import besides its own files: other rooms' doors and npm packages. */
const ROOMS: Readonly<Record<string, { rooms: readonly string[]; packages: readonly string[] }>> = {
  ip: { rooms: [], packages: ['ip-address'] },
  world: { rooms: [], packages: [] },
  bgp: { rooms: ['ip', 'world'], packages: [] },
  linux: { rooms: ['ip', 'world'], packages: [] },
  api: { rooms: ['ip'], packages: ['zod', 'yaml', '@kubernetes/client-node'] },
  'agent-api': { rooms: ['ip'], packages: [] },
  store: { rooms: ['api', 'world'], packages: ['yaml'] },
  ipam: { rooms: ['api', 'ip', 'world'], packages: [] },
  'cni-plugin': { rooms: ['api', 'ip', 'ipam', 'linux', 'world'], packages: [] },
  agent: {
    rooms: ['agent-api', 'api', 'bgp', 'cni-plugin', 'ip', 'ipam', 'linux', 'store', 'world'],
    packages: ['pino', 'pino-pretty', 'yaml', '@kubernetes/client-node'],
  },
  cli: { rooms: ['agent', 'agent-api', 'api', 'ip', 'lab'], packages: ['commander', 'yaml'] },
};

/** Modules that reach outside the process; everything else takes an interface (Clock, Disk, Transport, Kernel). */
const IO_MODULES =
  /^node:(net|dgram|http|https|fs|fs\/promises|child_process|timers|timers\/promises|worker_threads)$/;
const BINDS_IO = [
  /^bgp\/transport\//,
  /^cni-plugin\/bindings\//,
  /^linux\//,
  /^agent\/bindings\//,
  /^agent\/main\.ts$/,
  /^cli\//,
  /\/(build|generate-[a-z-]+)\.ts$/,
];
const IMPORT =
  /^\s*(?:import|export)\s[^'"]*?from\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

function complaintAbout(file: string, specifier: string): string | undefined {
  const room = file.slice(0, file.indexOf('/'));
  const rule = ROOMS[room];
  if (rule === undefined) return undefined;
  const isTest = file.endsWith('.test.ts');
  const isSupport = isTest || file.includes('/testing/');
  if (specifier.startsWith('.')) {
    const target = normalize(join(dirname(file), specifier));
    if (target === 'package.json') return undefined; // the version
    const targetRoom = target.slice(0, target.indexOf('/'));
    if (isSupport) return undefined; // until these seams are made
    return targetRoom === room
      ? undefined
      : `reaches into ${targetRoom}/: enter a room by its door (#${targetRoom})`;
  }
  if (specifier.startsWith('#')) {
    const [target = '', ...inside] = specifier.slice(1).split('/');
    const isTestDoor = inside.join() === 'testing';
    if (isTestDoor && !isSupport) return 'test support: tests only';
    if (isSupport && room === 'store' && target === 'linux') return undefined; // a real disk
    return rule.rooms.includes(target) ? undefined : `${room}/ must not import ${target}/`;
  }
  if (specifier.startsWith('node:')) {
    const bound = isTest || BINDS_IO.some((pattern) => pattern.test(file));
    return bound || !IO_MODULES.test(specifier) ? undefined : 'does I/O here: take an interface instead';
  }
  const allowed = isTest ? [...rule.packages, 'fast-check', 'yaml'] : rule.packages;
  const known = allowed.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  return known ? undefined : `${room}/ must not use this package`;
}

let imports = 0;
const complaints: string[] = [];
for (const file of globSync(`{${Object.keys(ROOMS).join(',')}}/**/*.ts`).sort()) {
  for (const match of readFileSync(file, 'utf8').matchAll(IMPORT)) {
    imports++;
    const specifier = match[1] ?? match[2] ?? match[3] ?? '';
    const complaint = complaintAbout(file, specifier);
    if (complaint !== undefined) complaints.push(`${file}: imports ${specifier}: ${complaint}`);
  }
}
for (const complaint of complaints) console.error(complaint);
console.log(`rooms: ${imports} imports checked, ${complaints.length} against the rules`);
process.exitCode = complaints.length > 0 || imports === 0 ? 1 : 0;
