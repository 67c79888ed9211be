/** At most `maxCount` elements, evenly spaced from the first to the last. */
export function takeEvenlySpaced(all: Uint32Array, maxCount: number): Uint32Array {
  if (all.length <= maxCount) return all.slice();
  return Uint32Array.from({ length: maxCount }, (_, i) => all[Math.round((i * (all.length - 1)) / (maxCount - 1))]!);
}
