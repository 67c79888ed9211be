// How much processor time work takes. The first call of code also compiles it, and a garbage collection may fall into
// any call, so that work which seems slow is measured again: slow work is slow each time.
const ATTEMPTS = 3;

/**
 * @param limit milliseconds; above it, the work is done again
 * @returns what the work returned the first time, and the milliseconds of its fastest run
 */
export function measureProcessorTime<T>(limit: number, work: () => T): { result: T; milliseconds: number } {
  const measureOnce = (): { result: T; milliseconds: number } => {
    const before = process.cpuUsage();
    const result = work();
    const { user, system } = process.cpuUsage(before);
    return { result, milliseconds: (user + system) / 1000 };
  };
  const first = measureOnce();
  let { milliseconds } = first;
  for (let attempt = 1; attempt < ATTEMPTS && milliseconds > limit; attempt++)
    milliseconds = Math.min(milliseconds, measureOnce().milliseconds);
  return { result: first.result, milliseconds };
}
