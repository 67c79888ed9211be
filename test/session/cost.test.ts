// What a gradient costs both ways: counts by hand, gradients that agree, and a clock that is given.
import { describe, expect, it } from 'vitest';
import { growModel, GROWING, measureCost } from '../../src/session/cost';
import { runOf } from '../support/run';

const circles = { data: 'circles', layers: [{ type: 'linear', out_features: 3 }, 'sigmoid', { type: 'linear', out_features: 2 }], loss: 'cross_entropy', batch_size: 32 };

/** Every look is a tenth of a second later, so that each forward pass is a piece of its own and takes that long. */
function clock(): () => number {
  let time = 0;
  return () => (time += 100);
}

describe('the cost of a gradient', () => {
  it('is counted', () => {
    const { macs, parameters } = measureCost(runOf(circles), { depth: 1, width: 4 }, clock(), 1e9);
    expect(parameters).toBe(4 * 2 + 4 + 2 * 4 + 2);
    // Forward 4·2 + 2·4 a sample; backward the same for the weights, and for the inputs but those of the first layer.
    expect(macs).toEqual({ backprop: 32 * (16 + 16 + 8), naive: 32 * 16 * 22 });
  });

  it.each(GROWING)('is that of the same gradient both ways, with $depth × $width units', (size) => {
    const cost = measureCost(runOf(circles), size, clock(), 1e9);
    expect(cost.timed).toBe(cost.parameters);
    expect(cost.difference).toBeLessThan(1e-5);
    expect(cost.difference).toBeGreaterThan(0);
  });

  it('is told by proportion where time is short', () => {
    const all = measureCost(runOf(circles), { depth: 1, width: 16 }, clock(), 1e9);
    const some = measureCost(runOf(circles), { depth: 1, width: 16 }, clock(), 5000);
    expect(all.naive).toBeCloseTo(100 * all.parameters, 9);
    expect(some.timed).toBeGreaterThan(0);
    expect(some.timed).toBeLessThan(all.timed);
    expect(some.naive).toBeCloseTo(all.naive, 9);
  });

  it('changes nothing of the run', () => {
    const run = runOf(circles);
    const before = JSON.stringify(run);
    measureCost(run, { depth: 1, width: 4 }, clock(), 5);
    expect(JSON.stringify(run)).toBe(before);
  });
});

describe('the networks', () => {
  const kinds = (spec: object, depth: number): string[] => growModel(runOf(spec), { depth, width: 5 }).layers.map(({ definition, outputShape }) => `${definition.kind} ${outputShape.join('×')}`);

  it('have the activation of the spec, its outputs, and what follows them', () => {
    expect(kinds(circles, 2)).toEqual(['linear 5', 'sigmoid 5', 'linear 5', 'sigmoid 5', 'linear 2']);
    const separate = { ...circles, layers: [...circles.layers, 'softmax'], loss: 'cross_entropy_on_probabilities' };
    expect(kinds(separate, 1)).toEqual(['linear 5', 'sigmoid 5', 'linear 2', 'softmax 2']);
    expect(kinds({ ...circles, layers: [{ type: 'linear', out_features: 2 }] }, 1)).toEqual(['linear 5', 'tanh 5', 'linear 2']);
  });

  it('take images as rows', () => {
    const images = { data: { type: 'images', samples: 20, classes: 3, size: 4, channels: 1 }, layers: [{ type: 'conv2d', out_channels: 2, kernel_size: 3 }, 'relu', 'flatten', { type: 'linear', out_features: 3 }], loss: 'cross_entropy' };
    expect(kinds(images, 1)).toEqual(['flatten 16', 'linear 5', 'relu 5', 'linear 3']);
    expect(measureCost(runOf(images), { depth: 2, width: 4 }, clock(), 1e9).difference).toBeLessThan(1e-5);
  });
});
