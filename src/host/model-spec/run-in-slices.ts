// Work of the extension host that may take longer than a frame, in slices with other work in between.

/** Then other work of the extension host gets its turn. */
const SLICE_MS = 5;

/**
 * Runs a task to its end.
 * @param isStale asked after each slice: whether its result is of no use anymore
 * @returns undefined if it is not
 */
export async function runInSlices<T>(task: Generator<unknown, T>, isStale: () => boolean): Promise<T | undefined> {
  for (let start = performance.now(); ;) {
    const { done, value } = task.next();
    if (done) return value;
    if (performance.now() - start <= SLICE_MS) continue;
    await new Promise((resolve) => void setImmediate(resolve));
    if (isStale()) return undefined;
    start = performance.now();
  }
}
