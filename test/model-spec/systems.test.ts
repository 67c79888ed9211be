// The numbers of five course works, from the examples that demonstrate them. Others are in examples.test.ts (circles,
// system C by hand), four-levels.test.ts, test/process/sweep-systems.test.ts and test/session/step-queries.test.ts.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { runQuery } from '../../src/session/queries';
import { collectLayerStats } from '../../src/session/layer-stats';
import type { TrainingSession } from '../../src/session/session';
import '../support/allclose';
import {
  exampleWith,
  gradientCheckReport,
  example,
  gradient,
  openExample,
  advanceToUpdate,
  train,
  values,
} from '../support/examples';
import { expectMentions } from './marked-text';

const output = (session: TrainingSession, layer: number): number[] => [...session.pass.outputs[layer].data];
const outputGradient = (session: TrainingSession, layer: number): number[] => [
  ...session.pass.outputGradients[layer].data,
];

/** The Jacobian of a layer for the first sample of the batch, as rows. */
function jacobian(session: TrainingSession, layer: number): number[][] {
  const { value } = runQuery(session, { type: 'jacobian', layer, sample: session.batch.order[session.batch.from] });
  if (!value) throw new Error('no answer');
  return Array.from({ length: value.outputs }, (_, i) => [
    ...value.values.slice(i * value.inputs, (i + 1) * value.inputs),
  ]);
}

const diagonal = (entries: readonly number[]): number[][] =>
  entries.map((entry, i) => entries.map((_, j) => (i === j ? entry : 0)));

describe('system A', () => {
  it('ReLU instead of tanh: the same start and data, another derivative, and it learns', () => {
    const [tanh, relu] = [advanceToUpdate(example('circles')), advanceToUpdate(example('circles-relu'))];
    expect(values(relu, 'hidden.weight')).toEqual(values(tanh, 'hidden.weight'));
    expect(output(relu, 0)).toEqual(output(tanh, 0));
    const [s, dh] = [output(relu, 0), outputGradient(relu, 1)];
    expect(outputGradient(relu, 0)).toEqual(dh.map((g, i) => (s[i] > 0 ? g : 0)));
    const h = output(tanh, 1);
    expect(outputGradient(tanh, 0)).toBeAllclose(
      outputGradient(tanh, 1).map((g, i) => g * (1 - h[i] ** 2)),
      { rtol: 1e-5, atol: 1e-9 },
    );
    expect(train(example('circles-relu')).evaluate().test!.accuracy).toBeGreaterThan(0.9);
  });

  it('cross-entropy at logits of ±10000 stays finite fused, but not as separate steps', () => {
    const fused = advanceToUpdate(example('large-logits'));
    expect(fused.loss).toBe(20000);
    expect(outputGradient(fused, 0)).toEqual([1, -1]);
    expect(gradientCheckReport(fused).passed).toBe(true);
    expect(train(example('large-logits')).evaluate().train!.accuracy).toBe(1);
    const separate = advanceToUpdate(example('large-logits-separate'));
    expect(output(separate, 1)).toEqual([1, 0]);
    expect(separate.loss).toBe(Infinity);
    expect(outputGradient(separate, 1)[1]).toBe(-Infinity);
  });

  it('squared error on probabilities: the gradient follows from the chain rule through softmax', () => {
    const session = advanceToUpdate(example('circles-mse'));
    const [p, target] = [output(session, 3), [...session.pass.target.data]];
    const dp = p.map((each, i) => (2 * (each - target[i])) / p.length);
    expect(outputGradient(session, 3)).toBeAllclose(dp, { rtol: 1e-5, atol: 1e-9 });
    const through = p.map((each, i) => {
      const row = i - (i % 2);
      return each * (dp[i] - dp[row] * p[row] - dp[row + 1] * p[row + 1]);
    });
    expect(outputGradient(session, 2)).toBeAllclose(through, { rtol: 1e-4, atol: 1e-8 });
  });
});

describe('system B', () => {
  it("a fully connected layer is a convolution with a kernel of the image's size", () => {
    const [connected, convolved] = [example('softmax-regression'), example('softmax-regression-as-convolution')];
    expect(values(convolved, 'logits.weight')).toEqual(values(connected, 'logits.weight'));
    const counts = [connected, convolved].map(
      ({ model }) => model.layers.find(({ name }) => name === 'logits')!.figures,
    );
    // c_out (c_in k² + 1), here 10 · (8² + 1); the same for a fully connected layer.
    expect(counts.map(({ parameters, macs, dense }) => [parameters, macs, dense])).toEqual([
      [650, 640, 650],
      [650, 640, 650],
    ]);
    for (const session of [connected, convolved]) advanceToUpdate(session);
    expect(gradient(convolved, 'logits.weight')).toBeAllclose(gradient(connected, 'logits.weight'), {
      rtol: 1e-4,
      atol: 1e-7,
    });
    expect(train(connected).evaluate().test!.loss).toBeCloseTo(train(convolved).evaluate().test!.loss, 5);
  });
});

describe('system B, around the network', () => {
  it('whitening, a crop, dropout, Nesterov and a schedule: recognizes unseen digits, with the rate dropped twice', () => {
    const session = example('digits-whitened');
    expect(session.lr).toBe(0.02);
    const parts = train(session).evaluate();
    expect(session.lr).toBeCloseTo(0.02 * 0.33 ** 2, 12);
    for (const part of ['train', 'validation', 'test'] as const) expect(parts[part]!.accuracy).toBeGreaterThan(0.9);
  });
});

describe('system C', () => {
  it('explains in a sentence and in terms that cancel why the first layer gets no gradient', () => {
    const { session, problems } = openExample('scalar-network');
    expectMentions(problems.find(({ code }) => code === 'equal-outgoing')?.message ?? '', ['linear2', '2 classes']);
    advanceToUpdate(session);
    expect(outputGradient(session, 2)).toBeAllclose([-0.5, 0.5]);
    for (const [unit, weight] of [1, -1, -1].entries()) {
      const { value: answer } = runQuery(session, {
        type: 'attribution',
        node: { of: 'output_gradient', layer: 1 },
        index: unit,
        sample: null,
      });
      expect(answer).toMatchObject({ value: 0, kind: 'sum', termCount: 2, remainder: 0 });
      expect(answer!.terms.map(({ factors }) => factors.map(({ value }) => value)).sort(([a], [b]) => a - b)).toEqual([
        [-0.5, weight],
        [0.5, weight],
      ]);
    }
  });

  it('local derivatives of softmax and of the logarithm, and their product', () => {
    const session = advanceToUpdate(example('scalar-network'));
    // Both logits are equal: y = (1/2, 1/2).
    expect(jacobian(session, 3)).toEqual([
      [0.25, -0.25],
      [-0.25, 0.25],
    ]);
    // -1/y_c at the target only.
    expect(outputGradient(session, 3)).toBeAllclose([-2, 0]);
    expect(outputGradient(session, 2)).toBeAllclose([0.5 - 1, 0.5]);
  });

  it('online descent at a rate of 0.05 for 500 epochs decreases the loss, one sample per step', () => {
    const session = example('blobs-online');
    expect(session.model).toMatchObject({ batchSize: 1, epochs: 500, batchesPerEpoch: 20, totalSteps: 10_000 });
    expect(session.lr).toBe(0.05);
    const losses = [session.evaluate().train!.loss];
    for (let i = 0; i < 4; i++) losses.push(train(session, 2500).evaluate().train!.loss);
    expect([...losses].sort((a, b) => b - a)).toEqual(losses);
    expect(losses.at(-1)).toBeLessThan(0.01);
    expect(session.evaluate().train!.accuracy).toBe(1);
  });

  it('a loss divided by the number of classes, but not its gradient: explained as 10 times', () => {
    const { diagnosis, autograd, counts } = gradientCheckReport(example('wrong-loss-scale'));
    expect(counts.wrong).toBeGreaterThan(400);
    expect(counts.pass).toBe(0);
    expect(diagnosis).toMatchObject({
      layer: 'log',
      tensor: 'input',
      cause: 'factor',
      factor: 10,
      dimension: { size: 10 },
    });
    expect(diagnosis?.sentence).toContain('The backward is at scaled-log.layer.ts:11:13.');
    expect(autograd?.[0].sentence).toContain('the manual backward is wrong');
  });

  it('clipped probabilities: right in the network at first, then a gradient where the loss is flat', () => {
    const session = example('wrong-clipped-probabilities');
    // No probability is clipped yet: the layer is wrong in isolation, for made-up inputs.
    const first = gradientCheckReport(session);
    expect(first).toMatchObject({
      passed: false,
      counts: { wrong: 0 },
      diagnosis: { layer: 'log', tensor: 'input', cause: 'flat', misled: [] },
    });
    expect(first.layers.find(({ name }) => name === 'log')?.probe).toBeDefined();
    train(session);
    const p = output(session, 1);
    expect(p.every((each) => each < 0.0001 || each > 0.9999)).toBe(true);
    const { diagnosis, counts } = gradientCheckReport(session);
    expect(counts).toMatchObject({ pass: 0, wrong: 6 });
    expect(diagnosis).toMatchObject({ layer: 'log', tensor: 'input', cause: 'flat' });
    expect(diagnosis?.sentence).toContain('clipped-log.layer.ts:11:13');
  });

  it('weights around 1 saturate every sigmoid at the start, reported before and after the first step', () => {
    const { session, problems } = openExample('saturated-start');
    expect(problems.map(({ code }) => code)).toEqual(['weights-one-sided']);
    expectMentions(problems[0].message, ['linear1', '1', 'sigmoid1']);
    const idle = (of: TrainingSession): number => {
      of.step(true);
      expect(of.model.layers[2].idleness?.name).toBe('saturated');
      return collectLayerStats(of.network, of.pass, of.progress, new Set(['activations']), of.updateRatios)[2]
        .activation!.idle!;
    };
    expect(idle(session)).toBe(1);
    expect(train(session, session.totalSteps - 1).evaluate().train!.accuracy).toBeLessThan(0.2);
    const plain = exampleWith('saturated-start', ', "init": { "type": "normal", "mean": 1, "std": 0.1 }', '');
    expect(idle(plain)).toBe(0);
    expect(train(plain, plain.totalSteps - 1).evaluate().train!.accuracy).toBeGreaterThan(0.7);
  });
});

describe('system D', () => {
  it('softmax regression: initial weights of deviation 1/√n, probabilities that sum to 1, gradient y - onehot', () => {
    const session = example('softmax-regression');
    const weights = values(session, 'logits.weight');
    const deviation = Math.sqrt(weights.reduce((sum, w) => sum + w * w, 0) / weights.length);
    expect(Math.abs(deviation * Math.sqrt(64) - 1)).toBeLessThan(0.1);
    advanceToUpdate(session);
    const [p, target] = [output(session, 2), [...session.pass.target.data]];
    for (let row = 0; row < p.length; row += 10)
      expect(p.slice(row, row + 10).reduce((a, b) => a + b)).toBeCloseTo(1, 6);
    expect(outputGradient(session, 1)).toBeAllclose(
      p.map((each, i) => (each - target[i]) / 50),
      { rtol: 1e-4, atol: 1e-8 },
    );
    const parts = train(session, session.totalSteps - 1).evaluate();
    for (const part of ['train', 'validation', 'test'] as const) expect(parts[part]!.accuracy).toBeGreaterThan(0.95);
  });

  it('the backward pass as a list of nodes, each with its value by the chain rule', () => {
    const session = advanceToUpdate(example('node-by-node'));
    const sample = session.batch.order[session.batch.from];
    const { nodes } = runQuery(session, { type: 'step_graph', sample }).value!;
    const name = ({ id }: (typeof nodes)[number]): string => {
      const layer = 'layer' in id ? session.model.layers[id.layer].name : '';
      return 'parameter' in id ? `${id.of} of ${layer}` : `${id.of} ${layer}`.trim();
    };
    const order = nodes.map(name);
    const backward = order.slice(
      order.indexOf('target') + 1,
      order.findIndex((each) => each.startsWith('update')),
    );
    // y^, b2, z4 = z3 W2, W2, z3, z2, b1, z1, W1.
    expect(backward).toEqual([
      'loss',
      'loss_gradient',
      'target_gradient',
      'output_gradient ŷ',
      'parameter_gradient of ŷ',
      'output_gradient z4',
      'parameter_gradient of z4',
      'output_gradient z3',
      'output_gradient z2',
      'parameter_gradient of z2',
      'output_gradient z1',
      'parameter_gradient of z1',
      'input_gradient',
    ]);
    expect(nodes.flatMap(({ formula }) => formula?.text ?? [])).toEqual([
      'z1 = x W1',
      'z2 = z1 + b1',
      'z3 = σ(z2)',
      'z4 = z3 W2',
      'ŷ = z4 + b2',
      'l = Σ (ŷ - y)² / (N K)',
      '∂l/∂l = 1',
      '∂l/∂y = 2 (y - ŷ) / (N K)',
      '∂l/∂ŷ = 2 (ŷ - y) / (N K)',
      '∂l/∂b2 = Σ_{samples} ∂l/∂ŷ',
      '∂l/∂z4 = ∂l/∂ŷ',
      '∂l/∂W2 = z3ᵀ ∂l/∂z4',
      '∂l/∂z3 = ∂l/∂z4 W2ᵀ',
      '∂l/∂z2 = ∂l/∂z3 ⊙ z3 ⊙ (1 - z3)',
      '∂l/∂b1 = Σ_{samples} ∂l/∂z2',
      '∂l/∂z1 = ∂l/∂z2',
      '∂l/∂W1 = xᵀ ∂l/∂z1',
      '∂l/∂x = ∂l/∂z1 W1ᵀ',
    ]);
    const [n, units] = [20, 4];
    const x = [...session.pass.input.data];
    const target = [...session.pass.target.data];
    const W2 = values(session, 'z4.W2');
    const z3 = output(session, 2);
    // Row by row, as on paper: l = mean (ŷ - y)².
    const dy = output(session, 4).map((y, i) => (2 * (y - target[i])) / n);
    const sum = (of: readonly number[], width: number): number[] =>
      Array.from({ length: width }, (_, j) => of.filter((__, i) => i % width === j).reduce((a, b) => a + b, 0));
    const dz3 = z3.map((_, i) => dy[Math.floor(i / units)] * W2[i % units]);
    const dz2 = dz3.map((g, i) => g * z3[i] * (1 - z3[i]));
    expect(outputGradient(session, 4)).toBeAllclose(dy);
    expect(gradient(session, 'ŷ.b2')).toBeAllclose(sum(dy, 1));
    expect(gradient(session, 'z4.W2')).toBeAllclose(
      sum(
        z3.map((z, i) => z * dy[Math.floor(i / units)]),
        units,
      ),
    );
    expect(outputGradient(session, 2)).toBeAllclose(dz3);
    expect(outputGradient(session, 0)).toBeAllclose(dz2);
    expect(gradient(session, 'z2.b1')).toBeAllclose(sum(dz2, units));
    expect(gradient(session, 'z1.W1')).toBeAllclose(
      sum(
        dz2.map((g, i) => g * x[Math.floor(i / units)]),
        units,
      ),
    );
    expect(nodes.find((node) => name(node) === 'parameter_gradient of z4')).toMatchObject({ shape: [4, 1] });
  });
});

describe('system E', () => {
  const pairs = [
    ['two-layers-relu', (s: number) => (s > 0 ? 5 : 0), () => 1],
    ['two-layers-tanh-sigmoid', (s: number) => 1 - Math.tanh(s) ** 2, (y: number) => y * (1 - y)],
    ['two-layers-tanh-bce', (s: number) => 1 - Math.tanh(s) ** 2, (y: number) => y * (1 - y)],
    ['two-layers-relu-bce', (s: number) => (s > 0 ? 1 : 0), (y: number) => y * (1 - y)],
  ] as const;

  it.each(pairs)('%s: da/ds, dŷ/ds and dC/dŷ as in the course', (name, f, g) => {
    const session = advanceToUpdate(example(name));
    const [s1, y] = [output(session, 0).slice(0, 3), output(session, 3)];
    expect(jacobian(session, 1).flat()).toBeAllclose(diagonal(s1.map(f)).flat());
    expect(jacobian(session, 3).flat()).toBeAllclose(diagonal(y.slice(0, 2).map(g)).flat());
    // ∂s₂/∂W₂ has one block for each row of W₂: the input a₁ where the row is the unit's, else zeros; ∂s₂/∂b₂ = I.
    const sample = session.batch.order[session.batch.from];
    const { parameters } = runQuery(session, { type: 'jacobian', layer: 2, sample }).value!;
    const a1 = output(session, 1).slice(0, 3);
    expect(parameters.map(({ name }) => name)).toEqual(['linear2.weight', 'linear2.bias']);
    expect(parameters[0].values).toBeAllclose([...a1, 0, 0, 0, 0, 0, 0, ...a1]);
    expect(parameters[1].values).toBeAllclose([1, 0, 0, 1]);
    const target = [...session.pass.target.data];
    const rows = session.pass.batchSize;
    const dC = name.endsWith('bce')
      ? // 1/K Σ over the outputs, and the mean over the batch.
        y.map((p, i) => (p - target[i]) / (p * (1 - p)) / 2 / rows)
      : y.map((each, i) => (2 * (each - target[i])) / rows);
    expect(outputGradient(session, 3)).toBeAllclose(dC);
  });

  it('names the five phases of an iteration in order', () => {
    const kinds = example('two-layers-relu').model.phases.map(({ kind }) => kind);
    expect(kinds.filter((kind, i) => kind !== kinds[i - 1])).toEqual([
      'zero_grad',
      'forward',
      'loss',
      'loss_backward',
      'backward',
      'update',
    ]);
  });

  it('softmax of k x approaches the argmax as k grows: the rest shrinks like exp(-k · gap)', () => {
    for (const k of [0, 1, 10, 100]) {
      const session = advanceToUpdate(exampleWith('soft-argmax', '"start": 1', `"start": ${k}`));
      const p = output(session, 1);
      [0, 1, 2, 3].forEach((row) => {
        const x = [...session.pass.input.data.slice(3 * row, 3 * row + 3)];
        const own = p.slice(3 * row, 3 * row + 3);
        const [first, second] = [...x].sort((a, b) => b - a);
        const most = x.indexOf(first);
        if (k === 0) expect(own).toBeAllclose([1 / 3, 1 / 3, 1 / 3]);
        const missing = 1 - own[most];
        expect(missing).toBeLessThanOrEqual(2 * Math.exp(-k * (first - second)) + 1e-15);
        expect(missing + 1e-15).toBeGreaterThanOrEqual(Math.exp(-k * (first - second)) / 3);
      });
    }
    const session = example('soft-argmax');
    const ks = [1];
    for (let i = 0; i < 5; i++) ks.push(values(train(session, 100), 'scaled.k')[0]);
    const gains = ks.slice(1).map((k, i) => k - ks[i]);
    // Increasing, but ever more slowly.
    expect([...gains].sort((a, b) => b - a)).toEqual(gains);
    expect(gains.at(-1)).toBeGreaterThan(0);
  });
});

describe('documentation of the systems', () => {
  it.each(['README.md', 'docs/systems.md'])('%s links to files that exist', (file) => {
    const text = path.resolve(__dirname, '../..', file);
    const links = [...readFileSync(text, 'utf8').matchAll(/\]\(([^):#]+)[^)]*\)/g)].map(([, link]) => link);
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter((link) => !existsSync(path.resolve(path.dirname(text), link)))).toEqual([]);
  });
});
