// Queries about the fit, compared with the network evaluated one sample at a time.
import { describe, expect, it } from 'vitest';
import { runQuery } from '../../src/session/queries';
import type { TrainingSession } from '../../src/session/session';
import { createSession, smallSpec } from '../support/session-fixtures';

const sine = {
  data: { type: 'noisy_sine', samples: 60 },
  layers: [{ type: 'linear', out_features: 5 }, 'sigmoid', { type: 'linear', out_features: 1 }],
  loss: 'mse',
  optimizer: { type: 'sgd', lr: 0.1 },
  batch_size: 10,
  epochs: 5,
  precision: 'float64',
};
const trainSession = (spec: object, steps = 7): TrainingSession => {
  const session = createSession(spec);
  session.seek(steps);
  return session;
};

/** The output of the network for one input, as loops. */
function forwardByHand(session: TrainingSession, input: readonly number[]): number[] {
  let values = [...input];
  session.run.model.layers.forEach(({ definition }, layer) => {
    const own = session.network.parameters.filter((parameter) => parameter.layer === layer);
    if (definition.kind === 'linear') {
      const [weight, bias] = own.map(({ value }) => value);
      const from = values;
      values = Array.from({ length: weight.shape[0] }, (_, unit) =>
        from.reduce((sum, x, i) => sum + x * weight.data[unit * from.length + i], bias.data[unit]),
      );
    } else values = values.map(definition.kind === 'tanh' ? Math.tanh : (x) => 1 / (1 + Math.exp(-x)));
  });
  return values;
}

describe.each([
  ['regions', { ...smallSpec, precision: 'float64' }],
  ['a fitted line', sine],
])('%s', (_, spec) => {
  it("are the network's outputs at each point of the grid, which covers all data", () => {
    const session = trainSession(spec, 60);
    const before = session.stateHash();
    const { value: answer } = runQuery(session, { type: 'decision_surface' });
    if (!answer) throw new Error('no answer');
    const { axes, columns, rows, outputs, predictions, classes } = answer;
    expect(predictions ?? classes).toHaveLength(columns * rows * outputs);
    // Regions have a class at each point, the line has its value.
    expect([predictions === null, classes === null]).toEqual([axes.length === 2, axes.length === 1]);
    for (const at of [0, columns - 1, Math.floor((columns * rows) / 2) + 3, columns * rows - 1]) {
      const place = [at % columns, Math.floor(at / columns)];
      const input = axes.map(({ min, max }, i) => min + ((max - min) * place[i]) / ([columns, rows][i] - 1));
      const given = forwardByHand(session, input);
      given.forEach((value, j) => predictions && expect(predictions[at * outputs + j]).toBeCloseTo(value, 5));
    }
    if (classes) {
      const winners = Array.from(classes, (_, at) => {
        const given = forwardByHand(
          session,
          axes.map(({ min, max }, i) => min + ((max - min) * [at % columns, Math.floor(at / columns)][i]) / 47),
        );
        return given[1] > given[0] ? 1 : 0;
      });
      expect([...classes]).toEqual(winners);
      expect(new Set(winners).size).toBe(2);
    }
    const { inputs } = session.run.dataset;
    axes.forEach(({ min, max }, i) => {
      for (let at = i; at < inputs.length; at += axes.length) expect(inputs[at] > min && inputs[at] < max).toBe(true);
    });
    expect(session.stateHash()).toBe(before);
  });
});

describe('a surface', () => {
  it("is the network's first output for two inputs and value targets", () => {
    const data = {
      type: 'inline',
      inputs: [
        [0, 0],
        [1, 0],
        [0, 1],
        [1, 1],
      ],
      targets: [
        [0, 1],
        [1, 2],
        [1, 3],
        [2, 4],
      ],
    };
    const session = createSession({
      data,
      layers: [{ type: 'linear', out_features: 2 }],
      loss: 'mse',
      batch_size: 4,
      epochs: 2,
      precision: 'float64',
    });
    const { value } = runQuery(session, { type: 'decision_surface' });
    expect(value?.classes).toBeNull();
    expect(value?.predictions).toHaveLength(48 * 48);
    const { axes = [], columns = 0, predictions } = value ?? {};
    const at = 17 * columns + 5;
    const input = [
      [5, 0],
      [17, 1],
    ].map(([place, axis]) => axes[axis].min + ((axes[axis].max - axes[axis].min) * place) / 47);
    expect(predictions?.[at]).toBeCloseTo(forwardByHand(session, input)[0], 5);
  });
});

describe('predictions', () => {
  it('contain each sample of a split once, worst first, each with its own loss', () => {
    const session = trainSession({ ...smallSpec, precision: 'float64' });
    const { value } = runQuery(session, { type: 'predictions', split: 'train' });
    if (!value) throw new Error('no answer');
    const { dataset, split } = session.run;
    const all = [...split.train].map((sample) => {
      const logits = forwardByHand(session, [...dataset.inputs.subarray(2 * sample, 2 * sample + 2)]);
      const target = dataset.targets[sample];
      return {
        sample,
        loss: Math.log(Math.exp(logits[0]) + Math.exp(logits[1])) - logits[target],
        target,
        predicted: logits[1] > logits[0] ? 1 : 0,
      };
    });
    expect(value.evaluated).toBe(split.train.length);
    expect(value.total).toBe(split.train.length);
    expect(value.loss).toBeCloseTo(all.reduce((sum, { loss }) => sum + loss, 0) / all.length, 12);
    const counts = [0, 0, 0, 0];
    for (const { target, predicted } of all) counts[2 * target + predicted]++;
    expect([...(value.confusion ?? [])]).toEqual(counts);
    const worst = [...all].sort((a, b) => b.loss - a.loss).slice(0, value.worst.length);
    expect(value.worst.map(({ sample }) => sample)).toEqual(worst.map(({ sample }) => sample));
    value.worst.forEach(({ loss, predictedClasses, input, sample }, i) => {
      expect(loss).toBeCloseTo(worst[i].loss, 12);
      expect(predictedClasses).toEqual([worst[i].predicted]);
      expect([...(input ?? [])]).toEqual([...Float32Array.from(dataset.inputs.subarray(2 * sample, 2 * sample + 2))]);
    });
  });

  it('agree with the evaluation of the whole split, and leave the current step unchanged', () => {
    const session = trainSession(sine);
    const shown = session.pass.outputs.map(({ data }) => [...data]);
    const { value } = runQuery(session, { type: 'predictions', split: 'validation' });
    expect(value?.confusion).toBeNull();
    expect(value?.loss).toBeCloseTo(session.evaluate().validation?.loss ?? NaN, 12);
    expect(session.pass.outputs.map(({ data }) => [...data])).toEqual(shown);
  });
});

describe('points', () => {
  it('are the data of their split', () => {
    const session = createSession(smallSpec);
    const { value } = runQuery(session, { type: 'points', split: 'test' });
    const { dataset, split } = session.run;
    expect([...(value?.samples ?? [])]).toEqual([...split.test]);
    expect([...(value?.inputs ?? [])]).toEqual(
      [...split.test].flatMap((i) => [...Float32Array.from(dataset.inputs.subarray(2 * i, 2 * i + 2))]),
    );
    expect([...(value?.targets ?? [])]).toEqual([...split.test].map((i) => dataset.targets[i]));
  });

  it('are thinned out evenly if there are too many', () => {
    const { value } = runQuery(createSession({ ...smallSpec, data: { type: 'circles', samples: 4000 } }), {
      type: 'points',
      split: 'train',
    });
    expect(value?.total).toBe(2400);
    expect(value?.samples).toHaveLength(600);
    expect(new Set(value?.samples).size).toBe(600);
  });
});
