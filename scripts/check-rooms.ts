// Checks the house against its plan (rooms-table.ts): imports go down only, between rooms by a room's door and inside a
// room along its floors; no import circle; no product file leans on test support or does I/O unless it binds it;
// names, sizes and lengths as CONTRIBUTING.md says.
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { importCircles } from './import-circles.ts';
import {
  BINDS_IO,
  IO_MODULES,
  LISTS_OF_EQUALS,
  LONG_FILES,
  MOST_FILES,
  MOST_LINES,
  ORDER,
  REPEATED_NAMES,
  ROOMS,
  TEST_PACKAGES,
} from './rooms-table.ts';

/** The house: each file's path, from the top of the repository, and its text. */
export type Files = ReadonlyMap<string, string>;

/** `what` names the fault and stays the same while it lasts; `detail` says where to look. */
export interface Complaint {
  readonly what: string;
  readonly detail: string;
}

interface Import {
  readonly file: string;
  readonly specifier: string;
  /** The file of this repository that is meant, by a relative path or a door. */
  readonly target: string | undefined;
}

const IMPORT =
  /^\s*(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

const roomOf = (file: string): string => file.slice(0, Math.max(0, file.indexOf('/')));
const isTest = (file: string): boolean => file.endsWith('.test.ts');
const isTestSupport = (file: string): boolean => file.includes('/testing/');
const isProduct = (file: string): boolean =>
  !isTest(file) && !isTestSupport(file) && ROOMS[roomOf(file)]?.isTestRoom !== true;

function importsOf(file: string, text: string): Import[] {
  return [...text.matchAll(IMPORT)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? '';
    let target: string | undefined;
    if (specifier.startsWith('.')) target = normalize(join(dirname(file), specifier));
    else if (specifier.startsWith('#')) target = `${specifier.slice(1)}/index.ts`;
    return { file, specifier, target };
  });
}

/** What is wrong with one import, if anything is. */
function importFault({ file, specifier, target }: Import): string | undefined {
  if (target === undefined) {
    return specifier.startsWith('node:') ? ioFault(file, specifier) : packageFault(file, specifier);
  }
  if (isProduct(file) && isTestSupport(target)) return 'a product file must not import test support';
  const from = roomOf(file);
  const to = roomOf(target);
  if (to === '') return undefined; // package.json, for the version
  if (from !== to) return roomFault(file, from, to, specifier);
  return isProduct(file) ? floorFault(file, target) : undefined;
}

function roomFault(file: string, from: string, to: string, specifier: string): string | undefined {
  const room = ROOMS[from]!;
  if (isProduct(file) && !room.rooms.includes(to)) return `${from}/ must not import ${to}/`;
  if ((ROOMS[to]?.floor ?? Infinity) > room.floor) return `${to}/ stands above ${from}/`;
  if (specifier.startsWith('#') || isTestSupport(`/${specifier}`)) return undefined;
  return ROOMS[to]?.isTestRoom ? undefined : `a room is entered by its door (#${to})`;
}

function packageFault(file: string, specifier: string): string | undefined {
  const room = ROOMS[roomOf(file)]!;
  const allowed = [...(room.packages ?? []), ...(isProduct(file) ? [] : TEST_PACKAGES)];
  const isAllowed = allowed.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  return isAllowed ? undefined : `${roomOf(file)}/ must not use this package`;
}

function ioFault(file: string, specifier: string): string | undefined {
  const isBound = !isProduct(file) || BINDS_IO.some((pattern) => pattern.test(file));
  return isBound || !IO_MODULES.test(specifier) ? undefined : 'does I/O here: take an interface instead';
}

/** Inside a room: the two files part in one folder, and there the importing part must stand above the other. */
function floorFault(file: string, target: string): string | undefined {
  const from = file.split('/');
  const to = target.split('/');
  let depth = 0;
  while (from[depth] === to[depth] && depth < from.length) depth++;
  if (depth === from.length) return undefined; // itself
  const folder = from.slice(0, depth).join('/');
  const upper = partOf(folder, from[depth]!, depth < from.length - 1);
  const lower = partOf(folder, to[depth]!, depth < to.length - 1);
  if (upper.floor < lower.floor) return `in ${folder}/, ${lower.name} stands above ${upper.name}`;
  if (upper.floor > lower.floor || (!upper.isFolder && !lower.isFolder)) return undefined;
  return `in ${folder}/, ${lower.name} stands beside ${upper.name}: one of them must be put below`;
}

function partOf(folder: string, entry: string, isFolder: boolean) {
  const name = isFolder ? entry : entry.replace(/\.ts$/, '');
  const order = ORDER[folder] ?? [];
  const floor = order.findIndex((names) => names.split(' ').includes(name));
  if (floor >= 0) return { name, isFolder, floor };
  return { name, isFolder, floor: isFolder ? -1 : order.length };
}

function repeatedNames(files: readonly string[]): Complaint[] {
  const byName = Map.groupBy(
    files.filter((file) => !isTest(file) && !REPEATED_NAMES.test(file)),
    (file) => `${roomOf(file)}/: ${basename(file)}`,
  );
  return [...byName]
    .filter(([, same]) => same.length > 1)
    .map(([name, same]) => ({ what: `${name}: this name stands twice in the room`, detail: same.join(' ') }));
}

function folderSizes(files: readonly string[]): Complaint[] {
  const counted = files.filter((file) => !isTest(file) || ROOMS[roomOf(file)]?.isTestRoom);
  return [...Map.groupBy(counted, dirname)]
    .filter(([folder, inside]) => inside.length > MOST_FILES && LISTS_OF_EQUALS[folder] === undefined)
    .map(([folder, inside]) => ({
      what: `${folder}/: more than ${MOST_FILES} files`,
      detail: `${inside.length}: find the parts, or name it in LISTS_OF_EQUALS with the reason`,
    }));
}

function fileLengths(files: Files): Complaint[] {
  return [...files]
    .map(([file, text]) => ({ file, lines: text.split('\n').length - 1 }))
    .filter(({ file, lines }) => lines > MOST_LINES && LONG_FILES[file] === undefined)
    .map(({ file, lines }) => ({
      what: `${file}: more than ${MOST_LINES} lines`,
      detail: `${lines}: find the parts, or name it in LONG_FILES with the reason`,
    }));
}

/** Everything about these files that is not as the plan says. */
export function complaintsAbout(files: Files): Complaint[] {
  const names = [...files.keys()];
  const imports = names.flatMap((file) => importsOf(file, files.get(file)!));
  const complaints: Complaint[] = names
    .filter((file) => ROOMS[roomOf(file)] === undefined)
    .map((file) => ({
      what: `${roomOf(file)}/: not a room`,
      detail: `${file}: rooms-table.ts has no line for it`,
    }));
  for (const each of imports.filter(({ file }) => ROOMS[roomOf(file)] !== undefined)) {
    const fault = importFault(each);
    if (fault !== undefined)
      complaints.push({ what: `${each.file}: imports ${each.specifier}`, detail: fault });
  }
  const edges = imports.flatMap(({ file, target }) =>
    target !== undefined && files.has(target) ? [[file, target] as const] : [],
  );
  const circles = importCircles(edges).map((circle) => ({
    what: `${dirname(circle[0]!)}/: an import circle`,
    detail: [...circle, circle[0]].join(' -> '),
  }));
  return [...complaints, ...circles, ...repeatedNames(names), ...folderSizes(names), ...fileLengths(files)];
}

function main(): void {
  const paths = globSync('*/**/*.ts', { exclude: ['node_modules', 'build', 'dist'] }).sort();
  const files = new Map(paths.map((path) => [path, readFileSync(path, 'utf8')]));
  const complaints = complaintsAbout(files);
  for (const { what, detail } of complaints) console.error(`${what}: ${detail}`);
  console.log(`rooms: ${files.size} files checked, ${complaints.length} faults`);
  process.exitCode = complaints.length > 0 || files.size === 0 ? 1 : 0;
}

if (import.meta.main) main();
