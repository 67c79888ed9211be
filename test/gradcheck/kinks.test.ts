// Kinks are recognized, avoided where possible, and never excuse a wrong gradient.
import { describe, expect, it } from 'vitest';
import type { LayerDefinition } from '../../src/engine/layers/layer';
import { losses, type LossKind } from '../../src/engine/losses';
import type { LossDefinition } from '../../src/engine/losses/loss';
import { checkNet, layerOf, linear, makeNet, setParameter } from './nets';

/** z = w x + b, ReLU, times 1; loss is the squared distance from the target. */
function singleUnit(
  weight: number,
  bias: number,
  inputs: readonly number[],
  targets: readonly number[],
  relu = layerOf('relu'),
) {
  const net = makeNet({
    inputs: 1,
    batch: inputs.length,
    loss: 'sum_squared_error',
    layers: [linear(1, { weight: [[weight]], bias: [bias] }), { kind: 'relu', definition: relu }],
  });
  net.pass.input.data.set(inputs);
  net.pass.target.data.set(targets);
  return net;
}

const withDerivativeAtZero = (derivative: number): LayerDefinition => ({
  ...layerOf('relu'),
  backward({ input, gradOutput, gradInput }) {
    gradInput?.data.forEach((_, i) => {
      gradInput.data[i] = gradOutput.data[i] * (input.data[i] === 0 ? derivative : input.data[i] > 0 ? 1 : 0);
    });
  },
});

const withFactor = (factor: number): LayerDefinition => ({
  ...layerOf('relu'),
  backward(context) {
    layerOf('relu').backward(context);
    context.gradInput?.data.forEach((_, i, data) => (data[i] *= factor));
  },
});

describe('exactly on a kink', () => {
  const onKink = (slope: number) => checkNet(singleUnit(1, -2, [2], [-1], withDerivativeAtZero(slope)));

  it('any derivative between the two sides is a kink, not a pass', () => {
    for (const slope of [0, 0.25, 0.75, 1]) {
      const report = onKink(slope);
      expect(report.parameters.map(({ verdict }) => verdict)).toEqual(['kink', 'kink']);
      expect(report.counts.pass).toBe(0);
      expect(report.passed).toBe(false);
    }
  });

  it('a derivative outside of them is wrong', () => {
    for (const slope of [-0.1, 1.1, 5]) expect(onKink(slope).counts.wrong).toBe(2);
  });

  it('units that switch on to different sides do not make a right gradient wrong', () => {
    // Both samples are at 0. To the right of w = 0 the first is on, to the left the second. The derivatives there are
    // -2 and -6 / 2, with the same sign, so backprop's 0 is between neither.
    const net = singleUnit(0, 0, [1, -1], [1, -1.5]);
    const [weight, bias] = checkNet(net).parameters;
    expect(weight.verdict).toBe('kink');
    expect(bias.verdict).toBe('kink');
    const faulty = singleUnit(0, 0, [1, -1], [1, -1.5], withDerivativeAtZero(4));
    expect(checkNet(faulty).parameters[0].verdict).toBe('wrong');
  });

  it('kinks in two layers at once are separated', () => {
    const net = makeNet({
      inputs: 2,
      batch: 4,
      loss: 'mse',
      spread: 0,
      layers: [
        linear(3, { bias_init: 'zeros' }),
        { kind: 'relu' },
        linear(3, { bias_init: 'zeros' }),
        { kind: 'relu' },
        linear(1),
      ],
    });
    const report = checkNet(net);
    expect(report.counts.wrong).toBe(0);
    expect(report.counts.kink).toBeGreaterThan(0);
    expect(report.parameters.at(-1)).toMatchObject({ name: 'linear3.bias', verdict: 'pass' });
  });
});

describe('next to a kink', () => {
  it.each([1e-3, 1e-5, 1e-7, 1e-9])('at a distance of %g, the step is shrunk and the entry judged', (distance) => {
    for (const side of [1, -1]) {
      const net = singleUnit(1, -2 + side * distance, [2, 3], [-1, 5]);
      const report = checkNet(net, { step: 1e-2 });
      expect(report.counts).toEqual({ pass: 2, wrong: 0, kink: 0, below_noise: 0 });
      const faulty = checkNet(singleUnit(1, -2 + side * distance, [2, 3], [-1, 5], withFactor(1.01)), { step: 1e-2 });
      expect(faulty.counts.wrong).toBe(2);
    }
  });

  it("a round-off's distance from a kink does not excuse a wrong gradient either", () => {
    // 0.1 + 0.2 - 0.3 is 5.6e-17: no step fits between it and the kink.
    const net = singleUnit(0.1, 0, [1, 3], [-1, 5]);
    const narrow = () => {
      setParameter(net, 'linear1.weight', [0.1 + 0.2]);
      setParameter(net, 'linear1.bias', [-0.3]);
      return checkNet(net);
    };
    const report = narrow();
    expect(report.counts.wrong).toBe(0);
    expect(report.counts.below_noise).toBe(0);
  });
});

describe('kinks of a loss', () => {
  /** z = w x + b directly into the loss. */
  const straight = (loss: LossKind, bias: number, factor = 1) => {
    const own = losses[loss] as LossDefinition;
    const definition: LossDefinition = {
      ...own,
      gradient(context, gradient) {
        own.gradient(context, gradient);
        gradient.data.forEach((_, i, data) => (data[i] *= factor));
      },
    };
    const net = makeNet({
      inputs: 1,
      batch: 2,
      loss: { definition },
      layers: [linear(1, { weight: [[1]], bias: [bias] })],
    });
    net.pass.input.data.set([2, -1]);
    net.pass.target.data.set([1, loss === 'huber' ? -1.3 : 1]);
    return checkNet(net, { step: 1e-2 });
  };

  // With these biases, the first sample is on the kink: 2 + b = 1, or the margin at 1.
  const seams: [LossKind, number][] = [
    ['mae', -1],
    ['hinge', -1],
    ['huber', 0],
    ['squared_hinge', -1],
  ];

  it('of the hinge: on it, a right gradient is a kink and a wrong one wrong', () => {
    expect(straight('hinge', -1).counts).toEqual({ pass: 0, wrong: 0, kink: 2, below_noise: 0 });
    expect(straight('hinge', -1, 3).counts.wrong).toBe(2);
  });

  it.each(seams)('of %s: on it, a right gradient is not wrong and a wrong one is', (loss, bias) => {
    expect(straight(loss, bias).counts.wrong).toBe(0);
    expect(straight(loss, bias, 4).counts.wrong).toBe(2);
  });

  it.each(seams)('of %s: next to it, the step is shrunk and the entry judged', (loss, bias) => {
    for (const distance of [1e-4, -1e-4, 1e-6, -1e-6]) {
      expect(straight(loss, bias + distance).counts.wrong).toBe(0);
      expect(straight(loss, bias + distance).counts.pass).toBeGreaterThan(0);
      expect(straight(loss, bias + distance, 1.01).counts.wrong).toBeGreaterThan(0);
    }
  });
});

describe('a kink that no layer declares', () => {
  const silent = (factor: number): LayerDefinition => {
    const { crossesKink: _, ...definition } = withFactor(factor);
    return definition;
  };
  const undeclared = (bias: number, factor: number) => checkNet(singleUnit(1, bias, [2], [-1], silent(factor)));

  it('is recognized by its one-sided derivatives when the entry is on it', () => {
    expect(undeclared(-2, 1).counts).toEqual({ pass: 0, wrong: 0, kink: 2, below_noise: 0 });
  });

  it('is avoided when the entry is next to it, and excuses nothing', () => {
    expect(undeclared(-2 + 1e-6, 1).counts).toEqual({ pass: 2, wrong: 0, kink: 0, below_noise: 0 });
    expect(undeclared(-2 + 1e-6, 1.01).counts).toEqual({ pass: 0, wrong: 2, kink: 0, below_noise: 0 });
  });
});
