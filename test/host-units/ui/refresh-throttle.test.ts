import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { RefreshThrottle } from '../../../src/host/ui/refresh-throttle';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Changes every millisecond. @returns when it was refreshed */
function refreshesIn(milliseconds: number, interval: number): number[] {
  const times: number[] = [];
  const start = Date.now();
  const throttle = new RefreshThrottle(interval, () => times.push(Date.now() - start));
  for (let i = 0; i < milliseconds; i++) {
    throttle.schedule();
    vi.advanceTimersByTime(1);
  }
  throttle.dispose();
  return times;
}

it('refreshes at most five times a second, however often something changes', () => {
  const times = refreshesIn(10_000, 200);
  // The first one is at once.
  expect(times).toHaveLength(51);
  expect(Math.min(...times.slice(1).map((time, i) => time - times[i]))).toBeGreaterThanOrEqual(200);
});

it('refreshes at once after a pause, and with the last change', () => {
  let [value, shown] = [0, 0];
  const throttle = new RefreshThrottle(200, () => (shown = value));
  const change = (to: number): void => {
    value = to;
    throttle.schedule();
  };
  change(1);
  vi.advanceTimersByTime(1);
  expect(shown).toBe(1);
  change(2);
  change(3);
  vi.advanceTimersByTime(100);
  expect(shown).toBe(1);
  vi.advanceTimersByTime(100);
  expect(shown).toBe(3);
});

it('does nothing once it is disposed', () => {
  const refresh = vi.fn();
  const throttle = new RefreshThrottle(200, refresh);
  throttle.schedule();
  throttle.dispose();
  vi.advanceTimersByTime(1000);
  expect(refresh).not.toHaveBeenCalled();
});
