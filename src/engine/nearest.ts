// The nearest known name to one that is not known, for messages that ask "Did you mean …?".

/** Edits (insert, delete, replace, swap neighbours) from `a` to `b`: optimal string alignment. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[b.length];
}

const simplified = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/**
 * The known name that `name` was most likely meant to be; undefined where none is near.
 * Case, `_` and `-` do not count; a third of the letters may be wrong.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > 60) return undefined;
  const wanted = simplified(name);
  if (wanted === '') return undefined;
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of known) {
    const other = simplified(candidate);
    const distance = editDistance(wanted, other);
    const allowed = Math.max(1, Math.floor(Math.max(wanted.length, other.length) / 3));
    if (distance <= allowed && distance < Math.min(least, wanted.length)) {
      best = candidate;
      least = distance;
    }
  }
  return best ?? (wanted.length >= 3 ? known.find((candidate) => simplified(candidate).startsWith(wanted)) : undefined);
}
