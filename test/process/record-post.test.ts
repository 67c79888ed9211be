import { describe, expect, it } from 'vitest';
import { RecordPost } from '../../src/process/record-post';
import type { RunRecord } from '../../src/session/record';

const record = (step: number, values: number): RunRecord => ({
  text: '',
  checkpoint: { step, tensors: [new Float64Array(values)] },
  position: { step, phase: 0 },
  frontier: step,
  changes: [],
});

/** A clock that is moved by hand. */
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

describe('records on their way to the host', () => {
  it('go at once while they are small', () => {
    const { now, later, advance } = clock();
    const posted: number[] = [];
    const post = new RecordPost({ now, later, post: ({ position }) => posted.push(position.step) });
    for (let step = 1; step <= 3; step++) {
      post.add(record(step, 10));
      advance(1);
    }
    expect(posted).toEqual([1, 2, 3]);
  });

  it('wait where they are large, and the newest is the one that goes', () => {
    const { now, later, advance } = clock();
    const posted: number[] = [];
    const post = new RecordPost({ now, later, post: ({ position }) => posted.push(position.step) });
    // 8 MB every 10 ms; at 10 MB a second each takes 800 ms.
    for (let step = 1; step <= 100; step++) {
      post.add(record(step, 1_000_000));
      advance(10);
    }
    advance(1000);
    expect(posted).toEqual([1, 80, 100]);
  });
});
