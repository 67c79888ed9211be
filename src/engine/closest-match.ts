// The known name that is most similar to an unknown one, for "Did you mean …?".

/** Number of edits (insert, delete, replace, swap neighbors) from `a` to `b`: optimal string alignment. */
export function editDistance(a: string, b: string): number {
  let twoRowsBack: number[] = [];
  let previousRow = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      row[j] = Math.min(previousRow[j]! + 1, row[j - 1]! + 1, previousRow[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        row[j] = Math.min(row[j]!, twoRowsBack[j - 2]! + 1);
    }
    twoRowsBack = previousRow;
    previousRow = row;
  }
  return previousRow[b.length]!;
}

const normalizeName = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/**
 * The known name that was most likely meant; undefined if none is similar. Ignores case, `_` and `-`; up to a third of
 * the letters may differ.
 */
export function closestMatch(name: string, candidates: readonly string[]): string | undefined {
  if (name.length > 60) return undefined;
  const target = normalizeName(name);
  if (target === '') return undefined;
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of candidates) {
    const other = normalizeName(candidate);
    const allowed = Math.min(
      Math.max(1, Math.floor(Math.max(target.length, other.length) / 3)),
      Math.min(bestDistance, target.length) - 1,
    );
    // The distance is at least the difference of the lengths, and takes most of the time.
    if (Math.abs(target.length - other.length) > allowed) continue;
    const distance = editDistance(target, other);
    if (distance <= allowed) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return (
    best ??
    (target.length >= 3 ? candidates.find((candidate) => normalizeName(candidate).startsWith(target)) : undefined)
  );
}
