// Every example opens without a problem, trains as its comments say, and holds the figures it is there for.
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadLayers } from '../../src/code/load-layers';
import { openSpec } from '../../src/session/load';
import { TrainingSession } from '../../src/session/session';
import { type LayerCode, parseSpec } from '../../src/spec';
import { filesIn } from '../support/files';

const folder = path.resolve(__dirname, '../../examples');
const files = fs.readdirSync(folder).filter((file) => file.endsWith('.nabla.json'));

/** Warnings that an example is there to show. */
const INTENDED: Readonly<Record<string, readonly string[]>> = {
  'scalar-network.nabla.json': ['equal-units'],
};

/** Examples that are wrong on purpose. */
const WRONG = ['custom-layer-with-a-bug.nabla.json'];

/** The layers of their own that examples have. */
const code = new Map<string, LayerCode>();

beforeAll(async () => {
  for (const file of files) {
    const { spec } = parseSpec(fs.readFileSync(path.join(folder, file), 'utf8'));
    if (spec) code.set(file, await loadLayers(spec, { folder, root: folder }, { enter: () => undefined, leave: () => undefined }));
  }
});

function open(file: string): { session: TrainingSession; codes: string[] } {
  const text = fs.readFileSync(path.join(folder, file), 'utf8');
  const { run, problems } = openSpec(text, filesIn(folder), code.get(file));
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  return { session: new TrainingSession(run!, text), codes: problems.map(({ code }) => code) };
}

const example = (name: string): TrainingSession => open(`${name}.nabla.json`).session;

function train(session: TrainingSession, steps = session.totalSteps): TrainingSession {
  for (let i = 0; i < steps; i++) session.step();
  return session;
}

const values = (session: TrainingSession, name: string): number[] =>
  [...session.network.parameters.find((parameter) => parameter.name === name)!.value.data];

const gradient = (session: TrainingSession, name: string): number[] =>
  [...session.network.parameters.find((parameter) => parameter.name === name)!.gradient.data];

/** Takes a step as far as its update, so that the gradients are those of the weights that stand. */
function toUpdate(session: TrainingSession): TrainingSession {
  const phases = 2 * session.run.model.layers.length + 3;
  for (let i = 0; i < phases; i++) session.stepPhase();
  expect(session.position).toEqual({ step: 0, phase: phases });
  return session;
}

const close = (actual: readonly number[], expected: readonly number[], digits = 12): void => {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((value, i) => expect(actual[i]).toBeCloseTo(value, digits));
};

/** Trained where its figures are. */
const SLOW = ['images.nabla.json'];

describe('every example', () => {
  it.each(files.filter((file) => !SLOW.includes(file)))('%s opens and learns', (file) => {
    const { session, codes } = open(file);
    expect(codes).toEqual(INTENDED[file] ?? []);
    if (WRONG.includes(file)) return;
    const before = session.evaluate().train!.loss;
    train(session);
    const after = session.evaluate().train!.loss;
    expect(after).toBeLessThan(before / 3);
  });

  it.each(files)('%s says in its first line what it is about', (file) => {
    expect(fs.readFileSync(path.join(folder, file), 'utf8')).toMatch(/^\/\/ \S.{30}/);
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

/** An example with a piece of its text replaced. */
function changed(name: string, from: string, to: string): TrainingSession {
  const text = fs.readFileSync(path.join(folder, `${name}.nabla.json`), 'utf8');
  expect(text).toContain(from);
  const swapped = text.replace(from, to);
  return new TrainingSession(openSpec(swapped, filesIn(folder)).run!, swapped);
}

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
    const { session, codes } = open('images.nabla.json');
    expect(codes).toEqual([]);
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
