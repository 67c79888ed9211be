// Shortcuts compared with full forward passes, entry by entry: on random networks, for every layer, and for layers that
// declare less reach than they have.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/engine/kernels/tensor';
import { defineLayer, type LayerDefinition } from '../../src/engine/layers/layer';
import type { LayerKind } from '../../src/engine/layers';
import { noOptions } from '../../src/engine/option-schemas';
import { losses, type LossKind } from '../../src/engine/losses';
import { Float64Replica } from '../../src/gradcheck/float64-replica';
import { requiredOptions, rowLayers } from '../support/layers';
import { checkNet, type LayerRecipe, layerOf, linear, makeNet, type Net, type NetRecipe, OPTIONS } from './nets';

const lossKinds = Object.keys(losses) as LossKind[];

/** y = gain x + shift by feature: a columnwise layer with parameters. */
const affine = defineLayer({
  kind: 'affine',
  summary: 'y = gain x + shift.',
  options: noOptions,
  jacobianStructure: 'columnwise',
  outputShape: (input) => input,
  parameters: (shape) => [
    { name: 'gain', shape, init: { initializer: { type: 'uniform', a: 0.5, b: 1.5 } } },
    { name: 'shift', shape, init: { initializer: { type: 'uniform', a: -0.5, b: 0.5 } } },
  ],
  forward({ parameters: { gain, shift }, input, output }) {
    const n = gain.data.length;
    for (let i = 0; i < output.data.length; i++) output.data[i] = gain.data[i % n] * input.data[i] + shift.data[i % n];
  },
  backward({ parameters: { gain }, input, gradOutput, gradInput, gradParameters }) {
    const n = gain.data.length;
    for (let i = 0; i < gradOutput.data.length; i++) {
      gradParameters.gain.data[i % n] += gradOutput.data[i] * input.data[i];
      gradParameters.shift.data[i % n] += gradOutput.data[i];
      if (gradInput) gradInput.data[i] = gradOutput.data[i] * gain.data[i % n];
    }
  },
}) as LayerDefinition;

function subtractMeans({ shape: [batch], data }: Tensor, out: Tensor): void {
  const n = data.length / batch;
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let i = j; i < data.length; i += n) sum += data[i];
    for (let i = j; i < data.length; i += n) out.data[i] = data[i] - sum / batch;
  }
}

/** Subtracts the batch mean of each feature, which couples the samples of a column. */
const center = defineLayer({
  kind: 'center',
  summary: 'y = x - mean over the batch.',
  options: noOptions,
  jacobianStructure: 'columnwise',
  outputShape: (input) => input,
  forward: ({ input, output }) => subtractMeans(input, output),
  backward({ gradOutput, gradInput }) {
    if (gradInput) subtractMeans(gradOutput, gradInput);
  },
}) as LayerDefinition;

/** The last layers that a loss requires. */
const LAST: Partial<Record<LossKind, readonly LayerRecipe[]>> = {
  bce: [{ kind: 'sigmoid' }],
  cross_entropy_on_probabilities: [{ kind: 'softmax' }],
  nll: [{ kind: 'log_softmax' }],
};

const custom = (definition: LayerDefinition): LayerRecipe => ({ kind: 'identity', definition });

/** Without layers that do not declare what their parameters reach. */
const fastPathKinds = rowLayers.filter(
  (kind) => kind !== 'linear' && (!layerOf(kind).parameters || layerOf(kind).jacobianStructure),
);

const recipeOf = (kind: LayerKind): LayerRecipe => ({ kind, options: { ...requiredOptions(kind) } });

const layer = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 5 }).map((units) => linear(units)) },
  { weight: 3, arbitrary: fc.constantFrom(...fastPathKinds).map(recipeOf) },
  { weight: 1, arbitrary: fc.constantFrom(custom(affine), custom(center)) },
);

const recipes: fc.Arbitrary<NetRecipe> = fc
  .record({
    inputs: fc.integer({ min: 1, max: 4 }),
    hidden: fc.array(layer, { maxLength: 5 }),
    units: fc.integer({ min: 2, max: 4 }),
    loss: fc.constantFrom(...lossKinds),
    batch: fc.integer({ min: 1, max: 6 }),
    seed: fc.nat(),
    penalty: fc.option(fc.record({ l1: fc.constantFrom(0, 0.01), l2: fc.constantFrom(0, 0.1), biases: fc.boolean() }), {
      nil: undefined,
    }),
  })
  .map(({ hidden, units, loss, ...rest }) => {
    return { ...rest, loss, layers: [...hidden, linear(units), ...(LAST[loss] ?? [])] };
  });

/** Derivatives and kinks of every entry by both methods, from the last layer to the first. */
function derivativesBothWays({ network, pass }: Net, step: number) {
  const replica = new Float64Replica({ network, pass, step: 0, options: OPTIONS });
  const order = network.parameters.map((_, i) => i).reverse();
  return order.flatMap((parameter) =>
    Array.from(network.parameters[parameter].value.data, (_, index) => {
      const slice = replica.selectEntry(parameter, index);
      const measure = (forward: { lossAt(value: number): number; crossedKink(): boolean }) => {
        const high = forward.lossAt(slice.start + step);
        const crossedUp = forward.crossedKink();
        const low = forward.lossAt(slice.start - step);
        return { derivative: (high - low) / (2 * step), crossedKink: crossedUp || forward.crossedKink() };
      };
      const result = { usesFastPath: slice.usesFastPath, fast: measure(slice), full: measure(slice.full) };
      slice.release();
      return result;
    }),
  );
}

describe('the incremental forward pass', () => {
  it('equals the full forward pass for every entry of random networks', () => {
    let entries = 0;
    let carried = 0;
    let crossed = 0;
    fc.assert(
      fc.property(recipes, fc.constantFrom(1e-3, 0.1), (recipe, step) => {
        const results = derivativesBothWays(makeNet(recipe), step);
        const largest = Math.max(...results.map(({ full }) => Math.abs(full.derivative)));
        for (const { usesFastPath: short, ...ways } of results) {
          expect(Math.abs(ways.fast.derivative - ways.full.derivative)).toBeLessThanOrEqual(1e-9 * largest);
          expect(ways.fast.crossedKink).toBe(ways.full.crossedKink);
          entries++;
          expect(short).toBe(true);
          if (short) carried++;
          if (ways.full.crossedKink) crossed++;
        }
      }),
      { numRuns: 500, seed: 7 },
    );
    expect(carried).toBe(entries);
    expect(carried).toBeGreaterThan(5_000);
    expect(crossed).toBeGreaterThan(20);
  });

  it.each(rowLayers)('is correct for %s between linear layers, and at both ends', (kind) => {
    const recipe: LayerRecipe = kind === 'linear' ? linear(4) : recipeOf(kind);
    for (const layers of [
      [recipe, linear(4), recipe, linear(3)],
      [linear(5), recipe, linear(3), recipe],
    ]) {
      const results = derivativesBothWays(makeNet({ inputs: 4, batch: 5, loss: 'mse', layers, seed: 2 }), 1e-3);
      const largest = Math.max(...results.map(({ full }) => Math.abs(full.derivative)));
      expect(results.length).toBeGreaterThan(10);
      for (const { fast, full } of results)
        expect(Math.abs(fast.derivative - full.derivative)).toBeLessThanOrEqual(1e-9 * largest);
    }
  });

  it.each<readonly [string, Partial<NetRecipe>]>([
    [
      'a layer that draws by column',
      {
        layers: [
          linear(4),
          { kind: 'dropout', definition: { ...layerOf('dropout'), jacobianStructure: 'columnwise' } },
          linear(3),
        ],
      },
    ],
  ])('goes the plain way with %s, and finds every gradient right', (_, some) => {
    const recipe: NetRecipe = {
      inputs: 4,
      batch: 5,
      loss: 'mse',
      layers: [linear(4), { kind: 'tanh' }, linear(3)],
      seed: 2,
      ...some,
    };
    expect(derivativesBothWays(makeNet(recipe), 1e-3).some(({ usesFastPath }) => usesFastPath)).toBe(false);
    const { counts, compared, entries } = checkNet(makeNet(recipe));
    expect(counts.pass).toBe(entries);
    expect(compared.agreed).toBe(true);
  });

  it('passes entries through a dropout with a fixed mask', () => {
    const net = makeNet({
      inputs: 4,
      batch: 5,
      loss: 'mse',
      layers: [linear(6), { kind: 'dropout' }, { kind: 'gelu' }, linear(3)],
      seed: 2,
    });
    expect(net.pass.masks[1]?.data.some((each) => each === 0)).toBe(true);
    for (const { usesFastPath, fast, full } of derivativesBothWays(net, 1e-3)) {
      expect(usesFastPath).toBe(true);
      expect(fast.derivative).toBeCloseTo(full.derivative, 10);
    }
  });

  it('leads to the same verdicts', () => {
    const plainly = ({ layers: all, ...recipe }: NetRecipe): NetRecipe => ({
      ...recipe,
      layers: all.map((each) => {
        const { jacobianStructure: _, ...definition } = each.definition ?? layerOf(each.kind);
        // Entries of layers that mix samples go one by one.
        return { ...each, definition: { ...definition, normalizesOver: 'batch' as const } };
      }),
    });
    const seen = { pass: 0, kink: 0, below_noise: 0 };
    fc.assert(
      fc.property(recipes, fc.constantFrom(1e-6, 6e-6, 1e-3, 1e-2), (recipe, step) => {
        const short = checkNet(makeNet(recipe), { step });
        const plain = checkNet(makeNet(plainly(recipe)), { step });
        expect(short.counts).toEqual(plain.counts);
        expect(plain.compared).toEqual({ entries: 0, largestDifference: 0, agreed: true });
        seen.pass += short.counts.pass;
        seen.kink += short.counts.kink;
        seen.below_noise += short.counts.below_noise;
      }),
      { numRuns: 300, seed: 11 },
    );
    expect(seen.pass).toBeGreaterThan(3_000);
    expect(seen.below_noise).toBeGreaterThan(100);
  });
});

describe('the validation of shortcuts in every check', () => {
  const recipe: NetRecipe = {
    inputs: 6,
    batch: 4,
    loss: 'cross_entropy',
    layers: [linear(7), { kind: 'tanh' }, linear(3)],
    seed: 3,
  };

  it('is reported: the number of entries, and the largest difference', () => {
    const { compared, counts, entries } = checkNet(makeNet(recipe));
    expect(compared.agreed).toBe(true);
    // Up to eight of each of four parameters; random positions may coincide.
    expect(compared.entries).toBeGreaterThan(15);
    expect(compared.entries).toBeLessThanOrEqual(32);
    expect(compared.largestDifference).toBeLessThan(1e-9);
    expect(counts.pass).toBe(entries);
  });

  it('includes entries that are called wrong', () => {
    const definition: LayerDefinition = {
      ...layerOf('linear'),
      backward(context) {
        layerOf('linear').backward(context);
        for (let i = 0; i < context.gradParameters.weight.data.length; i++) context.gradParameters.weight.data[i] *= 2;
      },
    };
    const right = checkNet(makeNet(recipe));
    const wrong = checkNet(
      makeNet({ ...recipe, layers: [{ ...recipe.layers[0], definition }, ...recipe.layers.slice(1)] }),
    );
    expect(wrong.counts.wrong).toBe(42);
    expect(wrong.compared.entries).toBeGreaterThan(right.compared.entries);
    expect(wrong.compared.agreed).toBe(true);
  });

  it.each([
    ['a softmax that claims to be columnwise', 'softmax', 'columnwise'],
    ['a softmax that claims to be elementwise', 'softmax', 'elementwise'],
    ['a tanh that claims to be a weighted sum', 'tanh', 'weighted_sum'],
  ] as const)('finds out %s, and checks everything the plain way', (_, kind, jacobianStructure) => {
    const liar: LayerRecipe = { kind, definition: { ...layerOf(kind), jacobianStructure } };
    const net = makeNet({ ...recipe, layers: [linear(4), liar, linear(3)] });
    const report = checkNet(net);
    expect(report.compared.agreed).toBe(false);
    expect(report.complete).toBe(true);
    expect(report.counts).toEqual({ pass: report.entries, wrong: 0, kink: 0, below_noise: 0 });
  });

  it('disables shortcuts if shapes contradict a declaration', () => {
    const results = derivativesBothWays(
      makeNet({
        ...recipe,
        layers: [
          linear(4),
          {
            kind: 'linear',
            options: { out_features: 2 },
            definition: { ...layerOf('linear'), jacobianStructure: 'columnwise' },
          },
          linear(3),
        ],
      }),
      1e-3,
    );
    // None of the middle layer, all of the two others.
    expect(results.filter(({ usesFastPath }) => !usesFastPath)).toHaveLength(2 * 4 + 2);
    for (const { fast, full } of results) expect(fast.derivative).toBeCloseTo(full.derivative, 10);
  });
});
