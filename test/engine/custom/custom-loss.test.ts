// Custom losses and penalties: values against PyTorch, and what they return is validated.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Loss, LossCall, Penalty, Tensor } from '../../../src/engine/custom/contract';
import { CustomLayerError } from '../../../src/engine/custom/custom-layer-error';
import { createBackend } from '../../../src/engine/kernels/create-kernels';
import type { LossContext } from '../../../src/engine/losses/loss';
import type { CustomLayerErrorDetails } from '../../../src/protocol/problem';
import focal from '../../../examples/losses/focal.loss';
import unitNorm from '../../../examples/losses/unit-norm.penalty';
import '../../support/allclose';
import { crossEntropyForward, customLoss, customPenalty, sessionWith } from '../../support/custom-losses';
import { flat, type Nested, shapeOf } from '../../support/nested-lists';

const kernels = createBackend('reference', 'float64');

interface Golden {
  readonly focal: readonly {
    readonly gamma: number;
    readonly outputs: Nested;
    readonly targets: Nested;
    readonly value: number;
    readonly gradient: Nested;
  }[];
  readonly unitNorm: {
    readonly strength: number;
    readonly weights: readonly Nested[];
    readonly value: number;
    readonly gradients: readonly Nested[];
  };
}

const golden = JSON.parse(readFileSync(join(__dirname, '../../golden/custom-losses.json'), 'utf8')) as Golden;

const tensor = (numbers: Nested): Tensor => ({ shape: shapeOf(numbers), data: Float64Array.from(flat(numbers)) });
const zeros = (...shape: number[]): Tensor => ({ shape, data: new Float64Array(shape.reduce((a, b) => a * b, 1)) });

const contextOf = (prediction: Tensor, target: Tensor, options: object = {}): LossContext<unknown> => ({
  kernels,
  options: { module: 'mine.loss.ts', options },
  prediction,
  target,
});

describe('the examples agree with PyTorch', () => {
  it.each(golden.focal)('focal loss, gamma $gamma', ({ gamma, outputs, targets, value, gradient }) => {
    const context = contextOf(tensor(outputs), tensor(targets), { gamma });
    const out = zeros(...shapeOf(outputs));
    const loss = customLoss(focal);
    expect(loss.value(context)).toBeAllclose(value);
    loss.gradient(context, out);
    expect(out).toBeAllclose(gradient, { atol: 1e-14 });
  });

  it('unit norm, by the manual backward and by autograd', () => {
    const { strength, weights, value, gradients } = golden.unitNorm;
    const variables = Object.fromEntries(weights.map((weight, i) => [`linear${i + 1}.weight`, tensor(weight)]));
    const call = { variables: { ...variables, 'linear1.bias': zeros(3) }, constants: {}, options: { strength } };
    const penalty = customPenalty(unitNorm);
    expect(penalty.value(call)).toBeAllclose(value);
    for (const found of [penalty.gradients(call), penalty.autograd!(call)!]) {
      gradients.forEach((gradient, i) => {
        expect(found[`linear${i + 1}.weight`]!).toBeAllclose(flat(gradient), { atol: 1e-14 });
      });
      expect([...found['linear1.bias']!]).toEqual([0, 0, 0]);
    }
  });
});

describe('training with a custom loss', () => {
  it('takes the same steps as with the built-in one', () => {
    const [own, builtIn] = [
      sessionWith({ loss: { forward: crossEntropyForward } }, { precision: 'float64' }),
      sessionWith({}, { precision: 'float64' }),
    ];
    for (let step = 0; step < 40; step++) {
      own.step();
      builtIn.step();
      expect(own.loss).toBeAllclose(builtIn.loss!, { rtol: 1e-9 });
    }
    expect(own.evaluate().validation).toEqual({
      loss: expect.closeTo(builtIn.evaluate().validation!.loss, 9) as number,
      accuracy: builtIn.evaluate().validation!.accuracy,
    });
  });

  it('combines the losses of batches as it declares', () => {
    const sum: Loss = {
      reduction: 'sum',
      forward: ({ outputs, targets, ops }) => ops.negate(ops.sum(ops.multiply(targets, ops.logSoftmax(outputs)))),
    };
    expect(sessionWith({ loss: sum }).evaluate().train!.loss).toBeCloseTo(sessionWith({}).evaluate().train!.loss, 5);
  });

  it('takes the same steps with a penalty as with l2', () => {
    const l2: Penalty = {
      forward: ({ parameters, ops }) =>
        ops.sum(
          ops.stack(
            Object.values(parameters)
              .filter(({ shape }) => shape.length > 1)
              .map((weight) => ops.multiply(0.05, ops.sum(ops.multiply(weight, weight)))),
          ),
        ),
    };
    const [own, builtIn] = [
      sessionWith({ penalty: l2 }, { precision: 'float64' }),
      sessionWith({}, { precision: 'float64', penalty: { l2: 0.1 } }),
    ];
    for (let step = 0; step < 40; step++) {
      own.step();
      builtIn.step();
      expect(own.loss).toBeAllclose(builtIn.loss!, { rtol: 1e-9 });
    }
  });
});

/** The error of a call on 8 samples of 3 outputs. */
function errorOf(loss: unknown): CustomLayerErrorDetails {
  try {
    const definition = customLoss(loss);
    const context = contextOf(zeros(8, 3), zeros(8, 3));
    definition.value(context);
    definition.gradient(context, zeros(8, 3));
  } catch (error) {
    if (error instanceof CustomLayerError) return error.details;
    throw error;
  }
  throw new Error('accepted');
}

const returning = (value: unknown) => ({ forward: () => value, backward: () => ({ dOutputs: zeros(8, 3) }) });
const returningGradient = (value: unknown) => ({ forward: () => 1, backward: () => value });

describe('what a custom loss returns is validated', () => {
  it.each<[string, unknown, string[], string]>([
    ['nothing', returning(undefined), ['undefined'], '"return"'],
    ['a promise', returning(Promise.resolve(1)), ['a promise'], '"async"'],
    ['a list', returning([1]), ['a list'], 'one number'],
    ['a loss for each sample', returning(zeros(8)), ['8 samples'], 'reduction: "sum"'],
    ['a column', returning(zeros(8, 1)), ['8 samples'], 'ops.mean(losses)'],
    ['a loss for each output', returning(zeros(8, 3)), ['8×3', 'each output'], 'ops.sum(losses, 1)'],
    ['a loss for each pair', returning(zeros(8, 8)), ['pair of samples', '[8, 1]'], 'same shape'],
    ['another shape', returning(zeros(3)), ['3'], 'one number'],
    ['no gradient', returningGradient(undefined), ['undefined'], '"return"'],
    ['a bare gradient', returningGradient(zeros(8, 3)), ['"dOutputs"'], '{ dOutputs }'],
    ['the gradient of a layer', returningGradient({ dx: zeros(8, 3) }), ['"dOutputs"', '"dx"'], '{ dOutputs }'],
    ['a summed gradient', returningGradient({ dOutputs: zeros(3) }), ['"dOutputs"', '8×3'], 'do not sum'],
    ['a transposed gradient', returningGradient({ dOutputs: zeros(3, 8) }), ['3×8'], 'ops.transpose(gradient)'],
    ['a number without ops', { forward: () => 2 }, ['plain number'], '"backward"'],
    ['a constant tensor', { forward: ({ ops }: LossCall) => ops.tensor([], 2) }, ['ops'], '"backward"'],
  ])('%s', (_, loss, inMessage, inRemedy) => {
    const { message, remedy } = errorOf(loss);
    for (const text of inMessage) expect(message).toContain(text);
    expect(remedy).toContain(inRemedy);
  });

  it.each<[string, unknown, string]>([
    ['no object', 3, 'not a loss'],
    ['no forward', {}, '"forward"'],
    ['a backward that is no function', { forward: crossEntropyForward, backward: 1 }, '"backward"'],
    ['an unknown reduction', { forward: crossEntropyForward, reduction: 'none' }, '"reduction"'],
    ['a threshold that is no number', { forward: crossEntropyForward, threshold: '0' }, '"threshold"'],
  ])('an export with %s is refused', (_, loss, inMessage) => {
    const { call, message } = errorOf(loss);
    expect(call).toBe('load');
    expect(message).toContain(inMessage);
  });

  it('changing its arguments is refused', () => {
    const loss: Loss = {
      forward: ({ targets }) => (targets.data[0] = 7),
      backward: ({ outputs }) => ({ dOutputs: outputs }),
    };
    expect(errorOf(loss).message).toContain('targets');
  });

  it.each<[string, unknown, string]>([
    ['no parameters', { dx: 1 }, '"parameters"'],
    ['an unknown name', { parameters: { 'linear1.weigth': zeros(3, 2) } }, '"linear1.weigth"'],
    ['a short name', { parameters: { weight: zeros(3, 2) } }, '"weight"'],
    ['another shape', { parameters: { 'linear1.weight': zeros(2, 3) } }, '2×3'],
  ])('gradients of a penalty with %s', (_, returned, inMessage) => {
    const penalty = customPenalty({ forward: () => 1, backward: () => returned });
    const call = { variables: { 'linear1.weight': zeros(3, 2) }, constants: {}, options: {} };
    let error: unknown;
    try {
      penalty.gradients(call);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(CustomLayerError);
    const { message, remedy } = (error as CustomLayerError).details;
    expect(message).toContain(inMessage);
    expect(message + remedy).toContain('linear1.weight');
  });
});
