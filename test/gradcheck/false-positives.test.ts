// Random networks with right gradients, including extreme ones: none may be called wrong.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LayerKind } from '../../src/engine/layers';
import { losses, type LossKind } from '../../src/engine/losses';
import { requiredOptions, rowLayers } from '../support/layers';
import { checkNet, layerOf, type LayerRecipe, linear, makeNet, type Net, type NetRecipe } from './nets';

const lossKinds = Object.keys(losses) as LossKind[];
// Without layers that must come first and are fitted to data; the gradients of a support vector machine are checked in
// test/model-spec.
const activations = rowLayers.filter((kind) => kind !== 'linear' && !layerOf(kind).fit);

/** Sensible initial weights and bad ones: all equal, all zero, far too large. */
const linearOptions = fc.constantFrom<Readonly<Record<string, unknown>>>(
  {},
  { bias: false },
  { init: { type: 'normal', std: 3 } },
  { init: { type: 'normal', std: 0.01 } },
  { init: { type: 'constant', val: 1 } },
  { init: 'zeros' },
  { bias_init: 'zeros' },
  { init: 'zeros', bias_init: 'zeros' },
);

const linearLayer = fc.tuple(fc.integer({ min: 1, max: 5 }), linearOptions).map(([units, more]) => linear(units, more));

const activationLayer = fc.tuple(fc.constantFrom(...activations), fc.boolean()).map(([kind, scaled]): LayerRecipe => ({
  kind,
  options: { ...requiredOptions(kind), ...(kind === 'relu' && scaled && { scale: 5 }) },
}));

const block = fc.oneof(fc.tuple(linearLayer, activationLayer), fc.tuple(activationLayer), fc.tuple(linearLayer));

/** The last layers that a loss requires. */
const lastLayers: Partial<Record<LossKind, readonly LayerRecipe[]>> = {
  bce: [{ kind: 'sigmoid' }],
  cross_entropy_on_probabilities: [{ kind: 'softmax' }],
  nll: [{ kind: 'log_softmax' }],
};

interface Sample {
  readonly recipe: NetRecipe;
  /** Rounds inputs and weights to multiples of one half, so that exact zeros and ties are frequent. */
  readonly rounded: { readonly inputs: boolean; readonly weights: boolean };
  readonly step: number;
  readonly atol: number;
}

const samples = (kinds: readonly LayerKind[] | null): fc.Arbitrary<Sample> =>
  fc.record({
    recipe: fc
      .record({
        inputs: fc.integer({ min: 1, max: 4 }),
        hidden: fc.array(
          kinds
            ? fc.tuple(
                linearLayer,
                fc.constantFrom(...kinds).map((kind) => ({ kind })),
              )
            : block,
          { maxLength: 3 },
        ),
        last: linearLayer,
        loss: fc.constantFrom(...lossKinds),
        batch: fc.integer({ min: 1, max: 7 }),
        // One in four, since a penalty doubles the work.
        penalty: fc.constantFrom(undefined, undefined, undefined, { l1: 0.01, l2: 0.1, biases: true }),
        seed: fc.nat(),
        spread: fc.constantFrom(1, 1, 0, 0.001, 10, 100),
      })
      .map(({ hidden, last, loss, ...rest }): NetRecipe => ({
        ...rest,
        loss,
        layers: [...hidden.flat(), last, ...(lastLayers[loss] ?? [])],
      })),
    rounded: fc.record({ inputs: fc.boolean(), weights: fc.boolean() }),
    step: fc.constantFrom(1e-7, 1e-6, 6e-6, 1e-5, 1e-4, 1e-3, 1e-2),
    atol: fc.constantFrom(1e-8, 1e-10, 0),
  });

function netOf({ recipe, rounded }: Sample): Net {
  const net = makeNet(recipe);
  const round = (data: Net['pass']['input']['data'], per: number): void => {
    for (let i = 0; i < data.length; i++) data[i] = Math.round(data[i] * per) / per;
  };
  if (rounded.inputs) round(net.pass.input.data, 1);
  if (rounded.weights) for (const { value } of net.network.parameters) round(value.data, 2);
  return net;
}

/** PyTorch's guard on BCE changes the gradient but not the value if p (1 - p) < 1e-12: that is a fault. */
const isGuarded = ({ pass }: Net, loss: NetRecipe['loss']): boolean => {
  pass.evaluate();
  return loss === 'bce' && pass.prediction.data.some((p) => p * (1 - p) < 1e-12);
};

/** Counts over all networks of a property, so that no part of it is vacuous. */
function runProperty(kinds: readonly LayerKind[] | null, numRuns: number) {
  const counts = { pass: 0, kink: 0, below_noise: 0 };
  fc.assert(
    fc.property(samples(kinds), (sample) => {
      const net = netOf(sample);
      if (isGuarded(net, sample.recipe.loss)) return;
      const report = checkNet(
        net,
        { step: sample.step, atol: sample.atol },
        undefined,
        (sample.recipe.seed ?? 0) % 4 === 0,
      );
      // A softmax can reach exactly 0, whose logarithm is infinite: there is no gradient.
      if (Number.isFinite(report.loss) && !doesBackpropOverflow(net)) {
        expect(report.parameters.filter(({ verdict }) => verdict === 'wrong')).toEqual([]);
        expect(
          report.layers.filter(
            ({ arriving, tensors }) => arriving || tensors.some(({ verdict }) => verdict === 'wrong'),
          ),
        ).toEqual([]);
        if (report.withoutPenalty) expect(report.withoutPenalty.counts.wrong).toBe(0);
      }
      counts.pass += report.counts.pass;
      counts.kink += report.counts.kink;
      counts.below_noise += report.counts.below_noise;
    }),
    { numRuns, seed: 20240229 },
  );
  return counts;
}

/**
 * -y/p overflows for the smallest probabilities, and backprop is NaN although the loss is finite: rightly called wrong.
 */
const doesBackpropOverflow = ({ pass }: Net): boolean =>
  pass.prediction.data.some((p) => p !== 0 && Math.abs(p) < 1e-300);

describe('networks with right gradients', () => {
  it('are never called wrong, for any layers, losses, weights, inputs, steps and tolerances', () => {
    const counts = runProperty(null, 1000);
    expect(counts.pass).toBeGreaterThan(10_000);
    expect(counts.below_noise).toBeGreaterThan(1_000);
  });

  it('with ReLU are never called wrong at any step from 1e-7 to 1e-2, on and next to its kinks', () => {
    const counts = runProperty(['relu'], 700);
    expect(counts.pass).toBeGreaterThan(5_000);
    expect(counts.kink).toBeGreaterThan(100);
  });

  it('pass at every entry in ordinary cases', () => {
    for (const kind of activations) {
      for (const loss of lossKinds) {
        const recipe: NetRecipe = {
          inputs: 3,
          batch: 5,
          loss,
          seed: 8,
          layers: [linear(4), { kind, options: { ...requiredOptions(kind) } }, linear(3), ...(lastLayers[loss] ?? [])],
        };
        const { counts, entries, parameters, passed } = checkNet(makeNet(recipe));
        expect(passed).toBe(true);
        // Without a gradient are only units that are off for the whole batch or left out, and biases that batch norm
        // subtracts.
        const hasUnusedUnits = kind === 'relu' || kind === 'slice';
        expect(counts.pass).toBe(
          hasUnusedUnits ? entries - counts.below_noise : kind === 'batch_norm1d' ? entries - 4 : entries,
        );
        for (const { worst } of parameters) expect(worst?.relativeError ?? 0).toBeLessThan(1e-5);
      }
    }
  });
});

describe('saturated BCE', () => {
  it('is called wrong where PyTorch guards its gradient, which is then not the derivative of its loss', () => {
    const net = makeNet({
      inputs: 1,
      batch: 1,
      loss: 'bce',
      layers: [linear(1, { weight: [[0]], bias: [-30] }), { kind: 'sigmoid' }],
    });
    net.pass.input.data[0] = 1;
    net.pass.target.data[0] = 1;
    const [weight] = checkNet(net).parameters;
    expect(weight.verdict).toBe('wrong');
    // dL/dz is p - 1, nearly -1; with p (1 - p) limited to at least 1e-12 it becomes -p / 1e-12.
    expect(weight.worst?.numeric).toBeCloseTo(-1, 6);
    expect(weight.worst?.analytic).toBeCloseTo(-Math.exp(-30) / 1e-12, 6);
  });
});
