// The verdict: a run is good only if it learned, and what matters most comes with its cause and its fix.
import { afterEach, describe, expect, it } from 'vitest';
import { describeState } from '../../../webview/controls/state-messages';
import { seriesName } from '../../../src/history/history';
import { formatNumber } from '../../../src/presentation/numbers';
import { initialData, type PanelData } from '../../../webview/state/store';
import { FakeHost, readExample } from '../harness/host';
import { guarded } from '../harness/specs';

let host: FakeHost | null = null;
afterEach(() => host?.dispose());

/** @param step the end of the run by default */
async function dataAt(text: string, step?: number): Promise<PanelData> {
  host = new FakeHost(text);
  host.runner.subscribe(['activations', 'gradients', 'updates'], []);
  await host.runner.command({ type: 'runToStep', step: step ?? host.session?.totalSteps ?? 0 });
  const frame = await host.waitForFrame(({ status, target }) => status !== 'ready' && target === null);
  const { session, history } = host;
  return { ...initialData(), state: { kind: 'run' }, model: session?.model ?? null, frame, history };
}

const stateAtEnd = async (text: string) => describeState(await dataAt(text));

const moons = (lr: number): string =>
  JSON.stringify({
    data: 'moons',
    layers: [
      { type: 'linear', out_features: 32 },
      'relu',
      { type: 'linear', out_features: 32 },
      'relu',
      { type: 'linear', out_features: 2 },
    ],
    loss: 'cross_entropy',
    optimizer: { type: 'sgd', lr, momentum: 0.9 },
    epochs: 30,
  });

describe('the state of a finished run', () => {
  it('is good if it learned and has no findings', async () => {
    expect(await stateAtEnd(readExample('circles'))).toMatchObject({ code: 'finished', tone: 'good' });
  });

  it('is bad if units died and the loss increased', async () => {
    const { code, tone } = await stateAtEnd(moons(8));
    expect({ code, tone }).toEqual({ code: 'not_learned', tone: 'bad' });
  });

  it('names the rate as the cause of dead units, and offers a lower one', async () => {
    const { finding, actions } = await stateAtEnd(moons(8));
    expect(finding).toMatchObject({ code: 'update-too-large', since: 1 });
    expect(finding?.fix?.changes[0]).toMatchObject({ path: ['optimizer', 'lr'] });
    expect(actions).toEqual(['applyFix', 'showFinding']);
  });

  it('is bad if gradients are wrong, however well it learned', async () => {
    const data = await dataAt(guarded, 1);
    expect(describeState(data).code).not.toBe('wrong_gradients');
    const check = (await host?.runner.check()) ?? null;
    const actions = check?.diagnosis ? ['revealDiagnosis', 'showCheck'] : ['showCheck'];
    expect(describeState({ ...data, check })).toMatchObject({ code: 'wrong_gradients', tone: 'bad', actions });
  });

  it('is not good if the weights do not move', async () => {
    const { tone } = await stateAtEnd(readExample('circles').replace('"lr": 0.1', '"lr": 1e-12'));
    expect(tone).not.toBe('good');
  });
});

describe('the state of a paused run', () => {
  it('names what holds since an earlier step, without a good tone', async () => {
    const { code, tone, finding } = describeState(await dataAt(moons(8), 60));
    expect({ code, tone, finding: finding?.code }).toEqual({
      code: 'paused',
      tone: 'warning',
      finding: 'update-too-large',
    });
  });

  it('without findings compares the loss with that at the start', async () => {
    const data = await dataAt(readExample('circles'), 100);
    const { tone, text, actions } = describeState(data);
    const first = data.history.get(seriesName.loss('train'))?.data();
    expect({ tone, actions }).toEqual({ tone: 'plain', actions: [] });
    for (const loss of [data.frame?.evaluation.train?.loss, first?.low[0]])
      expect(text).toContain(formatNumber(loss ?? NaN));
  });
});
