// The check as a whole: what it computes, what it does not change, what it reports.
import { VERDICTS } from '../../src/protocol/check-report';
import { describe, expect, it } from 'vitest';
import type { TensorData } from '../../src/engine/kernels/tensor';
import { GradientCheck, MAX_POINTS } from '../../src/gradcheck';
import { checkNet, linear, makeNet, type Net, OPTIONS, type NetRecipe } from './nets';

const bits = (data: TensorData): string => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');

/** All bits of the network and of the batch that a check could change. */
function allBits({ network, pass }: Net): string[] {
  const tensors = [
    pass.input,
    pass.target,
    ...pass.outputs,
    ...pass.outputGradients,
    ...network.parameters.flatMap(({ value, gradient, previous, optimizerState }) => [
      value,
      gradient,
      previous,
      ...optimizerState,
    ]),
  ];
  return tensors.map(({ data }) => bits(data));
}

const small: NetRecipe = {
  inputs: 3,
  batch: 4,
  loss: 'cross_entropy',
  layers: [linear(4), { kind: 'tanh' }, linear(3)],
  seed: 5,
};

/** Textbook central differences: two forward passes of the whole network for each entry. */
function textbookDifferences({ network, pass }: Net, h: number) {
  network.zeroGradients();
  pass.evaluate();
  pass.lossBackward();
  for (let layer = pass.outputs.length - 1; layer >= 0; layer--) pass.backward(layer);
  return network.parameters.map(({ name, value, gradient }) => {
    const numeric = Array.from(value.data, (start, i) => {
      const step = h * Math.max(1, Math.abs(start));
      value.data[i] = start + step;
      const above = pass.evaluate();
      value.data[i] = start - step;
      const below = pass.evaluate();
      value.data[i] = start;
      return (above - below) / (start + step - (start - step));
    });
    return { name, numeric, analytic: Array.from(gradient.data) };
  });
}

describe('a gradient check', () => {
  it('matches textbook central differences, entry by entry', () => {
    const net = makeNet(small);
    // Bitwise, so on the kernels of the textbook differences.
    const report = checkNet(net, {}, 'reference');
    const expected = textbookDifferences(net, OPTIONS.step);
    // The check computes only what an entry reaches, so they differ by the loss's round-off divided by the step.
    const numeric = expected.flatMap((parameter) => parameter.numeric);
    expect(report.points.numeric).toHaveLength(numeric.length);
    numeric.forEach((value, i) => expect(Math.abs(report.points.numeric[i] - value)).toBeLessThan(1e-10));
    expect(Array.from(report.points.analytic)).toEqual(expected.flatMap(({ analytic }) => analytic));
    report.parameters.forEach(({ worst, shape }, i) => {
      const { analytic } = expected[i];
      const first = expected.slice(0, i).reduce((sum, before) => sum + before.analytic.length, 0);
      const numeric = Array.from(report.points.numeric.subarray(first, first + analytic.length));
      const errors = analytic.map((a, j) => Math.abs(a - numeric[j]) / Math.max(Math.abs(a), Math.abs(numeric[j])));
      const largest = Math.max(...errors);
      const at = errors.indexOf(largest);
      expect(worst).toEqual({
        index: shape.length === 1 ? [at] : [Math.floor(at / shape[1]), at % shape[1]],
        analytic: analytic[at],
        numeric: numeric[at],
        relativeError: largest,
        verdict: 'pass',
      });
    });
  });

  it('does not change the network that trains, nor is changed by it', () => {
    const net = makeNet(small);
    net.pass.evaluate();
    net.pass.lossBackward();
    const before = allBits(net);
    const check = new GradientCheck({ ...net, step: 7, options: OPTIONS });
    while (check.advance(3));
    expect(allBits(net)).toEqual(before);

    const later = new GradientCheck({ ...net, step: 7, options: OPTIONS });
    later.advance(5);
    for (const { value } of net.network.parameters) value.data.fill(9);
    net.pass.input.data.fill(9);
    net.pass.target.data.fill(9);
    while (later.advance(3));
    expect(later.report()).toEqual(check.report());
  });

  it('of a float32 network is as accurate as of a float64 one', () => {
    const report = checkNet(makeNet({ ...small, precision: 'float32' }));
    expect(report.counts).toMatchObject({ pass: report.entries });
    for (const { worst } of report.parameters) expect(worst?.relativeError).toBeLessThan(1e-7);
  });

  it('checks frozen parameters too', () => {
    const [first, ...rest] = small.layers;
    const report = checkNet(makeNet({ ...small, layers: [{ ...first, freeze: ['weight', 'bias'] }, ...rest] }));
    expect(report.counts.pass).toBe(report.entries);
  });

  it('advances by the requested number of entries, and reports its progress', () => {
    const check = new GradientCheck({ ...makeNet(small), step: 0, options: OPTIONS });
    expect(check.entries).toBe(4 * 3 + 4 + 3 * 4 + 3);
    expect(check.checked).toBe(0);
    expect(check.advance(10)).toBe(true);
    expect(check.checked).toBe(10);
    // All entries are done; the checks in isolation follow.
    expect(check.advance(1000)).toBe(true);
    expect(check.checked).toBe(check.entries);
    while (check.advance(1000));
    expect(check.advance(1)).toBe(false);
  });

  it('that is cancelled says so, and has covered each tensor evenly', () => {
    const net = makeNet({ ...small, inputs: 50, layers: [linear(10)] });
    const check = new GradientCheck({ ...net, step: 3, options: OPTIONS });
    check.advance(100);
    const report = check.report();
    expect(report).toMatchObject({ complete: false, checked: 100, entries: 510, samples: 4, step: 3, passed: true });
    expect(report.parameters.map(({ checked }) => checked)).toEqual([100, 0]);
    expect(report.parameters[1]).toMatchObject({ worst: null, counts: { pass: 0, wrong: 0, kink: 0, below_noise: 0 } });
    expect(report.points.numeric).toHaveLength(100);
    while (check.advance(100));
    expect(check.report()).toMatchObject({ complete: true, checked: 510, counts: { pass: 510 } });
  });

  it('that is cancelled before its first entry does not pass', () => {
    const report = new GradientCheck({ ...makeNet(small), step: 0, options: OPTIONS }).report();
    expect(report).toMatchObject({ complete: false, passed: false, checked: 0 });
    expect(report.parameters.every(({ verdict }) => verdict === 'below_noise')).toBe(true);
  });

  it('reports counts that add up, and its options', () => {
    const report = checkNet(makeNet({ ...small, layers: [linear(6), { kind: 'relu' }, linear(3)] }), { step: 1e-3 });
    expect(report.options).toEqual({ ...OPTIONS, step: 1e-3 });
    for (const verdict of VERDICTS) {
      expect(report.parameters.reduce((sum, { counts }) => sum + counts[verdict], 0)).toBe(report.counts[verdict]);
    }
    expect(Object.values(report.counts).reduce((a, b) => a + b)).toBe(report.checked);
  });
});

describe('the points of a report', () => {
  const big: NetRecipe = { inputs: 90, batch: 1, loss: 'mse', layers: [linear(50)], seed: 2 };

  it('are an even sample if there are too many entries', () => {
    const { points, entries } = checkNet(makeNet(big));
    expect(entries).toBe(4550);
    expect(points.analytic).toHaveLength(MAX_POINTS);
    expect(points.numeric).toHaveLength(MAX_POINTS);
    expect(points.verdict).toHaveLength(MAX_POINTS);
    // 50 of 4,550 entries are biases.
    const biases = points.parameter.filter((parameter) => parameter === 1).length;
    expect(biases).toBeGreaterThanOrEqual(43);
    expect(biases).toBeLessThanOrEqual(45);
  });

  it('start with every wrong entry', () => {
    const net = makeNet(big);
    const { definition } = net.network.model.layers[0];
    const faulty = makeNet({
      ...big,
      layers: [
        {
          ...linear(50),
          definition: {
            ...definition,
            backward(context) {
              definition.backward(context);
              for (let i = 4000; i < 4010; i++) context.gradParameters.weight.data[i] *= 2;
            },
          },
        },
      ],
    });
    const { points, counts } = checkNet(faulty);
    expect(counts.wrong).toBe(10);
    const wrong = VERDICTS.indexOf('wrong');
    expect(Array.from(points.verdict.subarray(0, 10))).toEqual(Array(10).fill(wrong));
    expect(points.verdict.subarray(10).includes(wrong)).toBe(false);
    expect(points.verdict).toHaveLength(MAX_POINTS);
  });
});

describe('inconclusive differences', () => {
  /** System C: two hidden units whose outgoing weights are equal. */
  const systemC = () => {
    const net = makeNet({
      inputs: 2,
      batch: 1,
      loss: 'cross_entropy_on_probabilities',
      layers: [
        linear(3, {
          weight: [
            [1, -1],
            [1, -1],
            [1, -1],
          ],
          bias: [0, 0, 0],
        }),
        { kind: 'sigmoid' },
        linear(2, {
          weight: [
            [1, -1, -1],
            [1, -1, -1],
          ],
          bias: [0, 0],
        }),
        { kind: 'softmax' },
      ],
    });
    net.pass.input.data.set([1, -1]);
    net.pass.target.data.set([1, 0]);
    return net;
  };

  it("are called below noise and not a pass: system C's first layer", () => {
    const report = checkNet(systemC());
    expect(report.parameters.map(({ name, verdict }) => [name, verdict])).toEqual([
      ['linear1.weight', 'below_noise'],
      ['linear1.bias', 'below_noise'],
      ['linear2.weight', 'pass'],
      ['linear2.bias', 'pass'],
    ]);
    expect(report.counts).toEqual({ pass: 8, wrong: 0, kink: 0, below_noise: 9 });
    expect(report.parameters[0].worst).toBeNull();
    expect(report.passed).toBe(true);
  });

  it('do not pass a network in which nothing is conclusive', () => {
    const report = checkNet(makeNet({ ...small, spread: 0, layers: [linear(3, { bias: false })] }));
    expect(report.counts).toEqual({ pass: 0, wrong: 0, kink: 0, below_noise: 9 });
    expect(report.passed).toBe(false);
  });

  it('never pass two values that are both within the absolute tolerance', () => {
    const report = checkNet(makeNet(small), { atol: 10 });
    expect(report.counts).toMatchObject({ pass: 0, below_noise: report.entries });
    expect(report.passed).toBe(false);
  });

  it('have no verdict if the loss is infinite or NaN', () => {
    const net = makeNet({ ...small, loss: 'cross_entropy_on_probabilities', layers: [linear(3), { kind: 'softmax' }] });
    net.pass.input.data.fill(NaN);
    const report = checkNet(net);
    expect(report.loss).toBeNaN();
    expect(report.counts).toEqual({ pass: 0, wrong: 0, kink: 0, below_noise: 12 });
    expect(report.passed).toBe(false);
  });

  it('become conclusive with a longer step when round-off hides a gradient at a short one', () => {
    const net = makeNet({
      ...small,
      layers: [
        linear(4, { init: { type: 'normal', std: 1e-4 } }),
        { kind: 'tanh' },
        linear(3, { init: { type: 'normal', std: 1e-4 } }),
      ],
    });
    const short = checkNet(net, { step: 1e-9, atol: 0 });
    const long = checkNet(net, { step: 6e-6, atol: 0 });
    expect(short.counts.below_noise).toBeGreaterThan(long.counts.below_noise);
    expect(long.counts.pass).toBe(long.entries);
    expect(short.counts.wrong).toBe(0);
  });

  it('are detected, and steps shrunk, when large numbers cancel inside the network', () => {
    // Both hidden units are about 1e8 and only their difference matters: the loss is uncertain by 1e-8, and so steep
    // that the usual step skips the relevant range.
    const net = makeNet({
      inputs: 2,
      batch: 3,
      loss: 'mse',
      seed: 3,
      layers: [
        linear(2, {
          weight: [
            [0.1, 0.2],
            [0.1, 0.2],
          ],
          bias: [1e8, 1e8],
        }),
        { kind: 'identity' },
        linear(1, { weight: [[1, -1]], bias: [0.25] }),
        { kind: 'tanh' },
      ],
    });
    const report = checkNet(net);
    expect(report.counts.wrong).toBe(0);
    expect(report.counts.wrong).toBe(0);
    expect(report.counts.below_noise).toBeGreaterThan(0);
  });
});
