import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBackend } from '../../../src/engine/kernels/create-kernels';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import { losses, type LossKind } from '../../../src/engine/losses';
import '../../support/allclose';
import { BACKENDS } from '../../support/backends';
import { golden, type GoldenLoss } from '../../support/golden';
import { flat, shapeOf } from '../../support/nested-lists';
import { tensorFrom, nanTensor } from '../../support/tensors';
import { lossContext, lossOf } from '../../support/network-fixtures';
import { Random } from '../../../src/engine/random';

const FLOAT64 = createBackend('reference', 'float64');
const cases = [...golden('losses.json'), ...golden('losses-attention.json')];
const kinds = Object.keys(losses) as LossKind[];

function run(kernels: Kernels, testCase: GoldenLoss) {
  const definition = lossOf(testCase.kind);
  const context = lossContext(kernels, testCase);
  const gradient = nanTensor(kernels, shapeOf(testCase.prediction));
  definition.gradient(context, gradient);
  return { value: definition.value(context), gradient };
}

describe.each(BACKENDS)('losses agree with PyTorch within 1e-12 relative in float64 on %s', (backend) => {
  const kernels = createBackend(backend, 'float64');

  it.each(cases)('$name', (testCase) => {
    const { value, gradient } = run(kernels, testCase);
    expect(value).toBeAllclose(testCase.value);
    expect(gradient).toBeAllclose(testCase.gradPrediction);
  });
});

describe.each(BACKENDS)('losses agree with PyTorch within 1e-5 in float32 on %s', (backend) => {
  const kernels = createBackend(backend, 'float32');
  // Numbers that float32 cannot represent, such as 1e-200 or 9999.75, are compared only in float64.
  const comparable = cases.filter(({ name }) => !/exactly 0 and 1|1e4|far from/.test(name));

  it.each(comparable)('$name', (testCase) => {
    const { value, gradient } = run(kernels, testCase);
    expect(value).toBeAllclose(testCase.value, { rtol: 1e-5 });
    const largest = Math.max(...flat(testCase.gradPrediction).map(Math.abs));
    expect(gradient).toBeAllclose(testCase.gradPrediction, { rtol: 1e-5, atol: 1e-5 * largest });
  });
});

describe.each(kinds)('loss %s', (kind) => {
  const definition = lossOf(kind);

  /** Predictions and targets that any loss accepts: rows of probabilities. */
  const drawn = (batch: number, width: number, seed: number) => {
    const random = new Random(seed, kind);
    const rows = (): number[] =>
      Array.from({ length: batch }, () => {
        const row = Array.from({ length: width }, () => random.uniform(0.1, 1));
        const total = row.reduce((a, b) => a + b, 0) + (width === 1 ? 1 : 0);
        return row.map((x) => x / total);
      }).flat();
    return {
      kernels: FLOAT64,
      options: definition.options.parse({}),
      prediction: tensorFrom(FLOAT64, [batch, width], rows()),
      target: tensorFrom(FLOAT64, [batch, width], rows()),
    };
  };

  it('is listed under its own kind and says what its mean is taken over', () => {
    expect(definition.kind).toBe(kind);
    expect(definition.summary).toMatch(/mean/i);
  });

  it('has golden values', () => {
    expect(cases.filter((testCase) => testCase.kind === kind).length).toBeGreaterThanOrEqual(5);
  });

  it('is a mean over the batch: duplicated rows give the same loss and half the gradient each', () => {
    const once = drawn(3, 4, 1);
    const twice = {
      ...once,
      prediction: tensorFrom(FLOAT64, [6, 4], [...once.prediction.data, ...once.prediction.data]),
      target: tensorFrom(FLOAT64, [6, 4], [...once.target.data, ...once.target.data]),
    };
    expect(definition.value(twice)).toBeAllclose(definition.value(once));
    const gradOnce = nanTensor(FLOAT64, [3, 4]);
    const gradTwice = nanTensor(FLOAT64, [6, 4]);
    definition.gradient(once, gradOnce);
    definition.gradient(twice, gradTwice);
    const halves = Array.from(gradOnce.data, (g) => g / 2);
    expect(gradTwice).toBeAllclose([...halves, ...halves]);
  });

  it('as a sum, if supported, is its mean times the divisor of the mean', () => {
    const mean = drawn(3, 4, 2);
    if (!('reduction' in (mean.options as object))) {
      expect(['sum_squared_error', 'cross_entropy_on_probabilities']).toContain(kind);
      return;
    }
    const sum = { ...mean, options: definition.options.parse({ reduction: 'sum' }) };
    const factor = definition.value(sum) / definition.value(mean);
    expect([3, 12].map((count) => Math.abs(factor - count) < 1e-12)).toContain(true);
    const [ofMean, ofSum] = [nanTensor(FLOAT64, [3, 4]), nanTensor(FLOAT64, [3, 4])];
    definition.gradient(mean, ofMean);
    definition.gradient(sum, ofSum);
    expect(ofSum).toBeAllclose(Array.from(ofMean.data, (g) => g * factor));
  });

  it('has the gradient of its own value, and leaves prediction and target unchanged', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 }), fc.nat(), (batch, width, seed) => {
        const context = drawn(batch, width, seed);
        const { prediction, target } = context;
        const before = [...prediction.data, ...target.data];
        const gradient = nanTensor(FLOAT64, [batch, width]);
        definition.gradient(context, gradient);
        definition.value(context);
        expect([...prediction.data, ...target.data]).toEqual(before);
        const numeric = Array.from(prediction.data, (p, i) => {
          const h = 1e-6;
          prediction.data[i] = p + h;
          const up = definition.value(context);
          prediction.data[i] = p - h;
          const down = definition.value(context);
          prediction.data[i] = p;
          return (up - down) / (2 * h);
        });
        // h² times a third derivative of at most 2 / p³, plus the rounding of the two values.
        expect(gradient).toBeAllclose(numeric, { rtol: 1e-6, atol: 1e-8 });
      }),
      { numRuns: 30 },
    );
  });
});

describe('conventions', () => {
  const of = (kind: LossKind, prediction: number[][], target: number[][], options = {}) => {
    const context = lossContext(FLOAT64, { name: '', kind, options, prediction, target });
    const gradient = nanTensor(FLOAT64, shapeOf(prediction));
    lossOf(kind).gradient(context, gradient);
    return { value: lossOf(kind).value(context), gradient: Array.from(gradient.data) };
  };

  // Three outputs and two rows, so that no factor of one half or two hides another.
  it('mse divides by batch and outputs', () => {
    expect(
      of(
        'mse',
        [
          [3, 0, 0],
          [0, 0, 0],
        ],
        [
          [0, 0, 0],
          [0, 0, 0],
        ],
      ),
    ).toEqual({
      value: 9 / 6,
      gradient: [1, 0, 0, 0, 0, 0],
    });
  });

  it('sum_squared_error divides only by the batch and multiplies by its scale', () => {
    expect(
      of(
        'sum_squared_error',
        [
          [3, 0, 1],
          [0, 0, 0],
        ],
        [
          [0, 0, 0],
          [0, 0, 0],
        ],
      ),
    ).toEqual({
      value: 5,
      gradient: [3, 0, 1, 0, 0, 0],
    });
    expect(
      of(
        'sum_squared_error',
        [
          [3, 0, 1],
          [0, 0, 0],
        ],
        [
          [0, 0, 0],
          [0, 0, 0],
        ],
        { scale: 0.5 },
      ),
    ).toEqual({
      value: 2.5,
      gradient: [1.5, 0, 0.5, 0, 0, 0],
    });
  });

  it('sum_squared_error of one sample is the squared distance, its gradient 2 (ŷ - y): system E', () => {
    expect(of('sum_squared_error', [[1, 5]], [[4, 1]])).toEqual({ value: 25, gradient: [-6, 8] });
  });

  it('multi_margin divides by the number of outputs, including the right one, like PyTorch', () => {
    expect(of('multi_margin', [[0, 0, 0, 0]], [[1, 0, 0, 0]]).value).toBe(3 / 4);
    expect(of('multi_margin', [[0, 0, 0, 0]], [[1, 0, 0, 0]], { p: 2, margin: 2 }).value).toBe(3);
  });

  it('hinge maps 0 and 1 to signs -1 and 1, and is 0 beyond the margin', () => {
    const { value, gradient } = of('hinge', [[2, -2, 2, -2, 0]], [[1, 0, 0, 1, 1]]);
    expect(value).toBe((3 + 3 + 1) / 5);
    expect(gradient).toBeAllclose([0, 0, 0.2, -0.2, -0.2]);
  });

  it('nll of a log-softmax is the cross-entropy of its logits', () => {
    const logits = [
      [1, -2, 0.5],
      [0, 3, 1],
    ];
    const target = [
      [0, 0, 1],
      [1, 0, 0],
    ];
    const logs = nanTensor(FLOAT64, [2, 3]);
    FLOAT64.logSoftmax(logs, tensorFrom(FLOAT64, [2, 3], logits.flat()));
    const rows = [Array.from(logs.data.slice(0, 3)), Array.from(logs.data.slice(3))];
    expect(of('nll', rows, target).value).toBeAllclose(of('cross_entropy', logits, target).value);
  });

  it('losses on classes start at ln K without any knowledge', () => {
    const target = [[0, 1, 0, 0, 0, 0, 0, 0, 0, 0]];
    expect(of('cross_entropy', [new Array<number>(10).fill(0)], target).value).toBeAllclose(Math.log(10));
    expect(of('cross_entropy_on_probabilities', [new Array<number>(10).fill(0.1)], target).value).toBeAllclose(
      Math.log(10),
    );
  });
});
