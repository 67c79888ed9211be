// A custom loss is tried on made-up samples: whether it is the mean or the sum that it declares.
import { describe, expect, it } from 'vitest';
import type { Loss } from '../../src/engine/custom/contract';
import { crossEntropyForward, loadWith } from '../support/custom-losses';

const codesOf = (loss: Loss, changes: object = {}): string[] =>
  loadWith({ loss }, changes).problems.map(({ code }) => code);

const sum: Loss['forward'] = ({ outputs, targets, ops }) =>
  ops.negate(ops.sum(ops.multiply(targets, ops.logSoftmax(outputs))));

describe('a custom loss', () => {
  it.each<[string, Loss, string[]]>([
    ['that is a mean', { forward: crossEntropyForward }, []],
    ['that is a sum and says so', { forward: sum, reduction: 'sum' }, ['sum-over-batch']],
    ['that is a sum and does not say so', { forward: sum }, ['loss-reduction']],
    [
      'that says it is a sum and is a mean',
      { forward: crossEntropyForward, reduction: 'sum' },
      ['sum-over-batch', 'loss-reduction'],
    ],
    [
      'with a softmax along the batch',
      {
        forward: ({ outputs, targets, ops }) =>
          ops.negate(ops.mean(ops.sum(ops.multiply(targets, ops.logSoftmax(outputs, 0)), 1))),
      },
      ['loss-mixes-samples'],
    ],
    [
      'that is the root of a mean',
      {
        forward: ({ outputs, targets, ops }) => {
          const error = ops.subtract(outputs, targets);
          return ops.sqrt(ops.mean(ops.multiply(error, error)));
        },
      },
      ['loss-mixes-samples'],
    ],
    [
      'with the wrong sign',
      { forward: (context) => context.ops.negate(crossEntropyForward(context)) },
      ['loss-rewards-errors'],
    ],
    [
      'of squared errors with the wrong sign',
      {
        forward: ({ outputs, targets, ops }) => {
          const error = ops.subtract(outputs, targets);
          return ops.negate(ops.mean(ops.multiply(error, error)));
        },
      },
      ['loss-rewards-errors'],
    ],
    [
      'of squared errors',
      {
        forward: ({ outputs, targets, ops }) => {
          const error = ops.subtract(outputs, targets);
          return ops.mean(ops.multiply(error, error));
        },
      },
      [],
    ],
    [
      'without targets',
      { forward: ({ outputs, ops }) => ops.mean(ops.multiply(outputs, outputs)) },
      ['loss-ignores-target'],
    ],
    [
      'with a penalty of its own on the outputs',
      {
        forward: (context) => {
          const { outputs, ops } = context;
          return ops.add(crossEntropyForward(context), ops.mean(ops.multiply(outputs, outputs)));
        },
      },
      [],
    ],
    [
      'that draws random numbers',
      { forward: ({ outputs, ops }) => ops.multiply(Math.random(), ops.mean(outputs)) },
      [],
    ],
    [
      'that throws',
      {
        forward: () => {
          throw new Error('no');
        },
      },
      [],
    ],
    ['that is NaN for made-up outputs', { forward: ({ outputs, ops }) => ops.mean(ops.log(ops.negate(outputs))) }, []],
  ])('%s gets %3$j', (_, loss, codes) => {
    expect(codesOf(loss)).toEqual(codes);
  });

  it('that broadcasts [batch, 1] and [batch] is told so, with the place', () => {
    const loss: Loss = {
      threshold: 0.5,
      forward: ({ outputs, targets, ops }) => {
        const error = ops.subtract(outputs, ops.reshape(targets, [-1]));
        return ops.mean(ops.multiply(error, error));
      },
    };
    const { problems } = loadWith({ loss }, { data: 'xor', layers: [{ type: 'linear', out_features: 1 }] });
    const problem = problems.find(({ code }) => code === 'loss-mixes-samples');
    expect(problem?.message).toContain('[5, 1] and [5] to [5, 5]');
    expect(problem?.place).toMatchObject({ file: '/losses/mine.ts' });
  });

  it('that mixes samples on purpose can silence the rule', () => {
    const loss: Loss = { forward: ({ outputs, targets, ops }) => ops.exp(ops.mean(ops.multiply(outputs, targets))) };
    expect(codesOf(loss)).toEqual(['loss-mixes-samples']);
    expect(codesOf(loss, { rules: { 'loss-mixes-samples': 'off' } })).toEqual([]);
  });

  it('with a single output for two classes needs a threshold', () => {
    const loss: Loss = { forward: crossEntropyForward };
    const layers = [{ type: 'linear', out_features: 1 }];
    expect(codesOf(loss, { data: 'circles', layers })).toEqual(['loss-threshold']);
    const { run } = loadWith({ loss: { ...loss, threshold: 0.5 } }, { data: 'circles', layers });
    expect(run?.model.loss.definition.threshold).toBe(0.5);
  });

  it('leaves alone what rules know about losses of the engine', () => {
    // After softmax, cross-entropy on logits would apply it twice; what a custom loss takes is not known.
    const layers = [{ type: 'linear', out_features: 3 }, 'softmax'];
    expect(codesOf({ forward: crossEntropyForward }, { layers })).toEqual([]);
  });
});
