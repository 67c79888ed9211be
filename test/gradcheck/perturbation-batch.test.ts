// Batched entries compared with single ones, bit by bit: on every backend, for any number of entries.
import type { CheckReport } from '../../src/protocol/check-report';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { losses, type LossKind } from '../../src/engine/losses';
import { GradientCheck } from '../../src/gradcheck';
import { MAX_PERTURBATIONS } from '../../src/gradcheck/batched-losses';
import { PerturbationBatch } from '../../src/gradcheck/perturbation-batch';
import { Float64Replica } from '../../src/gradcheck/float64-replica';
import { BACKENDS } from '../support/backends';
import { checkNet, type LayerRecipe, layerOf, linear, makeNet, type NetRecipe, OPTIONS } from './nets';

const ACTIVATIONS = ['relu', 'silu', 'tanh', 'leaky_relu', 'sigmoid', 'softplus', 'elu', 'identity', 'gelu'] as const;
/** Losses whose predictions are neither probabilities nor their logarithms. */
const lossKinds = (Object.keys(losses) as LossKind[]).filter(
  (kind) => !['bce', 'cross_entropy_on_probabilities', 'nll'].includes(kind),
);

const layer = fc.oneof(
  fc.integer({ min: 1, max: 6 }).map((units) => linear(units)),
  fc.constantFrom(...ACTIVATIONS).map((kind): LayerRecipe => ({ kind })),
  fc.constant(linear(4, { bias: false })),
);

const recipes: fc.Arbitrary<NetRecipe> = fc
  .record({
    inputs: fc.integer({ min: 1, max: 5 }),
    hidden: fc.array(layer, { maxLength: 5 }),
    units: fc.integer({ min: 2, max: 5 }),
    last: fc.constantFrom(null, ...ACTIVATIONS),
    loss: fc.constantFrom<LossKind>('cross_entropy', 'cross_entropy', ...lossKinds),
    batch: fc.integer({ min: 1, max: 7 }),
    seed: fc.nat(),
    penalty: fc.option(fc.record({ l1: fc.constantFrom(0, 0.01), l2: fc.constantFrom(0, 0.1), biases: fc.boolean() }), {
      nil: undefined,
    }),
  })
  .map(({ hidden, units, last, ...rest }) => ({
    ...rest,
    layers: [...hidden, linear(units), ...(last ? [{ kind: last }] : [])],
  }));

/** The losses of a parameter's entries, each perturbed up and down, batched and one by one. */
function lossesBothWays(replica: Float64Replica, parameter: number, step: number, chunkSize: number) {
  const batch = replica.perturbationBatchFor(parameter);
  if (!batch) throw new Error('entries of this parameter go one by one');
  const {
    value: { data },
  } = replica.network.parameters[parameter];
  const entries = Uint32Array.from({ length: 2 * data.length }, (_, i) => i >> 1);
  const values = Float64Array.from(entries, (entry, i) => data[entry] + (i % 2 === 0 ? step : -step));
  const batched = new Float64Array(values.length);
  const chunk = Math.min(chunkSize, batch.capacity);
  for (let from = 0; from < values.length; from += chunk) {
    const to = Math.min(from + chunk, values.length);
    batched.set(
      batch.lossesAt(replica.network.parameters[parameter], entries.subarray(from, to), values.subarray(from, to)),
      from,
    );
  }
  const single = values.map((value, i) => {
    const slice = replica.selectEntry(parameter, entries[i]);
    const loss = slice.lossAt(value);
    slice.release();
    return loss;
  });
  return { together: batched, single };
}

const replicaOf = (recipe: NetRecipe, backend: (typeof BACKENDS)[number]): Float64Replica =>
  new Float64Replica({ ...makeNet(recipe), step: 0, options: OPTIONS, kernels: { backend } });

describe.each(BACKENDS)('a perturbation batch on %s', (backend) => {
  it('has the same losses as single entries, bit for bit', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        recipes,
        fc.constantFrom(6e-6, 0.1),
        fc.constantFrom(1, 2, 7, MAX_PERTURBATIONS),
        (recipe, step, atOnce) => {
          const shadow = replicaOf(recipe, backend);
          shadow.network.parameters.forEach((_, parameter) => {
            const { together, single } = lossesBothWays(shadow, parameter, step, atOnce);
            expect(Array.from(together)).toEqual(Array.from(single));
            compared += single.length;
          });
        },
      ),
      { numRuns: 150, seed: 5 },
    );
    expect(compared).toBeGreaterThan(5_000);
  });

  it('also at full capacity, with sizes that end within a vector', () => {
    const shadow = replicaOf(
      { inputs: 61, batch: 11, loss: 'cross_entropy', layers: [linear(13), { kind: 'sigmoid' }, linear(9)] },
      backend,
    );
    expect(shadow.perturbationBatchFor(0)?.capacity).toBe(MAX_PERTURBATIONS);
    for (const parameter of [0, 1, 2, 3]) {
      const { together, single } = lossesBothWays(shadow, parameter, 6e-6, MAX_PERTURBATIONS);
      expect(Array.from(together)).toEqual(Array.from(single));
    }
  });
});

describe('a check with perturbation batches', () => {
  const recipe: NetRecipe = {
    inputs: 30,
    batch: 6,
    loss: 'cross_entropy',
    layers: [linear(12), { kind: 'relu' }, linear(8), { kind: 'tanh' }, linear(4)],
    seed: 3,
    penalty: { l1: 0.01, l2: 0.1, biases: false },
  };
  const checked = (atOnce: number): CheckReport => {
    const check = new GradientCheck({ ...makeNet(recipe), step: 0, options: OPTIONS });
    while (check.advance(atOnce));
    return check.report();
  };

  it('finds the same for any number of entries per call', () => {
    const report = checked(1);
    expect(report.counts.pass).toBeGreaterThan(300);
    for (const atOnce of [2, 5, 64, 10_000]) expect(checked(atOnce)).toEqual(report);
  });

  it('stops after exactly the requested number', () => {
    const check = new GradientCheck({ ...makeNet(recipe), step: 0, options: OPTIONS });
    for (const entries of [1, 2, 100, 300]) {
      const before = check.checked;
      check.advance(entries);
      expect(check.checked - before).toBe(entries);
    }
  });

  it.each<readonly [string, NetRecipe]>([
    ['a layer that does not say what it reaches', { ...recipe, layers: [linear(5), { kind: 'softmax' }, linear(4)] }],
    [
      'a layer that takes columns only',
      {
        ...recipe,
        layers: [
          linear(5),
          { kind: 'tanh', definition: { ...layerOf('tanh'), jacobianStructure: 'columnwise' } },
          linear(4),
        ],
      },
    ],
  ])('is not for entries ahead of %s', (_, other) => {
    const shadow = replicaOf(other, 'reference');
    expect(shadow.perturbationBatchFor(0)).not.toBeInstanceOf(PerturbationBatch);
    expect(shadow.perturbationBatchFor(shadow.network.parameters.length - 1)).toBeInstanceOf(PerturbationBatch);
    expect(checkNet(makeNet(other)).counts.wrong).toBe(0);
  });
});
