// Every example opens without a problem, trains as its comments say, and holds the figures it is there for.
import { describe, expect, it } from 'vitest';
import type { TrainingSession } from '../../src/session/session';
import { changed, checked, example, gradient, names, open, textOf, toUpdate, train, values } from '../support/examples';

/** Warnings that an example is there to show. */
const INTENDED: Readonly<Record<string, readonly string[]>> = {
  'scalar-network': ['equal-units', 'equal-outgoing'],
  'saturated-start': ['weights-one-sided'],
};

/** Entries of a check of gradients, of the layers nearest to the loss: those of large networks would take minutes. */
const ENTRIES = 1500;

/** Trained where their figures are. */
const SLOW: readonly string[] = ['images'];

const close = (actual: readonly number[], expected: readonly number[], digits = 12): void => {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, digits));
};

describe('every example', () => {
  it.each(names)('%s says in its first line what it is about', (name) => {
    expect(textOf(name)).toMatch(/^\/\/ \S.{30}/);
  });

  it.each(names)('%s opens, takes a step, and its gradients are right unless it says otherwise', (name) => {
    const { session, problems } = open(name);
    expect(problems.map(({ code }) => code)).toEqual(INTENDED[name] ?? []);
    const says = /^\/\/ (Wrong|Infinite) on purpose/.exec(textOf(name))?.[1];
    const check = () => checked(session, ENTRIES).counts.wrong > 0;
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

describe('two circles', () => {
  it.each(['circles', 'circles-full-batch', 'circles-online', 'circles-mse', 'circles-probabilities'])(
    '%s tells more than 95 % of every part',
    (name) => {
      const parts = train(example(name)).evaluate();
      for (const part of ['train', 'validation', 'test'] as const) expect(parts[part]!.accuracy).toBeGreaterThan(0.95);
    },
  );

  it('starts from the same weights and data whichever way it descends', () => {
    const starts = ['circles', 'circles-full-batch', 'circles-online'].map((name) => {
      const session = example(name);
      return { weights: values(session, 'hidden.weight'), inputs: [...session.run.dataset.inputs] };
    });
    expect(starts[1]).toEqual(starts[0]);
    expect(starts[2]).toEqual(starts[0]);
  });

  it('has the same loss and gradients with softmax in the loss or as a layer', () => {
    const fused = toUpdate(example('circles'));
    const separate = toUpdate(example('circles-probabilities'));
    expect(separate.loss!).toBeCloseTo(fused.loss!, 6);
    for (const name of ['hidden.weight', 'hidden.bias', 'output.weight', 'output.bias']) {
      close(gradient(separate, name), gradient(fused, name), 6);
    }
  });
});

describe('data from files', () => {
  it('tells the weather when its columns are standardized, and hardly without', () => {
    const parts = train(example('weather')).evaluate();
    for (const part of ['train', 'validation', 'test'] as const) expect(parts[part]!.accuracy).toBeGreaterThan(0.9);
    const { problems } = open('weather', textOf('weather').replace('"transforms": ["standardize"],', ''));
    expect(problems.map(({ code, message }) => [code, message.slice(0, 36)])).toEqual([['not-scaled', 'The data is not scaled: pressure_hpa']]);
    const raw = train(changed('weather', '"transforms": ["standardize"],', '')).evaluate();
    expect(raw.train!.loss).toBeGreaterThan(3 * parts.train!.loss);
  });

  it('reads digits that it has not seen', () => {
    const parts = train(example('digits')).evaluate();
    for (const part of ['train', 'validation', 'test'] as const) expect(parts[part]!.accuracy).toBeGreaterThan(0.93);
  });
});

describe('the network by hand', () => {
  it('gives the printed outputs, loss and first step', () => {
    const session = toUpdate(example('worked-example-1'));
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
    const session = toUpdate(example('one-neuron'));
    expect(session.pass.prediction.data[0]).toBeCloseTo(Math.SQRT1_2, 14);
    close(gradient(session, 'linear1.weight'), [1, 0]);
    close(gradient(session, 'linear1.bias'), [0.5]);
  });
});

describe('the network whose first layer gets no gradient', () => {
  it('has the gradients and the first step of the course', () => {
    const session = toUpdate(example('scalar-network'));
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

  it('then learns in its first layer too', () => {
    const session = train(example('scalar-network'), 2);
    expect(values(session, 'linear1.weight')).not.toEqual([1, -1, 1, -1, 1, -1]);
  });
});

describe('two layers, 5 ReLU', () => {
  it('kills every unit at a rate ten times as high, as its comment says', () => {
    const session = example('two-layers-relu');
    session.setLearningRate(0.5);
    train(session);
    expect(session.loss!).toBeCloseTo(0.5, 6);
    expect([...session.pass.outputs[1].data].every((value) => value === 0)).toBe(true);
  });
});

describe('the noisy sine', () => {
  it('comes near the noise on data it has not seen', () => {
    expect(train(example('noisy-sine')).evaluate().test!.loss).toBeLessThan(0.015);
  });
});

describe('a unit that starts below 0', () => {
  it('comes back with leaky_relu, and stays dead with relu, as its comment says', () => {
    expect(train(example('leaky-relu')).evaluate().train!.loss).toBeLessThan(1e-3);
    const dead = train(changed('leaky-relu', '{ "type": "leaky_relu", "negative_slope": 0.1 }', '"relu"'));
    expect(values(dead, 'linear1.weight')).toEqual([-1]);
    expect(dead.evaluate().train!.loss).toBe(7.5 / 4);
  });
});

describe('unequal features', () => {
  it('are learned by adam where sgd still creeps, as its comment says', () => {
    const loss = (session: TrainingSession): number => train(session).evaluate().train!.loss;
    const adam = loss(example('adam'));
    const sgd = loss(changed('adam', '{ "type": "adam", "lr": 1 }', '{ "type": "sgd", "lr": 0.1 }'));
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
    expect(calm).toBeLessThan(unrest(changed('schedule', '{ "type": "cosine", "warmup": 5 }', '"constant"')) / 5);
  });
});

describe('system B', () => {
  it('starts at ln 10 and learns 64 images by heart', () => {
    const session = example('images');
    expect(session.model.layers.map(({ outputShape }) => outputShape)).toEqual([
      [32, 32, 32], [32, 32, 32], [32, 16, 16], [64, 16, 16], [64, 16, 16], [64, 8, 8], [64, 8, 8], [64, 8, 8], [64, 4, 4],
      [1024], [1000], [1000], [10],
    ]);
    const start = session.evaluate().train!.loss;
    expect(Math.abs(start / Math.log(10) - 1)).toBeLessThan(0.02);
    let accuracy = 0;
    while (accuracy < 1 && session.position.step < session.totalSteps) {
      train(session, session.model.batchesPerEpoch);
      accuracy = session.evaluate().train!.accuracy!;
    }
    expect(accuracy).toBe(1);
  }, 120_000);
});
