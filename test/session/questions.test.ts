// Answers about the fit, against the network asked one sample at a time.
import { describe, expect, it } from 'vitest';
import { answerTo } from '../../src/session/questions';
import type { TrainingSession } from '../../src/session/session';
import { sessionOf, smallSpec } from '../support/run';

const sine = {
  data: { type: 'noisy_sine', samples: 60 },
  layers: [{ type: 'linear', out_features: 5 }, 'sigmoid', { type: 'linear', out_features: 1 }],
  loss: 'mse', optimizer: { type: 'sgd', lr: 0.1 }, batch_size: 10, epochs: 5, precision: 'float64',
};
const trained = (spec: object, steps = 7): TrainingSession => {
  const session = sessionOf(spec);
  session.seek(steps);
  return session;
};

/** What the network gives for one input, written with loops. */
function byHand(session: TrainingSession, input: readonly number[]): number[] {
  let values = [...input];
  session.run.model.layers.forEach(({ definition }, layer) => {
    const own = session.network.parameters.filter((parameter) => parameter.layer === layer);
    if (definition.kind === 'linear') {
      const [weight, bias] = own.map(({ value }) => value);
      const from = values;
      values = Array.from({ length: weight.shape[0] }, (_, unit) =>
        from.reduce((sum, x, i) => sum + x * weight.data[unit * from.length + i], bias.data[unit]));
    } else values = values.map(definition.kind === 'tanh' ? Math.tanh : (x) => 1 / (1 + Math.exp(-x)));
  });
  return values;
}

describe.each([['regions', { ...smallSpec, precision: 'float64' }], ['a fitted line', sine]])('%s', (_, spec) => {
  it('are what the network gives at each point of the grid, which holds all of the data', () => {
    const session = trained(spec, 60);
    const before = session.hash();
    const { answer } = answerTo(session, { about: 'fitted' });
    if (!answer) throw new Error('no answer');
    const { axes, columns, rows, outputs, predictions, classes } = answer;
    expect(predictions ?? classes).toHaveLength(columns * rows * outputs);
    // Regions have a class at each point, the line its value.
    expect([predictions === null, classes === null]).toEqual([axes.length === 2, axes.length === 1]);
    for (const at of [0, columns - 1, Math.floor((columns * rows) / 2) + 3, columns * rows - 1]) {
      const place = [at % columns, Math.floor(at / columns)];
      const input = axes.map(({ min, max }, i) => min + ((max - min) * place[i]) / ([columns, rows][i] - 1));
      const given = byHand(session, input);
      given.forEach((value, j) => predictions && expect(predictions[at * outputs + j]).toBeCloseTo(value, 5));
    }
    if (classes) {
      const winners = Array.from(classes, (_, at) => {
        const given = byHand(session, axes.map(({ min, max }, i) => min + ((max - min) * [at % columns, Math.floor(at / columns)][i]) / 47));
        return given[1] > given[0] ? 1 : 0;
      });
      expect([...classes]).toEqual(winners);
      expect(new Set(winners).size).toBe(2);
    }
    const { inputs } = session.run.dataset;
    axes.forEach(({ min, max }, i) => {
      for (let at = i; at < inputs.length; at += axes.length) expect(inputs[at] > min && inputs[at] < max).toBe(true);
    });
    expect(session.hash()).toBe(before);
  });
});

describe('a surface', () => {
  it('is what the network gives first, where two inputs have targets that are values', () => {
    const data = { type: 'inline', inputs: [[0, 0], [1, 0], [0, 1], [1, 1]], targets: [[0, 1], [1, 2], [1, 3], [2, 4]] };
    const session = sessionOf({ data, layers: [{ type: 'linear', out_features: 2 }], loss: 'mse', batch_size: 4, epochs: 2, precision: 'float64' });
    const { answer } = answerTo(session, { about: 'fitted' });
    expect(answer?.classes).toBeNull();
    expect(answer?.predictions).toHaveLength(48 * 48);
    const { axes = [], columns = 0, predictions } = answer ?? {};
    const at = 17 * columns + 5;
    const input = [[5, 0], [17, 1]].map(([place, axis]) => axes[axis].min + ((axes[axis].max - axes[axis].min) * place) / 47);
    expect(predictions?.[at]).toBeCloseTo(byHand(session, input)[0], 5);
  });
});

describe('predictions', () => {
  it('count each sample of a part once, the worst first, each with its own loss', () => {
    const session = trained({ ...smallSpec, precision: 'float64' });
    const { answer } = answerTo(session, { about: 'predictions', part: 'train' });
    if (!answer) throw new Error('no answer');
    const { dataset, split } = session.run;
    const all = [...split.train].map((sample) => {
      const logits = byHand(session, [...dataset.inputs.subarray(2 * sample, 2 * sample + 2)]);
      const target = dataset.targets[sample];
      return { sample, loss: Math.log(Math.exp(logits[0]) + Math.exp(logits[1])) - logits[target], target, predicted: logits[1] > logits[0] ? 1 : 0 };
    });
    expect(answer.evaluated).toBe(split.train.length);
    expect(answer.of).toBe(split.train.length);
    expect(answer.loss).toBeCloseTo(all.reduce((sum, { loss }) => sum + loss, 0) / all.length, 12);
    const counts = [0, 0, 0, 0];
    for (const { target, predicted } of all) counts[2 * target + predicted]++;
    expect([...(answer.confusion ?? [])]).toEqual(counts);
    const worst = [...all].sort((a, b) => b.loss - a.loss).slice(0, answer.worst.length);
    expect(answer.worst.map(({ sample }) => sample)).toEqual(worst.map(({ sample }) => sample));
    answer.worst.forEach(({ loss, predictedClass, input, sample }, i) => {
      expect(loss).toBeCloseTo(worst[i].loss, 12);
      expect(predictedClass).toBe(worst[i].predicted);
      expect([...(input ?? [])]).toEqual([...Float32Array.from(dataset.inputs.subarray(2 * sample, 2 * sample + 2))]);
    });
  });

  it('agree with the evaluation of the whole part, and leave the step that is shown alone', () => {
    const session = trained(sine);
    const shown = session.pass.outputs.map(({ data }) => [...data]);
    const { answer } = answerTo(session, { about: 'predictions', part: 'validation' });
    expect(answer?.confusion).toBeNull();
    expect(answer?.loss).toBeCloseTo(session.evaluate().validation?.loss ?? NaN, 12);
    expect(session.pass.outputs.map(({ data }) => [...data])).toEqual(shown);
  });
});

describe('points', () => {
  it('are the data of their part', () => {
    const session = sessionOf(smallSpec);
    const { answer } = answerTo(session, { about: 'points', part: 'test' });
    const { dataset, split } = session.run;
    expect([...(answer?.samples ?? [])]).toEqual([...split.test]);
    expect([...(answer?.inputs ?? [])]).toEqual([...split.test].flatMap((i) => [...Float32Array.from(dataset.inputs.subarray(2 * i, 2 * i + 2))]));
    expect([...(answer?.targets ?? [])]).toEqual([...split.test].map((i) => dataset.targets[i]));
  });

  it('are thinned out evenly where there are too many', () => {
    const { answer } = answerTo(sessionOf({ ...smallSpec, data: { type: 'circles', samples: 4000 } }), { about: 'points', part: 'train' });
    expect(answer?.of).toBe(2400);
    expect(answer?.samples).toHaveLength(600);
    expect(new Set(answer?.samples).size).toBe(600);
  });
});
