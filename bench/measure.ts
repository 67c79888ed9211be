// Medians of short runs. Absolute figures vary by tens of per cent on shared machines, so compare only within one run.

/** Median milliseconds per call of `work`, over `runs` batches of `calls`. */
export function medianMs(work: () => void, calls: number, runs = 9): number {
  for (let i = 0; i < Math.ceil(calls / 4); i++) work();
  return median(
    Array.from({ length: runs }, () => {
      const start = performance.now();
      for (let i = 0; i < calls; i++) work();
      return (performance.now() - start) / calls;
    }),
  );
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** Three significant digits. */
export const formatRounded = (value: number): string => Number(value.toPrecision(3)).toLocaleString('en-US');

/** A table with right-aligned columns after the first. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column].length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ');
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}
