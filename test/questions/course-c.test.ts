// Measures the figures that the answers to course C quote.
import { describe, expect, it } from 'vitest';
import { collectLayerStats } from '../../src/session/layer-stats';
import { runQuery } from '../../src/session/queries';
import type { TrainingSession } from '../../src/session/session';
import { advanceToUpdate, example, gradient, gradientCheckReport, train, values } from '../support/examples';
import { holdFigures } from '../support/figures';
import { mean, meanOver, norm, output, outputGradient, spreadOver, sweepValues, trained } from '../support/trained';

const byHand = advanceToUpdate(example('scalar-network'));
const afterOneStep = train(example('scalar-network'), 1);
const rates = sweepValues('digits-learning-rates', 'optimizer.lr') as number[];
const epochs = sweepValues('digits-learning-rates', 'epochs')[0] as number;
const atRate = (lr: number): Record<string, unknown> => ({ 'optimizer.lr': lr, epochs });
const SEEDS = sweepValues('digits-learning-rates', 'seed') as number[];

/** The long run, after half of its epochs and at the end. */
const longRun = (() => {
  const session = example('digits-learning-rates');
  const half = train(session, session.totalSteps / 2).evaluate();
  return { half, end: train(session, session.totalSteps / 2).evaluate() };
})();

/** The share of saturated units of the first layer. */
function saturated(session: TrainingSession): number {
  session.step(true);
  const { network, pass, progress, updateRatios } = session;
  return collectLayerStats(network, pass, progress, new Set(['activations']), updateRatios)[2].activation!.idle!;
}

holdFigures('C', {
  'forward-by-hand': () => ({
    hidden: output(byHand, 1)[0],
    logit: output(byHand, 2)[0],
    probability: output(byHand, 3)[0],
    loss: byHand.loss!,
  }),
  'output-layer-by-hand': () => {
    const [weight, bias] = [gradient(byHand, 'linear2.weight'), gradient(byHand, 'linear2.bias')];
    return { hidden: output(byHand, 1)[0], first: weight[0], second: weight[3], bias0: bias[0], bias1: bias[1] };
  },
  'first-layer-zero': () => ({ gradient: norm(outputGradient(byHand, 1)) }),
  'first-layer-later': () => ({ second: norm(gradient(train(example('scalar-network'), 2), 'linear1.weight')) }),
  'update-by-hand': () => {
    const [weight, bias] = [values(afterOneStep, 'linear2.weight'), values(afterOneStep, 'linear2.bias')];
    return {
      first: weight[0],
      second: weight[3],
      third: weight[1],
      fourth: weight[4],
      bias0: bias[0],
      bias1: bias[1],
    };
  },
  'softmax-derivative': () => {
    const { value } = runQuery(byHand, { type: 'jacobian', layer: 3, sample: 0 });
    return { same: value!.values[0], other: value!.values[1] };
  },
  'logarithm-derivative': () => {
    const [right, wrong] = outputGradient(byHand, 3);
    return { right, wrong };
  },
  'product-of-derivatives': () => {
    const [first, second] = outputGradient(byHand, 2);
    return { first, second };
  },
  'equal-weights': () => {
    const hidden = output(trained('scalar-network'), 1);
    return { difference: Math.max(...hidden) - Math.min(...hidden) };
  },
  'online-descent': () => {
    const session = trained('blobs-online');
    return {
      steps: session.totalSteps,
      start: example('blobs-online').evaluate().train!.loss,
      end: session.evaluate().train!.loss,
    };
  },
  zigzag: () => {
    const session = example('blobs-online');
    const losses = Array.from({ length: session.model.batchesPerEpoch }, () => train(session, 1).loss!);
    return { low: Math.min(...losses), high: Math.max(...losses) };
  },
  'sigmoid-derivative': () => ({
    derivative: runQuery(byHand, { type: 'jacobian', layer: 1, sample: 0 }).value!.values[0],
  }),
  'divide-by-255': () => {
    const inputs = [...example('digits-learning-rates').run.dataset.inputs];
    return { low: inputs.reduce((a, b) => Math.min(a, b)), high: inputs.reduce((a, b) => Math.max(a, b)) };
  },
  'digits-network': () => {
    const { parameterCount } = example('digits-learning-rates').model;
    // 300 weights for each further pixel.
    return { digits: parameterCount, mnist: parameterCount + 300 * (784 - 64) };
  },
  'batch-of-50': () => {
    const { samples, batchesPerEpoch } = example('digits-learning-rates').model;
    return { samples: samples.train, steps: batchesPerEpoch };
  },
  'rate-order': () => {
    const [r1, r2, r3, r4] = rates.map((lr) => meanOver(SEEDS, 'digits-learning-rates', atRate(lr), 'validation'));
    const [s1, s2, s3, s4] = rates.map((lr) => spreadOver(SEEDS, 'digits-learning-rates', atRate(lr), 'validation'));
    return { r1, s1, r2, s2, r3, s3, r4, s4 };
  },
  'several-runs': () => {
    const accuracies = SEEDS.map(
      (seed) => trained('digits-learning-rates', { ...atRate(0.1), seed }).evaluate().validation!.accuracy!,
    );
    return { low: Math.min(...accuracies), high: Math.max(...accuracies) };
  },
  'rate-too-large': () => ({ loss: trained('digits-learning-rates', atRate(100)).evaluate().train!.loss }),
  'long-run': () => ({
    train: longRun.end.train!.accuracy!,
    test: longRun.end.test!.accuracy!,
    middle: longRun.half.train!.loss,
    end: longRun.end.train!.loss,
    slow: trained('digits-learning-rates', { 'optimizer.lr': 0.004 }).evaluate().train!.loss,
  }),
  'loss-and-accuracy': () => ({
    accuracy: Math.min(longRun.half.validation!.accuracy!, longRun.end.validation!.accuracy!),
    lossBefore: longRun.half.validation!.loss,
    lossAfter: longRun.end.validation!.loss,
  }),
  'saturated-start': () => {
    const wrong = trained('saturated-start').evaluate();
    const right = trained('saturated-start', { 'layers.1.init': 'fan_in_uniform' }).evaluate();
    return {
      idle: saturated(example('saturated-start')),
      wrong: wrong.train!.accuracy!,
      wrongTest: wrong.test!.accuracy!,
      right: right.train!.accuracy!,
      rightTest: right.test!.accuracy!,
    };
  },
  'good-start': () => {
    const weights = values(example('digits-learning-rates'), 'linear1.weight');
    return { deviation: Math.sqrt(mean(weights.map((each) => each ** 2)) - mean(weights) ** 2) };
  },
  'hand-network': () => ({ gradient: norm(gradient(byHand, 'linear1.weight')) }),
  'wrong-loss-scale': () => {
    const { diagnosis, counts } = gradientCheckReport(example('wrong-loss-scale'));
    return { factor: diagnosis!.factor!, wrong: counts.wrong, small: counts.below_noise };
  },
  'clipped-probabilities': () => ({
    pass: gradientCheckReport(example('wrong-clipped-probabilities')).counts.pass,
    wrong: gradientCheckReport(trained('wrong-clipped-probabilities')).counts.wrong,
  }),
  'output-minus-target': () => {
    const [o0, o1] = outputGradient(byHand, 3);
    const [s0, s1] = outputGradient(byHand, 2);
    const { wrong, below_noise: small } = gradientCheckReport(example('wrong-probability-gradient')).counts;
    return { o0, o1, s0, s1, wrong, small };
  },
});

describe('rules of course C', () => {
  it.each(['train', 'validation'] as const)('four-rates: the %s loss falls from each rate to the next', (part) => {
    const losses = rates.map((lr) => meanOver(SEEDS, 'digits-learning-rates', atRate(lr), part));
    expect([...losses].sort((a, b) => b - a)).toEqual(losses);
  });
});
