// "Did you mean": the known word nearest to a mistyped one.

/** The nearest known word, or undefined when none is near enough to be meant. */
export function closest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  // One slip in three letters, at least two: 'peerip' → 'peerIP', 'as' → 'asNumber' is no slip.
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const distance = slips(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function slips(word: string, candidate: string): number {
  if (word === candidate) return 0.5;
  // 'nexthop' for nextHopMode: cut short.
  if (word.length >= 4 && candidate.startsWith(word)) return 1;
  return editDistance(word, candidate);
}

/** Levenshtein distance; words over 64 letters are nobody's slip. */
function editDistance(a: string, b: string): number {
  if (a.length > 64 || b.length > 64) return 64;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
