import { describe, expect, it } from 'vitest';
import { LAYER_CALLS } from '../../src/engine/custom/custom-layer-error';
import { SharedActivity } from '../../src/process/activity';
import { Watchdog } from '../../src/process/watchdog';
import { describeExit, describeHang, describePhase } from '../../src/process/exit-cause';

const TIMEOUT = 5000;
const LAYER_TIMEOUT = 1250;
const POLL_INTERVAL = 250;

function createWatchdog() {
  const cell = new SharedActivity();
  const watchdog = new Watchdog({
    readActivity: () => cell.read(),
    timeout: TIMEOUT,
    layerTimeout: LAYER_TIMEOUT,
    pollInterval: POLL_INTERVAL,
  });
  /** Polls until the watchdog reports a hang; returns the number of polls, or null. */
  const pollsUntilHang = (max: number, between: () => void = () => {}): number | null => {
    for (let look = 1; look <= max; look++) {
      between();
      if (watchdog.poll(POLL_INTERVAL)) return look;
    }
    return null;
  };
  return { cell, watchdog, looks: pollsUntilHang };
}

describe('the watchdog', () => {
  it('reports a hang after the limit without a sign of life, not before', () => {
    expect(createWatchdog().looks(100)).toBe(TIMEOUT / POLL_INTERVAL + 1);
  });

  it('accepts a turn of the event loop as a sign of life', () => {
    const { cell, looks } = createWatchdog();
    expect(looks(1000, () => cell.heartbeat())).toBeNull();
  });

  it('accepts a new phase as a sign of life while the event loop is blocked', () => {
    const { cell, looks } = createWatchdog();
    let phase = 0;
    expect(looks(1000, () => Atomics.store(cell.slots, 0, phase++ % 7))).toBeNull();
  });

  it('restarts after a sign of life', () => {
    const { cell, looks } = createWatchdog();
    expect(looks(19)).toBeNull();
    cell.heartbeat();
    expect(looks(20)).toBeNull();
  });

  it('allows more time for a large model', () => {
    const { cell, looks } = createWatchdog();
    cell.setGracePeriod(10_000);
    expect(looks(100)).toBe((TIMEOUT + 10_000) / POLL_INTERVAL + 1);
  });

  it('has a shorter limit for custom layers, however large the model', () => {
    const { cell, looks } = createWatchdog();
    cell.setGracePeriod(10_000);
    expect(looks(3, () => cell.enterLayer(1, 'forward'))).toBeNull();
    expect(looks(100)).toBe(LAYER_TIMEOUT / POLL_INTERVAL + 1);
    cell.leaveLayer();
    cell.enterLayer(1, 'load');
    expect(looks(100)).toBe((3 * LAYER_TIMEOUT) / POLL_INTERVAL + 2);
    cell.leaveLayer();
    expect(looks(20)).toBeNull();
  });

  it('does not mistake a computer that was asleep for a hang', () => {
    const { watchdog } = createWatchdog();
    expect(watchdog.poll(3_600_000)).toBeNull();
  });

  it('does not count time in which the worker had no processor', () => {
    const cell = new SharedActivity();
    let starved = 0;
    const watchdog = new Watchdog({
      readActivity: () => cell.read(),
      timeout: TIMEOUT,
      layerTimeout: LAYER_TIMEOUT,
      pollInterval: POLL_INTERVAL,
      starvedTime: () => starved,
    });
    cell.enterLayer(1, 'forward');
    watchdog.poll(POLL_INTERVAL);
    starved = POLL_INTERVAL - 50;
    let polls = 1;
    while (!watchdog.poll(POLL_INTERVAL)) polls++;
    expect(polls).toBe(LAYER_TIMEOUT / 50 + 1);
  });

  it('takes callbacks for a sign of life once in a turn of the event loop', () => {
    const { cell, looks } = createWatchdog();
    const callback = { layer: 1, call: 'async' } as const;
    const endless = (): void => {
      cell.leaveCallback(null);
      cell.enterCallback(callback);
    };
    expect(looks(100, endless)).toBe(LAYER_TIMEOUT / POLL_INTERVAL + 2);
    expect(cell.read().layerCall).toEqual(callback);
    expect(
      looks(100, () => {
        cell.heartbeat();
        endless();
      }),
    ).toBeNull();
  });

  it("reads the worker's activity through shared memory", () => {
    const cell = new SharedActivity();
    const other = new SharedActivity(cell.buffer);
    other.setKind('check');
    other.heartbeat();
    Atomics.store(other.slots, 0, 3);
    expect(cell.read()).toEqual({
      heartbeats: 1,
      kind: 'check',
      phase: 3,
      gracePeriod: 0,
      layerCall: null,
      layerCallCount: 0,
      threadId: 0,
    });
    for (const call of LAYER_CALLS) {
      other.enterLayer(7, call);
      expect(cell.read().layerCall).toEqual({ layer: 7, call });
    }
  });
});

describe('the reason of an end', () => {
  const names = ['hidden1', 'tanh1'];

  it('names the layer and the direction of a hang', () => {
    const phases = [{ kind: 'zero_grad' }, { kind: 'forward', layer: 0 }, { kind: 'backward', layer: 1 }] as const;
    const described = phases.map((phase) => describePhase(phase, names));
    const activity = {
      heartbeats: 0,
      kind: 'train',
      phase: 2,
      gracePeriod: 0,
      layerCall: null,
      layerCallCount: 0,
      threadId: 0,
    } as const;
    expect(describeHang(activity, 5250, described, null).reason).toBe(
      'The engine did not answer for 5 s in the backward pass of tanh1, so it was stopped.',
    );
    expect(describeHang({ ...activity, kind: 'load' }, 65_000, described, null).reason).toBe(
      'The engine did not answer for 65 s while it loaded the spec and its data, so it was stopped.',
    );
  });

  const own = { layer: 'swish1', call: 'forward', file: '/layers/swish.layer.ts' } as const;

  it('names the custom layer that hangs, and its file', () => {
    const activity = {
      heartbeats: 0,
      kind: 'train',
      phase: 2,
      gracePeriod: 0,
      layerCall: { layer: 0, call: 'forward' },
      layerCallCount: 1,
      threadId: 0,
    } as const;
    const { reason, fault } = describeHang(activity, 1300, [], own);
    expect(reason).toBe(
      'The forward pass of swish1 did not return within 1.3 s, so the engine was stopped. (swish.layer.ts)',
    );
    expect(fault).toMatchObject({ layer: 'swish1', call: 'forward', place: { file: '/layers/swish.layer.ts' } });
  });

  const facts = { code: null, signal: null, notice: null, layerCall: null, stderr: '', startError: null };

  it.each([
    [{ signal: 'SIGKILL' }, 'killed from outside'],
    [{ signal: 'SIGTERM' }, 'from outside (SIGTERM)'],
    [{ code: 7 }, 'code 7'],
    [
      {
        signal: 'SIGABRT',
        stderr: 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
      },
      'ran out of memory',
    ],
    [
      { signal: 'SIGABRT', layerCall: own, stderr: 'FATAL ERROR: Allocation failed' },
      'The forward pass of swish1 used too much memory.',
    ],
    [{ signal: 'SIGKILL', layerCall: own }, 'The forward pass of swish1 ended the engine with the signal SIGKILL.'],
    [{ code: 1, notice: { reason: 'The engine failed: x', fault: null } }, 'The engine failed: x'],
    [{ startError: 'spawn ENOENT' }, 'could not be started: spawn ENOENT'],
  ])('say what is known: %o', (known, words) => {
    expect(describeExit({ ...facts, ...known }).reason).toContain(words);
  });
});
