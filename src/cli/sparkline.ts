// A series as one line of block characters.

const BLOCKS = '▁▂▃▄▅▆▇█';

/** At most `width` characters; each shows the mean of its share of the values. Empty where nothing is finite. */
export function sparkline(values: readonly number[], width: number): string {
  const cells = Math.min(width, values.length);
  const means: number[] = [];
  for (let cell = 0; cell < cells; cell++) {
    const from = Math.floor((cell * values.length) / cells);
    const to = Math.max(from + 1, Math.floor(((cell + 1) * values.length) / cells));
    const share = values.slice(from, to).filter(Number.isFinite);
    if (share.length > 0) means.push(share.reduce((sum, value) => sum + value, 0) / share.length);
  }
  const low = Math.min(...means);
  const high = Math.max(...means);
  return means
    .map((mean) => BLOCKS[high > low ? Math.round(((mean - low) / (high - low)) * (BLOCKS.length - 1)) : 0])
    .join('');
}
