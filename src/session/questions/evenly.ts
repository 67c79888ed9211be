/** At most `most` of them, evenly spaced from the first to the last. */
export function evenly(all: Uint32Array, most: number): Uint32Array {
  if (all.length <= most) return all.slice();
  return Uint32Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))]);
}
