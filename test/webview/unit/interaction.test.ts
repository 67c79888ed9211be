import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/protocol/panel';
import { inverseSymlog, symlog } from '../../../webview/charts/scatter-chart';
import { actionOf, isEnabled, commandOf } from '../../../webview/controls/keybindings';
import { logFraction } from '../../../webview/controls/layer-list';
import { SeekThrottle } from '../../../webview/state/seek-throttle';
import { defaultSettings, readSettings } from '../../../webview/state/settings';
import { initialData, type PanelData } from '../../../webview/state/store';
import { offsetSeries } from '../../../webview/views/activations';
import { FakeHost, readExample } from '../harness/host';

const key = (
  name: string,
  modifiers: Partial<Record<'shiftKey' | 'ctrlKey' | 'altKey' | 'metaKey', boolean>> = {},
) => ({
  key: name,
  shiftKey: false,
  ctrlKey: false,
  altKey: false,
  metaKey: false,
  ...modifiers,
});

describe('keys', () => {
  it('are the debugger’s', () => {
    expect(actionOf(key('F5'))).toBe('toggleRun');
    expect(actionOf(key('F10'))).toBe('step');
    expect(actionOf(key('F10', { shiftKey: true }))).toBe('backStep');
    expect(actionOf(key('F11'))).toBe('stepPhase');
    expect(actionOf(key('F11', { shiftKey: true }))).toBe('backPhase');
    for (const other of [
      key('F5', { ctrlKey: true }),
      key('F10', { altKey: true }),
      key('F11', { metaKey: true }),
      key('F5', { shiftKey: true }),
      key('a'),
    ]) {
      expect(actionOf(other)).toBeNull();
    }
  });

  it('are enabled depending on the state of the run', async () => {
    const host = new FakeHost(readExample('circles'));
    const frame = await host.waitForFrame(() => true);
    const data = (change: Partial<Frame> = {}): PanelData => ({
      ...initialData(),
      state: { kind: 'run' },
      model: host.session?.model ?? null,
      frame: { ...frame, ...change },
    });
    const can = (with_: PanelData) =>
      (['step', 'backStep', 'toggleRun', 'reset'] as const).map((action) => isEnabled(action, with_));
    expect(can(data())).toEqual([true, false, true, false]);
    expect(can(data({ position: { step: 3, phase: 0 }, furthestStep: 3, status: 'paused' }))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(can(data({ position: { step: 3, phase: 0 }, furthestStep: 3, status: 'running' }))).toEqual([
      false,
      false,
      true,
      true,
    ]);
    expect(can(data({ position: { step: 800, phase: 0 }, furthestStep: 800, status: 'finished' }))).toEqual([
      false,
      true,
      false,
      true,
    ]);
    expect(can(data({ position: { step: 9, phase: 2 }, furthestStep: 9, status: 'diverged' }))).toEqual([
      false,
      true,
      false,
      true,
    ]);
    expect(can({ ...data(), state: { kind: 'stopped', reason: '', restorable: true, step: 0 } })).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(
      can({
        ...data(),
        checking: { checked: 0, entries: 9, counts: { pass: 0, wrong: 0, kink: 0, below_noise: 0 }, diagnosing: false },
      }),
    ).toEqual([false, false, false, false]);
    expect(commandOf('toggleRun', { ...frame, status: 'running' })).toEqual({ type: 'pause' });
    expect(commandOf('toggleRun', frame)).toEqual({ type: 'run' });
    await host.dispose();
  });
});

describe('the seek throttle', () => {
  it('has one step in flight, and then only the last one requested', () => {
    const sent: number[] = [];
    const seeker = new SeekThrottle(
      (step) => sent.push(step),
      () => 0,
    );
    for (const step of [10, 11, 12, 13]) seeker.seek(step);
    expect(sent).toEqual([10]);
    seeker.onFrame(false);
    expect(sent).toEqual([10]);
    seeker.onFrame(true);
    expect(sent).toEqual([10, 13]);
    seeker.onFrame(true);
    expect(sent).toEqual([10, 13]);
  });

  it('continues if no answer comes', () => {
    let now = 0;
    const sent: number[] = [];
    const seeker = new SeekThrottle(
      (step) => sent.push(step),
      () => now,
    );
    seeker.seek(1);
    now = 5000;
    seeker.seek(2);
    expect(sent).toEqual([1, 2]);
  });
});

describe('stored settings', () => {
  it('are validated like any input', () => {
    for (const nonsense of [undefined, null, 7, 'x', [], { view: 'nothing', layer: -1, tensor: {}, runTo: 4 }]) {
      expect(readSettings(nonsense, ['learn', 'check'])).toEqual(defaultSettings);
    }
    const kept = { ...defaultSettings, view: 'check', layer: 2, logLoss: true, tensor: 'parameter', parameter: 'bias' };
    expect(readSettings({ uri: 'file:///a', ...kept }, ['learn', 'check'])).toEqual(kept);
  });
});

describe('positions on axes', () => {
  it('are fractions of a logarithmic axis, limited to its ends', () => {
    const axis = { min: 1e-6, max: 1 };
    expect(logFraction(1e-3, axis)).toBeCloseTo(0.5, 12);
    expect([0, NaN, 1e-9, 5, Infinity].map((value) => logFraction(value, axis))).toEqual([0, 0, 0, 1, 1]);
  });

  it('of the scatter plot increase through zero and are invertible', () => {
    for (const value of [-0.3, -1e-7, 0, 4e-9, 0.02]) {
      expect(inverseSymlog(symlog(value, 1e-6), 1e-6)).toBeCloseTo(value, 12);
      expect(symlog(-value, 1e-6)).toBe(-symlog(value, 1e-6));
    }
    expect(symlog(0.1, 1e-6)).toBeGreaterThan(symlog(0.01, 1e-6));
  });

  it('of the band are mean plus and minus the spread', () => {
    const of = (...values: number[]) => ({
      stride: 1,
      steps: Float64Array.of(1, 2),
      low: Float64Array.of(...values),
      high: Float64Array.of(...values),
    });
    expect(offsetSeries(of(1, 2), of(0.5, 0.25), 1)?.high).toEqual(Float64Array.of(1.5, 2.25));
    expect(offsetSeries(of(1, 2), of(0.5, 0.25), -1)?.low).toEqual(Float64Array.of(0.5, 1.75));
    expect(offsetSeries(of(1, 2), undefined, 1)).toBeUndefined();
  });
});
