// Entries perturbed together in networks of any shape, compared with full forward passes: on random graphs, for layers
// with inner sums, and for any number of entries per call.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CheckReport } from '../../src/protocol/check-report';
import { GradientCheck } from '../../src/gradcheck';
import { Float64Replica } from '../../src/gradcheck/float64-replica';
import { PerturbationBatch } from '../../src/gradcheck/perturbation-batch';
import { BACKENDS } from '../support/backends';
import { type LayerRecipe, linear, makeNet, type NetRecipe, OPTIONS } from './nets';
import { randomGraphs, randomSequenceGraphs } from './random-graphs';

type Backend = (typeof BACKENDS)[number];

const replicaOf = (recipe: NetRecipe, backend: Backend): Float64Replica =>
  new Float64Replica({ ...makeNet(recipe), step: 0, options: OPTIONS, kernels: { backend } });

/**
 * The largest difference between the losses of entries perturbed together and by full forward passes, in units of the
 * round-off of a loss; undefined where the entries are not perturbed together.
 */
function largestDifference(replica: Float64Replica, parameter: number, step: number, most: number): number | undefined {
  const batch = replica.perturbationBatchFor(parameter);
  if (!batch || batch instanceof PerturbationBatch) return undefined;
  const own = replica.network.parameters[parameter];
  const { data } = own.value;
  const count = Math.min(most, batch.capacity);
  let largest = 0;
  for (let from = 0; from < 2 * data.length; from += count) {
    const entries = Uint32Array.from({ length: Math.min(count, 2 * data.length - from) }, (_, i) => (from + i) >> 1);
    const values = Float64Array.from(entries, (entry, i) => data[entry] + (i % 2 === 0 ? step : -step));
    const together = Float64Array.from(batch.lossesAt(own, entries, values));
    entries.forEach((entry, i) => {
      const { full } = replica.selectEntry(parameter, entry);
      const difference = Math.abs(full.lossAt(values[i]) - together[i]);
      full.release();
      largest = Math.max(largest, difference / replica.noise);
    });
    replica.reset();
  }
  return largest;
}

const recipes = fc.oneof(randomGraphs, randomSequenceGraphs);

describe.each(BACKENDS)('perturbations of a graph on %s', (backend) => {
  it('have the losses of full forward passes', () => {
    let compared = 0;
    fc.assert(
      fc.property(recipes, fc.constantFrom(2, 6, 512), (recipe, most) => {
        const replica = replicaOf(recipe, backend);
        if (!Number.isFinite(replica.loss)) return;
        replica.network.parameters.forEach((_, parameter) => {
          const difference = largestDifference(replica, parameter, 1e-3, most);
          if (difference === undefined) return;
          expect(difference).toBeLessThan(4);
          compared++;
        });
      }),
      { numRuns: 80, seed: 3 },
    );
    expect(compared).toBeGreaterThan(80);
  });
});

/** A small transformer: every kind of start, and a weight that two layers share. */
const transformer = (more: Readonly<Record<string, unknown>> = {}): NetRecipe => {
  const layers: LayerRecipe[] = [
    { kind: 'embedding', options: { num_embeddings: 7, embedding_dim: 4 } },
    { kind: 'positional_encoding' },
    { kind: 'layer_norm', options: { normalized_shape: [4] } },
    { kind: 'multihead_attention', options: { num_heads: 2, is_causal: true, ...more } },
    { kind: 'add', inputs: [3, 1] },
    { kind: 'layer_norm', options: { normalized_shape: [4] } },
    linear(9),
    { kind: 'gelu' },
    linear(4),
    { kind: 'add', inputs: [8, 4] },
    { ...linear(7, { bias: false }), shared: { weight: 0 } },
    { kind: 'flatten' },
    linear(3),
  ];
  return { inputs: [5], layers, loss: 'cross_entropy', batch: 2, seed: 4 };
};

describe('a transformer', () => {
  it.each([{}, { is_causal: false }, { bias: false }])('perturbs all its entries together: %o', (options) => {
    const replica = replicaOf(transformer(options), 'wasm-relaxed-simd');
    replica.network.parameters.slice(0, -2).forEach((_, parameter) => {
      expect(largestDifference(replica, parameter, 1e-3, 512)).toBeLessThan(4);
    });
  });

  it.each<readonly [string, readonly LayerRecipe[]]>([
    ['a function', [{ kind: 'gelu' }, { kind: 'layer_norm', options: { normalized_shape: [4] } }]],
    ['a sum', [linear(4)]],
    ['a function and a sum', [{ kind: 'gelu' }, linear(4)]],
  ])('perturbs the last sum of attention ahead of %s', (_, next) => {
    const layers: LayerRecipe[] = [
      { kind: 'embedding', options: { num_embeddings: 7, embedding_dim: 4 } },
      { kind: 'multihead_attention', options: { num_heads: 2 } },
      ...next,
      { kind: 'flatten' },
      linear(3),
    ];
    const replica = replicaOf({ inputs: [5], layers, loss: 'cross_entropy', batch: 2, seed: 4 }, 'wasm-relaxed-simd');
    replica.network.parameters.slice(0, -2).forEach((_each, parameter) => {
      expect(largestDifference(replica, parameter, 1e-3, 512)).toBeLessThan(4);
    });
  });

  it('gets the same report for any number of entries per call', () => {
    const checked = (atOnce: number): CheckReport => {
      const check = new GradientCheck({ ...makeNet(transformer()), step: 0, options: OPTIONS });
      while (check.advance(atOnce));
      return check.report();
    };
    const report = checked(1);
    expect(report.counts.wrong).toBe(0);
    expect(report.counts.pass).toBeGreaterThan(200);
    expect(report.compared.agreed).toBe(true);
    for (const atOnce of [2, 5, 64, 10_000]) expect(checked(atOnce)).toEqual(report);
  });
});

describe('entries go one by one', () => {
  it.each<readonly [string, readonly LayerRecipe[]]>([
    ['ahead of a layer that mixes samples', [linear(5), { kind: 'batch_norm1d' }, linear(4)]],
    ['ahead of a layer with a mask', [linear(5), { kind: 'softmax' }, { kind: 'dropout' }, linear(4)]],
  ])('%s', (_, layers) => {
    const replica = replicaOf({ inputs: 3, layers, loss: 'cross_entropy', batch: 4 }, 'reference');
    expect(replica.perturbationBatchFor(0)).toBeNull();
    expect(replica.perturbationBatchFor(replica.network.parameters.length - 1)).not.toBeNull();
  });
});
