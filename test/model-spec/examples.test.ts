// Every example opens without a problem, trains as its comments say, and has the numbers that it demonstrates.
import { describe, expect, it } from 'vitest';
import type { TrainingSession } from '../../src/session/session';
import {
  exampleWith,
  gradientCheckReport,
  example,
  gradient,
  names,
  openExample,
  shownFindings,
  textOf,
  advanceToUpdate,
  train,
  values,
} from '../support/examples';

/** Entries of a gradient check, from the layers closest to the loss: all of them take minutes for large networks. */
const ENTRIES = 1500;

/** Trained by the tests of their numbers. */
const SLOW: readonly string[] = ['images'];

const close = (actual: readonly number[], expected: readonly number[], digits = 12): void => {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, digits));
};

describe('every example', () => {
  it.each(names)('%s has a first line that says what it is about', (name) => {
    expect(textOf(name)).toMatch(/^\/\/ \S.{30}/);
  });

  it.each(names)('%s opens, takes a step, and has right gradients unless it says otherwise', (name) => {
    const { session, problems } = openExample(name);
    expect(problems.map(({ code }) => code)).toEqual(shownFindings[name] ?? []);
    const says = /^\/\/ (Wrong|Infinite) on purpose/.exec(textOf(name))?.[1];
    const check = () => gradientCheckReport(session, ENTRIES).counts.wrong > 0;
    const before = check();
    session.step();
    expect(Number.isFinite(session.loss)).toBe(says !== 'Infinite');
    if (says === undefined) expect([before, check()]).toEqual([false, false]);
    if (says === 'Wrong' && !before) expect(check() || (train(session), check())).toBe(true);
  });

  const learning = names.filter((name) => !SLOW.includes(name) && !textOf(name).includes('on purpose'));

  it.each(learning)('%s learns', (name) => {
    const session = example(name);
    const before = session.evaluate().train!.loss;
    train(session);
    expect(session.evaluate().train!.loss).toBeLessThan(before / 3);
  });
});

describe('two towers', () => {
  it('predict ratings that neither of their inputs tells, close to the noise of 0.1', () => {
    const losses = train(example('two-towers')).evaluate();
    for (const { loss } of [losses.train!, losses.validation!, losses.test!]) expect(loss).toBeLessThan(0.02);
    // What each input says alone adds up to nothing.
    const alone = train(exampleWith('two-towers', '"multiply"', '"subtract"'));
    expect(alone.evaluate().test!.loss).toBeGreaterThan(0.2);
  });
});

describe('two circles', () => {
  it.each(['circles', 'circles-full-batch', 'circles-online', 'circles-mse', 'circles-probabilities'])(
    '%s tells more than 95 % of every part',
    (name) => {
      const parts = train(example(name)).evaluate();
      for (const part of ['train', 'validation', 'test'] as const) expect(parts[part]!.accuracy).toBeGreaterThan(0.95);
    },
  );

  it('starts from the same weights and data for every batch size', () => {
    const starts = ['circles', 'circles-full-batch', 'circles-online'].map((name) => {
      const session = example(name);
      return { weights: values(session, 'hidden.weight'), inputs: [...session.run.dataset.inputs] };
    });
    expect(starts[1]).toEqual(starts[0]);
    expect(starts[2]).toEqual(starts[0]);
  });

  it('has the same loss and gradients with softmax in the loss or as a layer', () => {
    const fused = advanceToUpdate(example('circles'));
    const separate = advanceToUpdate(example('circles-probabilities'));
    expect(separate.loss!).toBeCloseTo(fused.loss!, 6);
    for (const name of ['hidden.weight', 'hidden.bias', 'output.weight', 'output.bias']) {
      close(gradient(separate, name), gradient(fused, name), 6);
    }
  });
});

describe('data from files', () => {
  it('predicts the weather if its columns are standardized, and hardly without', () => {
    const parts = train(example('weather')).evaluate();
    for (const part of ['train', 'validation', 'test'] as const) expect(parts[part]!.accuracy).toBeGreaterThan(0.9);
    const { problems } = openExample('weather', textOf('weather').replace('"transforms": ["standardize"],', ''));
    expect(problems.map(({ code, message }) => [code, message.slice(0, 36)])).toEqual([
      ['not-scaled', 'The data is not scaled: pressure_hpa'],
    ]);
    const raw = train(exampleWith('weather', '"transforms": ["standardize"],', '')).evaluate();
    expect(raw.train!.loss).toBeGreaterThan(3 * parts.train!.loss);
  });

  it('writes the text that it has read, with a GPT', () => {
    const session = example('char-gpt');
    const start = session.evaluate().train!;
    const tokens = session.run.labels!.length;
    expect(tokens).toBe(23);
    // Untrained, every character is about equally likely.
    expect(start.loss).toBeGreaterThan(0.9 * Math.log(tokens));
    expect(start.perplexity).toBeCloseTo(Math.exp(start.loss), 3);
    train(session);
    const end = session.evaluate().train!;
    expect(end.perplexity).toBeLessThan(2);
    expect(end.accuracy).toBeGreaterThan(0.8);
    // Embedding and last layer are one parameter.
    expect(session.network.parameters.filter(({ name }) => name === 'tokens.weight')).toHaveLength(1);
    expect(session.network.parameters.some(({ name }) => name.startsWith('next.'))).toBe(false);
    // With a whole sample before it, the next character is nearly always clear.
    const { dataset, split } = session.run;
    const pass = session.network.evaluationPass(1);
    const right = [...split.train].filter((sample) => {
      pass.loadBatch(dataset.inputs, session.run.targets, Uint32Array.of(sample), 0);
      pass.evaluate();
      const last = [...pass.prediction.data.subarray(15 * tokens)];
      return last.indexOf(Math.max(...last)) === dataset.targets[16 * sample + 15];
    });
    expect(right.length).toBeGreaterThan(0.9 * split.train.length);
  });

  it('recognizes digits that it has not seen', () => {
    const parts = train(example('digits')).evaluate();
    for (const part of ['train', 'validation', 'test'] as const) expect(parts[part]!.accuracy).toBeGreaterThan(0.93);
  });
});

describe('sequences of different lengths', () => {
  it('have a parity that an LSTM tells, with its state unchanged over the padding', () => {
    const session = train(example('padding'));
    const parts = session.evaluate();
    for (const part of ['train', 'validation', 'test'] as const) expect(parts[part]!.accuracy).toBeGreaterThan(0.98);
    const { data: inputs } = session.pass.input;
    const { data: states } = session.pass.internal(1, 'hidden_state')!;
    const [length, hidden] = [8, 12];
    const stateAt = (position: number) => [...states.subarray(position * hidden, (position + 1) * hidden)];
    const padding = [...inputs.keys()].filter((position) => inputs[position] === 0);
    expect(padding.length).toBeGreaterThan(20);
    expect(padding.every((position) => position % length > 0)).toBe(true);
    for (const position of padding) expect(stateAt(position)).toEqual(stateAt(position - 1));
  });
});

describe('the worked example', () => {
  it('has the printed outputs, loss and first step', () => {
    const session = advanceToUpdate(example('worked-example-1'));
    const { prediction } = session.pass;
    close([...prediction.data], [0.75136507, 0.772928465], 8);
    expect(session.loss!).toBeCloseTo(0.298371109, 9);
    expect(gradient(session, 'linear2.weight')[0]).toBeCloseTo(0.082167041, 9);
    session.stepPhase();
    expect(values(session, 'linear2.weight')[0]).toBeCloseTo(0.35891648, 8);
    expect(values(session, 'linear1.weight')[0]).toBeCloseTo(0.149780716, 9);
    expect(values(session, 'linear1.bias')).toEqual([0.35, 0.35]);
    expect(values(session, 'linear2.bias')).toEqual([0.6, 0.6]);
    expect(session.evaluate().train!.loss).toBeCloseTo(0.291027774, 9);
  });
});

describe('one neuron', () => {
  it('has the printed output and gradients', () => {
    const session = advanceToUpdate(example('one-neuron'));
    expect(session.pass.prediction.data[0]).toBeCloseTo(Math.SQRT1_2, 14);
    close(gradient(session, 'linear1.weight'), [1, 0]);
    close(gradient(session, 'linear1.bias'), [0.5]);
  });
});

describe('the network whose first layer gets no gradient', () => {
  it('has the gradients and the first step of the course', () => {
    const session = advanceToUpdate(example('scalar-network'));
    const g = 0.44039853898894116;
    close(gradient(session, 'linear2.weight'), [-g, -g, -g, g, g, g], 15);
    close(gradient(session, 'linear2.bias'), [-0.5, 0.5], 15);
    expect(gradient(session, 'linear1.weight').every((value) => value === 0)).toBe(true);
    expect(gradient(session, 'linear1.bias').every((value) => value === 0)).toBe(true);
    session.stepPhase();
    const [w, v] = [1.0440398538988942, 0.9559601461011059];
    close(values(session, 'linear2.weight'), [w, -v, -v, v, -w, -w], 14);
    close(values(session, 'linear2.bias'), [0.05, -0.05], 15);
  });

  it('then also learns in its first layer', () => {
    const session = train(example('scalar-network'), 2);
    expect(values(session, 'linear1.weight')).not.toEqual([1, -1, 1, -1, 1, -1]);
  });
});

describe('two layers, 5 ReLU', () => {
  it('kills every unit at ten times the rate, as its comment says', () => {
    const session = example('two-layers-relu');
    session.setLearningRate(0.5);
    train(session);
    expect(session.loss!).toBeCloseTo(0.5, 6);
    expect([...session.pass.outputs[1].data].every((value) => value === 0)).toBe(true);
  });
});

describe('the noisy sine', () => {
  it('comes close to the noise on data that it has not seen', () => {
    expect(train(example('noisy-sine')).evaluate().test!.loss).toBeLessThan(0.015);
  });
});

describe('a unit that starts below 0', () => {
  it('recovers with leaky_relu, and stays dead with relu, as its comment says', () => {
    expect(train(example('leaky-relu')).evaluate().train!.loss).toBeLessThan(1e-3);
    const dead = train(exampleWith('leaky-relu', '{ "type": "leaky_relu", "negative_slope": 0.1 }', '"relu"'));
    expect(values(dead, 'linear1.weight')).toEqual([-1]);
    expect(dead.evaluate().train!.loss).toBe(7.5 / 4);
  });
});

describe('unequal features', () => {
  it('are learned by adam while sgd is still slow, as its comment says', () => {
    const loss = (session: TrainingSession): number => train(session).evaluate().train!.loss;
    const adam = loss(example('adam'));
    const sgd = loss(exampleWith('adam', '{ "type": "adam", "lr": 1 }', '{ "type": "sgd", "lr": 0.1 }'));
    expect(adam).toBeLessThan(sgd / 100);
  });
});

describe('warm-up and cosine', () => {
  it('end calmer than a constant rate does, as its comment says', () => {
    const unrest = (session: TrainingSession): number => {
      train(session, session.totalSteps - 40);
      const losses = Array.from({ length: 40 }, () => {
        session.step();
        return session.evaluate().train!.loss;
      });
      return Math.max(...losses) - Math.min(...losses);
    };
    const calm = unrest(example('schedule'));
    expect(calm).toBeLessThan(unrest(exampleWith('schedule', '{ "type": "cosine", "warmup": 5 }', '"constant"')) / 5);
  });
});

describe('the adding problem', () => {
  /** The norm of dL/d hidden state after the first time step, relative to that after the last. */
  function gradientRatio(session: TrainingSession): number {
    session.step();
    const { shape, data } = session.pass.internalGradient(0, 'hidden_state')!;
    const [, time, units] = shape;
    const squares = new Float64Array(time);
    data.forEach((value, i) => (squares[Math.floor(i / units) % time] += value * value));
    return Math.sqrt(squares[0] / squares[time - 1]);
  }

  it('is learned by an LSTM, but not by a plain recurrent layer, whose gradient vanishes through time', () => {
    const [lstm, rnn] = ['lstm', 'rnn'].map((kind) => {
      const session = exampleWith('adding', '"type": "lstm"', `"type": "${kind}"`);
      train(session, session.totalSteps - 1);
      const ratio = gradientRatio(session);
      return { loss: session.evaluate().test!.loss, ratio };
    });
    expect(lstm.loss).toBeLessThan(0.005);
    // 1/6 is the mean squared error of the constant 1.
    expect(Math.abs(rnn.loss * 6 - 1)).toBeLessThan(0.25);
    expect(lstm.ratio).toBeGreaterThan(0.01);
    expect(rnn.ratio).toBeLessThan(1e-4);
  });
});

describe('system B', () => {
  it('starts at ln 10 and memorizes 64 images', () => {
    const session = example('images');
    expect(session.model.layers.map(({ outputShape }) => outputShape)).toEqual([
      [32, 32, 32],
      [32, 32, 32],
      [32, 16, 16],
      [64, 16, 16],
      [64, 16, 16],
      [64, 8, 8],
      [64, 8, 8],
      [64, 8, 8],
      [64, 4, 4],
      [1024],
      [1000],
      [1000],
      [10],
    ]);
    const start = session.evaluate().train!.loss;
    expect(Math.abs(start / Math.log(10) - 1)).toBeLessThan(0.02);
    let accuracy = 0;
    while (accuracy < 1 && session.position.step < session.totalSteps) {
      train(session, session.model.batchesPerEpoch);
      accuracy = session.evaluate().train!.accuracy!;
    }
    expect(accuracy).toBe(1);
  });
});
