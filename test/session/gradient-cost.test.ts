// The cost of a gradient by both methods: counts by hand, matching gradients, and a manual clock.
import { describe, expect, it } from 'vitest';
import { buildModel, NETWORK_SIZES, measureGradientCost } from '../../src/session/gradient-cost';
import { compileRun } from '../support/session-fixtures';

const circles = {
  data: 'circles',
  layers: [{ type: 'linear', out_features: 3 }, 'sigmoid', { type: 'linear', out_features: 2 }],
  loss: 'cross_entropy',
  batch_size: 32,
};

/** Each reading is a tenth of a second later, so that each forward pass is a separate piece of that duration. */
function fakeClock(): () => number {
  let time = 0;
  return () => (time += 100);
}

describe('the cost of a gradient', () => {
  it('is counted in multiply-adds', () => {
    const { macs, parameters } = measureGradientCost(compileRun(circles), { depth: 1, width: 4 }, fakeClock(), 1e9);
    expect(parameters).toBe(4 * 2 + 4 + 2 * 4 + 2);
    // Forward 4·2 + 2·4 per sample; backward the same for the weights, and for the inputs except those of the first
    // layer.
    expect(macs).toEqual({ backprop: 32 * (16 + 16 + 8), naive: 32 * 16 * 22 });
  });

  it.each(NETWORK_SIZES)('is measured for the same gradient by both methods, with $depth × $width units', (size) => {
    const cost = measureGradientCost(compileRun(circles), size, fakeClock(), 1e9);
    expect(cost.timedPasses).toBe(cost.parameters);
    expect(cost.maxRelativeDifference).toBeLessThan(1e-5);
    expect(cost.maxRelativeDifference).toBeGreaterThan(0);
  });

  it('is extrapolated if time is short', () => {
    const all = measureGradientCost(compileRun(circles), { depth: 1, width: 16 }, fakeClock(), 1e9);
    const some = measureGradientCost(compileRun(circles), { depth: 1, width: 16 }, fakeClock(), 5000);
    expect(all.naive).toBeCloseTo(100 * all.parameters, 9);
    expect(some.timedPasses).toBeGreaterThan(0);
    expect(some.timedPasses).toBeLessThan(all.timedPasses);
    expect(some.naive).toBeCloseTo(all.naive, 9);
  });

  it('does not affect the run', () => {
    const run = compileRun(circles);
    const before = JSON.stringify(run);
    measureGradientCost(run, { depth: 1, width: 4 }, fakeClock(), 5);
    expect(JSON.stringify(run)).toBe(before);
  });
});

describe('the networks', () => {
  const kinds = (spec: object, depth: number): string[] =>
    buildModel(compileRun(spec), { depth, width: 5 }).layers.map(
      ({ definition, outputShape }) => `${definition.kind} ${outputShape.join('×')}`,
    );

  it('use the activation of the spec, its outputs, and the layers after them', () => {
    expect(kinds(circles, 2)).toEqual(['linear 5', 'sigmoid 5', 'linear 5', 'sigmoid 5', 'linear 2']);
    const separate = { ...circles, layers: [...circles.layers, 'softmax'], loss: 'cross_entropy_on_probabilities' };
    expect(kinds(separate, 1)).toEqual(['linear 5', 'sigmoid 5', 'linear 2', 'softmax 2']);
    expect(kinds({ ...circles, layers: [{ type: 'linear', out_features: 2 }] }, 1)).toEqual([
      'linear 5',
      'tanh 5',
      'linear 2',
    ]);
  });

  it('accept images as rows', () => {
    const images = {
      data: { type: 'images', samples: 20, classes: 3, size: 4, channels: 1 },
      layers: [
        { type: 'conv2d', out_channels: 2, kernel_size: 3 },
        'relu',
        'flatten',
        { type: 'linear', out_features: 3 },
      ],
      loss: 'cross_entropy',
    };
    expect(kinds(images, 1)).toEqual(['flatten 16', 'linear 5', 'relu 5', 'linear 3']);
    expect(
      measureGradientCost(compileRun(images), { depth: 2, width: 4 }, fakeClock(), 1e9).maxRelativeDifference,
    ).toBeLessThan(1e-5);
  });
});
