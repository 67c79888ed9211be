import { VERDICTS } from '../../../src/protocol/check-report';
import { describe, expect, it } from 'vitest';
import { History } from '../../../src/history/history';
import type { Frame, PanelSnapshot } from '../../../src/protocol/panel';
import { VERDICT_ORDER } from '../../../webview/charts/scatter-chart';
import {
  clearWarnings,
  dismiss,
  initialData,
  MAX_NOTICES,
  notify,
  reduce,
  Store,
  type PanelData,
} from '../../../webview/state/store';
import { FakeHost, readExample } from '../harness/host';

/** A real run after three steps. */
async function threeSteps(): Promise<{ host: FakeHost; frames: Frame[] }> {
  const host = new FakeHost(readExample('circles'));
  const frames: Frame[] = [];
  for (let step = 1; step <= 3; step++) {
    await host.runner.command({ type: 'step' });
    frames.push(await host.waitForFrame((frame) => frame.position.step === step));
  }
  return { host, frames };
}

const given = (snapshot: PanelSnapshot): PanelData => reduce(initialData(), { type: 'snapshot', snapshot });

describe('the store', () => {
  it('applies a snapshot with its own history', async () => {
    const { host } = await threeSteps();
    const snapshot = host.snapshot();
    const data = given(snapshot);
    expect(data.model).toBe(host.session?.model);
    expect(data.frame).toBe(host.frame);
    expect(data.history.data()).toEqual(snapshot.history);
    expect(data.runVersion).toBe(1);
    expect(given(snapshot).history).not.toBe(data.history);
    await host.dispose();
  });

  it('reaches the same history by frames as by a snapshot', async () => {
    const { host, frames } = await threeSteps();
    const byFrames = frames.reduce<PanelData>((data, frame) => reduce(data, { type: 'frame', frame }), {
      ...initialData(),
      history: new History(),
    });
    const whole = host.history.data();
    const names = Object.keys(whole).filter((name) => name.startsWith('loss/batch') || name.startsWith('gradient'));
    expect(names.length).toBeGreaterThan(3);
    for (const name of names) expect(byFrames.history.get(name)?.data()).toEqual(whole[name]);
    await host.dispose();
  });

  it('discards invalid steps before it adds new ones', async () => {
    const { host, frames } = await threeSteps();
    const data = given(host.snapshot());
    expect(data.history.get('loss/batch')?.data().steps).toEqual(Float64Array.of(1, 2, 3));
    reduce(data, { type: 'frame', frame: { ...frames[2], truncatedTo: 1, history: {} } });
    expect(data.history.get('loss/batch')?.data().steps).toEqual(Float64Array.of(1));
    await host.dispose();
  });

  it('says which steps a new learning rate discarded, except after a reset', async () => {
    const { host, frames } = await threeSteps();
    const data = { ...given(host.snapshot()), frame: frames[2] };
    const next = { ...frames[2], lr: 0.01, furthestStep: 1, position: { step: 1, phase: 0 }, history: {} };
    const [notice] = reduce(data, { type: 'frame', frame: { ...next, truncatedTo: 1 } }).notices;
    expect(notice.level).toBe('info');
    for (const part of ['2', '3', '0.01']) expect(notice.text).toContain(part);
    expect(reduce(data, { type: 'frame', frame: { ...next, truncatedTo: null } }).notices).toEqual([]);
    expect(reduce(data, { type: 'frame', frame: { ...next, furthestStep: 0, truncatedTo: -1 } }).notices).toEqual([]);
    await host.dispose();
  });

  it('removes warnings with the next action, and nothing else', () => {
    const data = notify(notify(notify(initialData(), 'info', 'a'), 'error', 'b'), 'warning', 'c');
    expect(clearWarnings(data).notices.map(({ text }) => text)).toEqual(['a', 'b']);
    expect(clearWarnings(clearWarnings(data))).toEqual(clearWarnings(data));
  });

  it('keeps the selected layer over a new run if it still exists', async () => {
    const { host } = await threeSteps();
    const snapshot = host.snapshot();
    const kept = reduce({ ...initialData(1) }, { type: 'snapshot', snapshot });
    const gone = reduce({ ...initialData(17) }, { type: 'snapshot', snapshot });
    expect([kept.layer, gone.layer]).toEqual([1, null]);
    expect(reduce(kept, { type: 'select', layer: null }).layer).toBeNull();
    await host.dispose();
  });

  it('ends the progress of a check with its report', async () => {
    const { host } = await threeSteps();
    const report = await host.runner.check();
    const progress = {
      checked: 4,
      entries: 22,
      counts: { pass: 4, wrong: 0, kink: 0, below_noise: 0 },
      diagnosing: false,
    };
    let data = reduce(initialData(), { type: 'checking', progress });
    expect(data.checking).toEqual(progress);
    data = reduce(data, { type: 'check', report });
    expect([data.check, data.checking]).toEqual([report, null]);
    await host.dispose();
  });

  it('keeps the latest few notices, without duplicates', () => {
    let data = initialData();
    for (const text of ['a', 'b', 'c', 'a', 'd']) data = notify(data, 'info', text);
    expect(data.notices.map(({ text }) => text)).toEqual(['c', 'a', 'd']);
    expect(data.notices.length).toBe(MAX_NOTICES);
    expect(new Set(data.notices.map(({ id }) => id)).size).toBe(3);
    expect(dismiss(data, data.notices[1].id).notices.map(({ text }) => text)).toEqual(['c', 'd']);
  });

  it('notifies listeners until they unsubscribe', () => {
    const store = new Store();
    let heard = 0;
    const stop = store.subscribe(() => heard++);
    store.dispatch({ type: 'problems', problems: [] });
    stop();
    store.dispatch({ type: 'problems', problems: [] });
    expect(heard).toBe(1);
  });

  it('reads verdicts in the order of the report', () => {
    expect(VERDICT_ORDER).toEqual(VERDICTS);
  });
});
