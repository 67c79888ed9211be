// When frames go out, under a clock of the test's own.
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/session/frame';
import { FrameGate } from '../../src/session/frame-gate';

/** A gate that is asked every so many milliseconds for a second. @returns frames that went out */
async function framesOf(every: number, landsAfter: number): Promise<number> {
  let time = 1000;
  let count = 0;
  let land: { at: number; go: () => void } | null = null;
  const gate = new FrameGate(() => time, (sequence) => ({ sequence }) as Frame, () => {
    count++;
    return new Promise<void>((go) => (land = { at: time + landsAfter, go }));
  });
  for (; time < 2000; time += every) {
    if (land && (land as { at: number }).at <= time) (land as { go: () => void }).go();
    await Promise.resolve();
    await Promise.resolve();
    if (gate.due) gate.show();
  }
  return count;
}

describe('frames of a run in progress', () => {
  it('go out about 32 times a second, however seldom it is asked between steps', async () => {
    for (const every of [1, 8, 20]) {
      const count = await framesOf(every, 5);
      expect(count).toBeGreaterThanOrEqual(32);
      expect(count).toBeLessThanOrEqual(34);
    }
  });

  it('wait for the one before, and do not pile up behind a slow one', async () => {
    expect(await framesOf(1, 100)).toBe(10);
  });

  it('go out at once after many that were asked for at rest, as while something is dragged', async () => {
    let time = 1000;
    const gate = new FrameGate(() => time, (sequence) => ({ sequence }) as Frame, () => Promise.resolve());
    for (let i = 0; i < 300; i++, time += 10) {
      gate.show();
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(gate.due).toBe(false);
    time += 31;
    expect(gate.due).toBe(true);
  });
});
