import { describe, expect, it } from 'vitest';
import { LAYER_CALLS } from '../../src/engine/custom/fault';
import { ActivityCell } from '../../src/process/activity';
import { Watchdog } from '../../src/process/watchdog';
import { describeExit, describeHang, describePhase } from '../../src/process/words';

const LIMIT = 5000;
const CODE_LIMIT = 1250;
const INTERVAL = 250;

function watched() {
  const cell = new ActivityCell();
  const watchdog = new Watchdog({ read: () => cell.read(), limit: LIMIT, codeLimit: CODE_LIMIT, interval: INTERVAL });
  /** Looks until the watchdog bites; the number of looks it took, or null. */
  const looks = (most: number, between: () => void = () => {}): number | null => {
    for (let look = 1; look <= most; look++) {
      between();
      if (watchdog.look(INTERVAL)) return look;
    }
    return null;
  };
  return { cell, watchdog, looks };
}

describe('the watchdog', () => {
  it('bites after the limit without a sign of life, not before', () => {
    expect(watched().looks(100)).toBe(LIMIT / INTERVAL + 1);
  });

  it('takes a turn of the event loop for life', () => {
    const { cell, looks } = watched();
    expect(looks(1000, () => cell.beat())).toBeNull();
  });

  it('takes a new phase for life while the event loop stands still', () => {
    const { cell, looks } = watched();
    let phase = 0;
    expect(looks(1000, () => Atomics.store(cell.cells, 0, phase++ % 7))).toBeNull();
  });

  it('starts anew after a sign of life', () => {
    const { cell, looks } = watched();
    expect(looks(19)).toBeNull();
    cell.beat();
    expect(looks(20)).toBeNull();
  });

  it('gives a large model the time that it may take', () => {
    const { cell, looks } = watched();
    cell.allow(10_000);
    expect(looks(100)).toBe((LIMIT + 10_000) / INTERVAL + 1);
  });

  it('has less patience with code of the user, however large the model', () => {
    const { cell, looks } = watched();
    cell.allow(10_000);
    expect(looks(3, () => cell.enter(1, 'forward'))).toBeNull();
    expect(looks(100)).toBe(CODE_LIMIT / INTERVAL + 1);
    cell.leave();
    cell.enter(1, 'load');
    expect(looks(100)).toBe((3 * CODE_LIMIT) / INTERVAL + 2);
    cell.leave();
    expect(looks(20)).toBeNull();
  });

  it('does not mistake a computer that slept for a hang', () => {
    const { watchdog } = watched();
    expect(watchdog.look(3_600_000)).toBeNull();
  });

  it('sees what the worker is at through shared memory', () => {
    const cell = new ActivityCell();
    const other = new ActivityCell(cell.memory);
    other.begin('check');
    other.beat();
    Atomics.store(other.cells, 0, 3);
    expect(cell.read()).toEqual({ beats: 1, doing: 'check', phase: 3, allowance: 0, ownCode: null, calls: 0 });
    for (const call of LAYER_CALLS) {
      other.enter(7, call);
      expect(cell.read().ownCode).toEqual({ layer: 7, call });
    }
  });
});

describe('the words for an end', () => {
  const names = ['hidden1', 'tanh1'];

  it('name the layer and the direction of a hang', () => {
    const phases = [{ kind: 'zero_grad' }, { kind: 'forward', layer: 0 }, { kind: 'backward', layer: 1 }] as const;
    const described = phases.map((phase) => describePhase(phase, names));
    const activity = { beats: 0, doing: 'train', phase: 2, allowance: 0, ownCode: null, calls: 0 } as const;
    expect(describeHang(activity, 5250, described, null).reason).toBe(
      'The engine did not answer for 5 s in the backward pass of tanh1, so it was ended.',
    );
    expect(describeHang({ ...activity, doing: 'load' }, 65_000, described, null).reason).toBe(
      'The engine did not answer for 65 s while it loaded the spec and its data, so it was ended.',
    );
  });

  const own = { layer: 'swish1', call: 'forward', file: '/layers/swish.layer.ts' } as const;

  it('name the layer of the user that hangs, and its file', () => {
    const activity = { beats: 0, doing: 'train', phase: 2, allowance: 0, ownCode: { layer: 0, call: 'forward' }, calls: 1 } as const;
    const { reason, fault } = describeHang(activity, 1300, [], own);
    expect(reason).toBe('The forward pass of swish1 did not come back within 1.3 s, so the engine was ended. (swish.layer.ts)');
    expect(fault).toMatchObject({ layer: 'swish1', call: 'forward', place: { file: '/layers/swish.layer.ts' } });
  });

  const facts = { code: null, signal: null, notice: null, running: null, stderr: '', startError: null };

  it.each([
    [{ signal: 'SIGKILL' }, 'killed from outside'],
    [{ signal: 'SIGTERM' }, 'ended from outside (SIGTERM)'],
    [{ code: 7 }, 'exit code 7'],
    [{ signal: 'SIGABRT', stderr: 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory' }, 'ran out of memory'],
    [{ signal: 'SIGABRT', running: own, stderr: 'FATAL ERROR: Allocation failed' }, 'The forward pass of swish1 took more memory than there is.'],
    [{ signal: 'SIGKILL', running: own }, 'The forward pass of swish1 ended the engine by the signal SIGKILL.'],
    [{ code: 1, notice: { reason: 'The engine failed: x', fault: null } }, 'The engine failed: x'],
    [{ startError: 'spawn ENOENT' }, 'could not be started: spawn ENOENT'],
  ])('say what is known: %o', (known, words) => {
    expect(describeExit({ ...facts, ...known }).reason).toContain(words);
  });
});
