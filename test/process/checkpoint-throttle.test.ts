import type { RunRecord } from '../../src/protocol/run-record';
import { describe, expect, it } from 'vitest';
import { CheckpointThrottle } from '../../src/process/checkpoint-throttle';

const record = (step: number, values: number): RunRecord => ({
  text: '',
  checkpoint: { step, tensors: [new Float64Array(values)] },
  position: { step, phase: 0 },
  frontier: step,
  changes: [],
});

/** A manual clock. */
function clock() {
  let time = 0;
  const due: { at: number; work: () => void }[] = [];
  return {
    now: () => time,
    later: (milliseconds: number, work: () => void) => void due.push({ at: time + milliseconds, work }),
    advance(milliseconds: number) {
      time += milliseconds;
      for (const entry of due.splice(0)) {
        if (entry.at <= time) entry.work();
        else due.push(entry);
      }
    },
  };
}

describe('records sent to the host', () => {
  it('are sent at once while they are small', () => {
    const { now, later: schedule, advance } = clock();
    const posted: number[] = [];
    const post = new CheckpointThrottle({
      now,
      schedule,
      send: async ({ position }) => void posted.push(position.step),
    });
    for (let step = 1; step <= 3; step++) {
      post.push(record(step, 10));
      advance(1);
    }
    expect(posted).toEqual([1, 2, 3]);
  });

  it('wait if they are large, and only the newest is sent', () => {
    const { now, later: schedule, advance } = clock();
    const posted: number[] = [];
    const post = new CheckpointThrottle({
      now,
      schedule,
      send: async ({ position }) => void posted.push(position.step),
    });
    // 8 MB every 10 ms; at 10 MB/s each takes 800 ms.
    for (let step = 1; step <= 100; step++) {
      post.push(record(step, 1_000_000));
      advance(10);
    }
    advance(1000);
    expect(posted).toEqual([1, 80, 100]);
  });

  it('are sent at once when their delivery is awaited, which resolves only then', async () => {
    const { now, later: schedule } = clock();
    const posted: number[] = [];
    let deliver: () => void = () => undefined;
    const throttle = new CheckpointThrottle({
      now,
      schedule,
      send: ({ position }) => {
        posted.push(position.step);
        return new Promise((resolve) => (deliver = resolve));
      },
    });
    throttle.push(record(1, 1_000_000));
    throttle.push(record(2, 1_000_000));
    expect(posted).toEqual([1]);
    let isDelivered = false;
    const flushed = throttle.flush().then(() => (isDelivered = true));
    expect(posted).toEqual([1, 2]);
    await new Promise((go) => setImmediate(go));
    expect(isDelivered).toBe(false);
    deliver();
    await flushed;
    expect(isDelivered).toBe(true);
  });
});
