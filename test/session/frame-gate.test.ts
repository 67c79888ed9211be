// When frames are emitted, with a manual clock.
import type { Frame } from '../../src/protocol/frame';
import { describe, expect, it } from 'vitest';
import { FrameGate } from '../../src/session/frame-gate';

/** A gate that gets a request every so many milliseconds for a second. @returns the number of emitted frames */
async function framesOf(every: number, landsAfter: number): Promise<number> {
  let time = 1000;
  let count = 0;
  let land: { at: number; go: () => void } | null = null;
  const gate = new FrameGate(
    () => time,
    (sequence) => ({ sequence }) as Frame,
    () => {
      count++;
      return new Promise<void>((go) => (land = { at: time + landsAfter, go }));
    },
  );
  for (; time < 2000; time += every) {
    if (land && (land as { at: number }).at <= time) (land as { go: () => void }).go();
    await Promise.resolve();
    await Promise.resolve();
    if (gate.isFrameDue) gate.request();
  }
  return count;
}

describe('frames of a run in progress', () => {
  it('are emitted about 32 times per second, however rarely they are requested between steps', async () => {
    for (const every of [1, 8, 20]) {
      const count = await framesOf(every, 5);
      expect(count).toBeGreaterThanOrEqual(32);
      expect(count).toBeLessThanOrEqual(34);
    }
  });

  it('wait for the previous one, and do not pile up behind a slow one', async () => {
    expect(await framesOf(1, 100)).toBe(10);
  });

  it('are emitted at once after many requests when idle, as during a drag', async () => {
    let time = 1000;
    const gate = new FrameGate(
      () => time,
      (sequence) => ({ sequence }) as Frame,
      () => Promise.resolve(),
    );
    for (let i = 0; i < 300; i++, time += 10) {
      gate.request();
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(gate.isFrameDue).toBe(false);
    time += 31;
    expect(gate.isFrameDue).toBe(true);
  });
});
