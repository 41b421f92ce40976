// Circles in a graph of imports: for each knot of files that all reach one another, one shortest way round.

/** Tarjan's strongly connected components, then a breadth-first walk inside each of them. */
export function importCircles(edges: readonly (readonly [from: string, to: string])[]): string[][] {
  const targets = new Map<string, string[]>();
  for (const [from, to] of edges) {
    targets.set(from, [...(targets.get(from) ?? []), to]);
  }
  const circles: string[][] = [];
  for (const knot of knots(targets)) {
    const start = knot.toSorted()[0]!;
    const circle = wayRound(start, new Set(knot), targets);
    if (circle !== undefined) circles.push(circle);
  }
  return circles.sort((a, b) => (a[0]! < b[0]! ? -1 : 1));
}

function knots(targets: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    stack.push(file);
    onStack.add(file);
    for (const target of targets.get(file) ?? []) {
      if (!index.has(target)) visit(target);
      if (onStack.has(target)) low.set(file, Math.min(low.get(file)!, low.get(target)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const knot = stack.splice(stack.indexOf(file));
    for (const member of knot) onStack.delete(member);
    found.push(knot);
  };
  for (const file of targets.keys()) if (!index.has(file)) visit(file);
  return found;
}

/** The shortest way from `start` back to itself inside the knot; undefined when there is none (a file by itself). */
function wayRound(
  start: string,
  knot: ReadonlySet<string>,
  targets: ReadonlyMap<string, readonly string[]>,
): string[] | undefined {
  const ways: string[][] = [[start]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const target of targets.get(way.at(-1)!) ?? []) {
      if (target === start) return way;
      if (!knot.has(target) || seen.has(target)) continue;
      seen.add(target);
      ways.push([...way, target]);
    }
  }
  return undefined;
}
