// The gradient check of custom losses and penalties: right ones pass, and mistakes are named.
import { describe, expect, it } from 'vitest';
import type { Loss, LossBackwardCall, Ops, Penalty, PenaltyCall, Tensor } from '../../src/engine/custom/contract';
import { type CheckReport, PENALTY_NAME } from '../../src/protocol/check-report';
import { buildCheckCases } from '../../src/presentation/check-cases';
import { checkWith, crossEntropyForward, startCheckWith } from '../support/custom-losses';

const BATCH = 16;

type Gradient = (call: LossBackwardCall & { readonly p: Tensor }) => Tensor;

/** Fused softmax and cross-entropy with this gradient. */
const fused = (gradient: Gradient): Loss => ({
  forward: crossEntropyForward,
  backward: (call) => ({ dOutputs: gradient({ ...call, p: call.ops.softmax(call.outputs) }) }),
});

/** The same forward in loops, so that there is no graph to search. */
const fusedInLoops = (gradient: Gradient): Loss => ({
  ...fused(gradient),
  forward({ outputs, targets }) {
    const [rows, width] = outputs.shape as [number, number];
    let sum = 0;
    for (let row = 0; row < rows; row++) {
      const z = [...outputs.data.subarray(row * width, (row + 1) * width)];
      const max = Math.max(...z);
      const logSum = max + Math.log(z.reduce((total, each) => total + Math.exp(each - max), 0));
      for (let i = 0; i < width; i++) sum -= targets.data[row * width + i]! * (z[i]! - logSum);
    }
    return sum / rows;
  },
});

const lossCheckOf = ({ layers }: CheckReport) => layers.find(({ name }) => name === null)!;

describe('a right custom loss', () => {
  const square = (ops: Ops, x: Tensor): Tensor => ops.multiply(x, x);
  const right: readonly (readonly [string, Loss])[] = [
    ['by autograd', { forward: crossEntropyForward }],
    ['by a manual backward', fused(({ p, targets, ops }) => ops.divide(ops.subtract(p, targets), BATCH))],
    ['in loops', fusedInLoops(({ p, targets, ops }) => ops.divide(ops.subtract(p, targets), BATCH))],
    ['with kinks', { forward: ({ outputs, targets, ops }) => ops.mean(ops.abs(ops.subtract(outputs, targets))) }],
    [
      'that is not additive, such as the root of a mean',
      { forward: ({ outputs, targets, ops }) => ops.sqrt(ops.mean(square(ops, ops.subtract(outputs, targets)))) },
    ],
    [
      'that is a sum',
      {
        reduction: 'sum',
        forward: ({ outputs, targets, ops }) => ops.sum(square(ops, ops.subtract(outputs, targets))),
        backward: ({ outputs, targets, ops }) => ({ dOutputs: ops.multiply(2, ops.subtract(outputs, targets)) }),
      },
    ],
  ];

  it.each(right)('%s passes', (_, loss) => {
    const report = checkWith({ loss });
    expect(report.counts.wrong).toBe(0);
    expect(report.passed).toBe(true);
    expect(report.diagnosis).toBeNull();
    expect(lossCheckOf(report)).toMatchObject({ kind: 'mine.loss.ts', tensors: [{ name: 'prediction' }] });
  });

  it('in single precision is recognized and not called wrong', () => {
    const loss: Loss = {
      forward({ outputs, targets }) {
        const errors = new Float32Array(outputs.data.length);
        for (let i = 0; i < errors.length; i++) errors[i] = (outputs.data[i]! - targets.data[i]!) ** 2;
        return Math.fround(errors.reduce((a, b) => Math.fround(a + b), 0)) / BATCH;
      },
      backward: ({ outputs, targets, ops }) => ({
        dOutputs: ops.multiply(2 / BATCH, ops.subtract(outputs, targets)),
      }),
    };
    const report = checkWith({ loss });
    expect(report.counts.wrong).toBe(0);
    expect(lossCheckOf(report)).toMatchObject({ precision: 'single' });
    expect(lossCheckOf(report).fault).toBeUndefined();
  });
});

describe('mistakes in the gradient of softmax with cross-entropy', () => {
  const mistakes: readonly (readonly [string, Gradient, object])[] = [
    [
      'no division by the batch',
      ({ p, targets, ops }) => ops.subtract(p, targets),
      { cause: 'factor', dimension: { name: 'samples in the batch', size: BATCH } },
    ],
    ['no targets', ({ p, ops }) => ops.divide(p, BATCH), { cause: 'target_ignored' }],
    ['neither', ({ p }) => p, { cause: 'target_ignored', dimension: { name: 'samples in the batch', size: BATCH } }],
    ['sign', ({ p, targets, ops }) => ops.divide(ops.subtract(targets, p), BATCH), { cause: 'sign' }],
    [
      'a division by the outputs',
      ({ p, targets, ops }) => ops.divide(ops.subtract(p, targets), 3 * BATCH),
      { cause: 'factor', dimension: { name: 'outputs', size: 3 } },
    ],
    [
      'no softmax',
      ({ outputs, targets, ops }) => ops.divide(ops.subtract(outputs, targets), BATCH),
      { cause: 'activation_missing' },
    ],
    [
      'softmax along the batch',
      ({ outputs, targets, ops }) => ops.divide(ops.subtract(ops.softmax(outputs, 0), targets), BATCH),
      { cause: 'axes_wrong' },
    ],
    [
      'only the right class',
      ({ p, targets, ops }) => ops.divide(ops.multiply(targets, ops.subtract(p, targets)), BATCH),
      { cause: 'sum_missing' },
    ],
    ['nothing', ({ outputs, ops }) => ops.multiply(0, outputs), { cause: 'missing' }],
  ];

  it.each(mistakes)('%s: named with ops', (_, gradient, diagnosis) => {
    const report = checkWith({ loss: fused(gradient) });
    expect(report.passed).toBe(false);
    expect(report.diagnosis).toMatchObject({ layer: null, kind: 'mine.loss.ts', tensor: 'prediction', ...diagnosis });
    expect(report.diagnosis?.place).toMatchObject({ file: '/losses/mine.ts' });
    expect(report.autograd?.find(({ tensor }) => tensor === 'prediction')?.sentence).not.toBeNull();
  });

  it.each(mistakes)('%s: named without ops', (_, gradient, diagnosis) => {
    const report = checkWith({ loss: fusedInLoops(gradient) });
    expect(report.passed).toBe(false);
    expect(report.diagnosis).toMatchObject({ layer: null, ...diagnosis });
  });

  it('an operation of the forward pass that the gradient leaves out is named', () => {
    // (log p)² + log p, the mean over all: the square is forgotten.
    const report = checkWith({
      loss: {
        forward({ outputs, ops }) {
          const logs = ops.logSoftmax(outputs);
          return ops.mean(ops.add(ops.multiply(logs, logs), logs));
        },
        backward({ outputs, ops }) {
          const p = ops.softmax(outputs);
          const count = outputs.data.length;
          return { dOutputs: ops.divide(ops.subtract(1, ops.multiply(3, p)), count) };
        },
      },
    });
    expect(report.diagnosis).toMatchObject({ layer: null, cause: 'contribution_missing' });
  });
});

describe('faults of the forward pass of a loss', () => {
  it.each<[string, Loss, string]>([
    [
      'random numbers',
      { forward: ({ outputs, ops }) => ops.multiply(Math.random(), ops.mean(outputs)) },
      'not_repeatable',
    ],
    [
      'the order of the samples',
      { forward: ({ outputs, ops }) => ops.mean(ops.slice(outputs, 0, 0, 1)) },
      'samples_mixed',
    ],
  ])('%s fail the check', (_, loss, cause) => {
    const report = checkWith({ loss });
    expect(report.passed).toBe(false);
    expect(report.diagnosis).toMatchObject({ layer: null, cause, tensor: 'output' });
    expect(lossCheckOf(report)).toMatchObject({ fault: cause });
  });

  it('NaN is named with the operation', () => {
    const loss: Loss = { forward: ({ outputs, ops }) => ops.mean(ops.log(outputs)) };
    const report = checkWith({ loss });
    expect(report.passed).toBe(false);
    expect(report.diagnosis).toMatchObject({ layer: null, cause: 'not_finite', tensor: 'output' });
    expect(report.diagnosis?.sentence).toContain('log of -');
  });

  it('NaN of an auxiliary loss is not blamed on a custom one', () => {
    // The logarithm of logits.
    const auxiliary_losses = ['cross_entropy_on_probabilities'];
    const report = checkWith({ loss: { forward: crossEntropyForward } }, { auxiliary_losses });
    expect(report.passed).toBe(false);
    expect(report.diagnosis).toBeNull();
  });

  it('a mistake that the batch does not show is found with made-up outputs', () => {
    // max(0, |z| - 50): flat for the outputs of a new network.
    const loss: Loss = {
      forward: ({ outputs, targets, ops }) => {
        const error = ops.subtract(outputs, targets);
        return ops.mean(ops.add(ops.multiply(error, error), ops.relu(ops.subtract(ops.abs(outputs), 8))));
      },
      backward: ({ outputs, targets, ops }) => ({
        dOutputs: ops.multiply(2 / outputs.data.length, ops.subtract(outputs, targets)),
      }),
    };
    const report = checkWith({ loss });
    expect(report.counts.wrong).toBe(0);
    expect(report.passed).toBe(false);
    expect(lossCheckOf(report).probe).toBeDefined();
  });

  it('a gradient that keeps adding up is named', () => {
    let sum: Tensor | null = null;
    const loss: Loss = {
      forward: crossEntropyForward,
      backward({ outputs, targets, ops }) {
        const gradient = ops.divide(ops.subtract(ops.softmax(outputs), targets), outputs.shape[0]!);
        sum = sum?.data.length === gradient.data.length ? ops.add(sum, gradient) : gradient;
        return { dOutputs: sum };
      },
    };
    expect(checkWith({ loss }).diagnosis).toMatchObject({ layer: null, cause: 'accumulated' });
  });
});

const weightsOf = ({ parameters }: PenaltyCall): [string, Tensor][] =>
  Object.entries(parameters).filter(([, { shape }]) => shape.length > 1);

/** 0.01 Σ w² over the weights, with this gradient of one of them. */
const penaltyWith = (gradient: (weight: Tensor, ops: Ops, name: string) => Tensor): Penalty => ({
  forward: (call) => {
    const { ops } = call;
    const sums = weightsOf(call).map(([, weight]) => ops.sum(ops.multiply(weight, weight)));
    return ops.multiply(0.01, ops.sum(ops.stack(sums)));
  },
  backward: (call) => ({
    parameters: Object.fromEntries(weightsOf(call).map(([name, weight]) => [name, gradient(weight, call.ops, name)])),
  }),
});

const penaltyCheckOf = ({ layers }: CheckReport) => layers.find(({ name }) => name === PENALTY_NAME)!;
const LAYERS = [0, 1, 2].map((layer) => ({
  name: `layer${layer}`,
  kind: 'linear',
  inputs: [layer - 1],
  parameters: [],
}));

describe('a custom penalty', () => {
  it('that is right passes, with and without it', () => {
    const report = checkWith({ penalty: penaltyWith((weight, ops) => ops.multiply(0.02, weight)) });
    expect(report.passed).toBe(true);
    expect(report.withoutPenalty).toMatchObject({ passed: true, complete: true });
    expect(penaltyCheckOf(report).tensors.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['linear1.weight', 'pass'],
      ['linear1.bias', 'below_noise'],
      ['linear2.weight', 'pass'],
      ['linear2.bias', 'below_noise'],
    ]);
    expect(buildCheckCases(report, LAYERS, true).at(-1)).toMatchObject({ tensor: 'penalty', outcome: 'passed' });
  });

  it('of absolute values passes, with kinks', () => {
    const penalty: Penalty = {
      forward: (call) =>
        call.ops.sum(call.ops.stack(weightsOf(call).map(([, weight]) => call.ops.sum(call.ops.abs(weight))))),
    };
    const report = checkWith({ penalty }, { layers: [{ type: 'linear', out_features: 3, init: 'zeros' }] });
    expect(report.counts.wrong).toBe(0);
    expect(penaltyCheckOf(report).tensors[0]).toMatchObject({ name: 'linear1.weight', verdict: 'kink' });
  });

  it.each<[string, Parameters<typeof penaltyWith>[0], object]>([
    [
      'half of it',
      (weight, ops) => ops.multiply(0.01, weight),
      { cause: 'factor', factor: expect.closeTo(0.5, 6) as number },
    ],
    ['sign', (weight, ops) => ops.multiply(-0.02, weight), { cause: 'sign' }],
    ['absolute values', (weight, ops) => ops.multiply(0.02, ops.abs(weight)), { cause: 'absolute_value' }],
    [
      'one parameter missing',
      (weight, ops, name) => ops.multiply(name === 'linear2.weight' ? 0 : 0.02, weight),
      { cause: 'missing', tensor: 'linear2.weight' },
    ],
  ])('with a mistake (%s) is named', (_, gradient, diagnosis) => {
    const report = checkWith({ penalty: penaltyWith(gradient) });
    expect(report.passed).toBe(false);
    expect(report.withoutPenalty).toMatchObject({ passed: true });
    expect(report.diagnosis).toMatchObject({ layer: PENALTY_NAME, kind: 'mine.penalty.ts', ...diagnosis });
    expect(buildCheckCases(report, LAYERS, true).at(-1)).toMatchObject({ tensor: 'penalty', outcome: 'failed' });
    expect(buildCheckCases(report, LAYERS, true).at(-2)).toMatchObject({ tensor: 'prediction', outcome: 'passed' });
  });
});

it('the search for the cause is cut into pieces', () => {
  // In each piece, the loss is called a few times, whatever the size of the batch.
  let calls = 0;
  const loss: Loss = {
    ...fusedInLoops(({ p, targets, ops }) => ops.multiply(ops.subtract(p, targets), p)),
  };
  const counted: Loss = { ...loss, forward: (call) => (calls++, loss.forward(call)) };
  const check = startCheckWith({ loss: counted }, { batch_size: 60 });
  let most = 0;
  for (let more = true; more;) {
    const before = calls;
    more = check.advance(1);
    most = Math.max(most, calls - before);
  }
  expect(check.report().passed).toBe(false);
  expect(most).toBeLessThan(60);
});
