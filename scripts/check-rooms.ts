// Checks the house against its plan (rooms-table.ts): imports go down only, between rooms by a room's door and inside a
// room along its floors; no import circle; no product file leans on test support or does I/O unless it binds it;
// names, sizes and lengths as CONTRIBUTING.md says.
import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { importCircles } from './import-circles.ts';
import {
  BINDS_IO,
  FEW_ENTRIES,
  FEWEST_ENTRIES,
  LISTS_OF_EQUALS,
  LONG_FILES,
  MOST_FILES,
  MOST_LINES,
  ORDER,
  PURE_MODULES,
  REPEATED_NAMES,
  ROOMS,
  SHARED_NAMES,
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
  /** Node takes the whole statement away: `import type`, `export type`. */
  readonly isOfTypes: boolean;
  /** In braces; undefined where the whole module is taken. */
  readonly names: readonly string[] | undefined;
  /** The file of this repository that is meant, by a relative path or a door. */
  readonly target: string | undefined;
}

const IMPORT =
  /^\s*(?:import|export)\s[^'"`;]*?from\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;

const roomOf = (file: string): string => file.slice(0, Math.max(0, file.indexOf('/')));
/** The command itself: nobody enters it. */
const HAVE_NO_DOOR = new Set(['cli']);
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
    const isOfTypes = /^\s*(?:import|export)\s+type\b/.test(match[0]);
    return { file, specifier, isOfTypes, names: namesIn(match[0]), target };
  });
}

/** `import { a, type B, c as d } from` has a, B, c. */
function namesIn(statement: string): string[] | undefined {
  const braces = /^\s*(?:import|export)\s+(?:type\s+)?\{([^}]*)\}/.exec(statement);
  return braces?.[1]!
    .split(',')
    .map((name) => /(?:type\s+)?(\S*)/.exec(name.trim())![1]!)
    .filter((name) => name !== '');
}

/** What is wrong with one import, if anything is. */
function importFault(one: Import): string | undefined {
  const { file, specifier, target } = one;
  if (target === undefined) return specifier.startsWith('node:') ? ioFault(one) : packageFault(one);
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

function packageFault({ file, specifier, isOfTypes }: Import): string | undefined {
  const room = ROOMS[roomOf(file)]!;
  const isOneOf = (names: readonly string[] = []): boolean =>
    names.some((name) => specifier === name || specifier.startsWith(`${name}/`));
  if (isOneOf(room.packages) || (!isProduct(file) && isOneOf(TEST_PACKAGES))) return undefined;
  if (!isOneOf(room.typePackages)) return `${roomOf(file)}/ must not use this package`;
  return isOfTypes ? undefined : `${roomOf(file)}/ may have types of this package only (import type)`;
}

function ioFault({ file, specifier, names }: Import): string | undefined {
  if (!isProduct(file) || BINDS_IO.some((pattern) => pattern.test(file))) return undefined;
  const pure = Object.hasOwn(PURE_MODULES, specifier) ? PURE_MODULES[specifier]! : [];
  if (pure === 'all' || names?.every((name) => pure.includes(name))) return undefined;
  return 'reaches outside the process here: take an interface instead';
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

/** A name means one thing: product files of two rooms that share one have it explained, and only these. */
export function namesOfTwoRooms(
  files: readonly string[],
  shared: Readonly<Record<string, string>> = SHARED_NAMES,
): Complaint[] {
  const named = files.filter((file) => isProduct(file) && !REPEATED_NAMES.test(file));
  const byName = Map.groupBy(named, (file) => basename(file));
  const isShared = (name: string) => new Set(byName.get(name)?.map(roomOf)).size > 1;
  return [
    ...[...byName.keys()]
      .filter((name) => isShared(name) && shared[name] === undefined)
      .map((name) => ({
        what: `${name}: this name stands in two rooms`,
        detail: `${byName.get(name)!.join(' ')}: say in SHARED_NAMES what it means in both, or rename one`,
      })),
    ...Object.keys(shared)
      .filter((name) => !isShared(name))
      .map((name) => ({
        what: `${name}: this name stands in one room`,
        detail: 'take it out of SHARED_NAMES',
      })),
  ];
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

/** Folders with too few files and folders in them, and excuses that are needed no more. */
export function smallFolders(
  files: readonly string[],
  excuses: Readonly<Record<string, string>> = FEW_ENTRIES,
): Complaint[] {
  const entries = new Map<string, Set<string>>();
  for (const file of files.filter(isProduct)) {
    for (let path = file; dirname(path) !== '.'; path = dirname(path)) {
      const inside = entries.get(dirname(path)) ?? new Set();
      entries.set(dirname(path), inside.add(path));
    }
  }
  return [...entries].flatMap(([folder, { size }]) => {
    const isSmall = size < FEWEST_ENTRIES;
    if (isSmall !== (excuses[folder] === undefined)) return [];
    const detail = isSmall
      ? 'fold it into its user, or name it in FEW_ENTRIES'
      : 'take it out of FEW_ENTRIES';
    return [
      {
        what: `${folder}/: ${isSmall ? 'fewer' : 'no fewer'} than ${FEWEST_ENTRIES} files`,
        detail: `${size}: ${detail}`,
      },
    ];
  });
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

/** The plan's lines that speak of files. */
export interface PlanLines {
  readonly rooms: readonly string[];
  readonly order: Readonly<Record<string, readonly string[]>>;
  /** Tables of exceptions, by their names: keys are folders or files. */
  readonly exceptions: Readonly<Record<string, readonly string[]>>;
  readonly patterns: readonly RegExp[];
}

const PLAN: PlanLines = {
  rooms: Object.keys(ROOMS).filter((room) => ROOMS[room]?.isTestRoom !== true),
  order: ORDER,
  exceptions: {
    LISTS_OF_EQUALS: Object.keys(LISTS_OF_EQUALS),
    FEW_ENTRIES: Object.keys(FEW_ENTRIES),
    LONG_FILES: Object.keys(LONG_FILES),
  },
  patterns: [...BINDS_IO, REPEATED_NAMES],
};

/** Lines of the plan that speak of nothing. @param doors what package.json says: '#bgp' -> './bgp/index.ts' */
export function deadLines(
  files: Files,
  doors: Readonly<Record<string, string>>,
  plan: PlanLines = PLAN,
): Complaint[] {
  const paths = new Set<string>();
  for (const file of files.keys()) for (let path = file; path !== '.'; path = dirname(path)) paths.add(path);
  const complaints: Complaint[] = [];
  const dead = (what: string, detail: string) =>
    void complaints.push({ what: `rooms-table.ts: ${what}`, detail });
  for (const room of plan.rooms.filter((name) => !HAVE_NO_DOOR.has(name))) {
    const door = `${room}/index.ts`;
    if (!files.has(door)) dead(`ROOMS ${room}`, `there is no ${door}`);
    else if (doors[`#${room}`] !== `./${door}`)
      dead(`ROOMS ${room}`, `package.json has no #${room} for ${door}`);
  }
  for (const [folder, floors] of Object.entries(plan.order)) {
    for (const name of floors.flatMap((names) => names.split(' '))) {
      const isThere = paths.has(`${folder}/${name}`) || files.has(`${folder}/${name}.ts`);
      if (!isThere) dead(`ORDER ${folder}`, `there is no ${name} in ${folder}/`);
    }
  }
  for (const [table, names] of Object.entries(plan.exceptions)) {
    for (const name of names) if (!paths.has(name)) dead(table, `there is no ${name}`);
  }
  for (const pattern of plan.patterns) {
    if (![...files.keys()].some((file) => pattern.test(file)))
      dead(String(pattern), 'no file is meant by it');
  }
  return complaints;
}

function main(): void {
  const paths = globSync('*/**/*.ts', { exclude: ['node_modules', 'build', 'dist'] }).sort();
  const files = new Map(paths.map((path) => [path, readFileSync(path, 'utf8')]));
  const { imports } = JSON.parse(readFileSync('package.json', 'utf8')) as { imports: Record<string, string> };
  const complaints = [
    ...complaintsAbout(files),
    ...smallFolders([...files.keys()]),
    ...namesOfTwoRooms([...files.keys()]),
    ...deadLines(files, imports),
  ];
  for (const { what, detail } of complaints) console.error(`${what}: ${detail}`);
  console.log(`rooms: ${files.size} files checked, ${complaints.length} faults`);
  process.exitCode = complaints.length > 0 || files.size === 0 ? 1 : 0;
}

if (import.meta.main) main();
