/** Edits (insert, delete, replace, swap of neighbours) between two words, row by row. */
function distance(a: string, b: string): number {
  let [before, row]: number[][] = [[], Array.from({ length: b.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = swapped ? before![j - 2]! + 1 : Infinity;
      next.push(Math.min(row![j]! + 1, next[j - 1]! + 1, row![j - 1]! + same, swap));
    }
    [before, row] = [row!, next];
  }
  return row![b.length]!;
}

/** The known word that was most likely meant, or undefined where none is near. */
export function closest(word: string, known: Iterable<string>): string | undefined {
  const lower = word.toLowerCase().slice(0, 64);
  const most = Math.max(2, Math.floor(lower.length / 3));
  // Each character too many or too few is an edit of its own, so most words need no closer look.
  const ranked = [...known].filter((candidate) => Math.abs(candidate.length - lower.length) <= most)
    .map((candidate) => ({ candidate, edits: distance(lower, candidate.toLowerCase()) }));
  const best = ranked.sort((a, b) => a.edits - b.edits || a.candidate.localeCompare(b.candidate, 'en'))[0];
  return best && best.edits <= most ? best.candidate : undefined;
}

/** `; did you mean x?`, or nothing. */
export function suggestion(word: string, known: Iterable<string>): string {
  const guess = closest(word, known);
  return guess === undefined ? '' : `; did you mean ${guess}?`;
}
