// Many entries at a time against one at a time, to the bit: on every backend, whatever the number of entries.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { losses, type LossKind } from '../../src/engine/losses';
import { type CheckReport, GradientCheck } from '../../src/gradcheck';
import { MOST } from '../../src/gradcheck/bunch';
import { Shadow } from '../../src/gradcheck/shadow';
import { BACKENDS } from '../support/backends';
import { checkNet, type LayerRecipe, layerOf, linear, makeNet, type NetRecipe, OPTIONS } from './nets';

const ACTIVATIONS = ['relu', 'silu', 'tanh', 'leaky_relu', 'sigmoid', 'softplus', 'elu', 'identity', 'gelu'] as const;
/** Whose predictions are neither probabilities nor their logarithms. */
const lossKinds = (Object.keys(losses) as LossKind[]).filter((kind) => !['bce', 'cross_entropy_on_probabilities', 'nll'].includes(kind));

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
    penalty: fc.option(fc.record({ l1: fc.constantFrom(0, 0.01), l2: fc.constantFrom(0, 0.1), biases: fc.boolean() }), { nil: undefined }),
  })
  .map(({ hidden, units, last, ...rest }) => ({ ...rest, layers: [...hidden, linear(units), ...(last ? [{ kind: last }] : [])] }));

/** The losses of a parameter's entries, each moved by a step up and down: so many at a time, and one at a time. */
function bothWays(shadow: Shadow, parameter: number, step: number, atOnce: number) {
  const bunch = shadow.bunchOf(parameter);
  if (!bunch) throw new Error('entries of this parameter go one by one');
  const { value: { data } } = shadow.network.parameters[parameter];
  const entries = Uint32Array.from({ length: 2 * data.length }, (_, i) => i >> 1);
  const values = Float64Array.from(entries, (entry, i) => data[entry] + (i % 2 === 0 ? step : -step));
  const together = new Float64Array(values.length);
  const most = Math.min(atOnce, bunch.room);
  for (let from = 0; from < values.length; from += most) {
    const to = Math.min(from + most, values.length);
    together.set(bunch.at(shadow.network.parameters[parameter], entries.subarray(from, to), values.subarray(from, to)), from);
  }
  const single = values.map((value, i) => {
    const line = shadow.along(parameter, entries[i]);
    const loss = line.at(value);
    line.release();
    return loss;
  });
  return { together, single };
}

const shadowOf = (recipe: NetRecipe, backend: (typeof BACKENDS)[number]): Shadow =>
  new Shadow({ ...makeNet(recipe), step: 0, options: OPTIONS, kernels: { backend } });

describe.each(BACKENDS)('many entries at a time on %s', (backend) => {
  it('have the losses that each has by itself, to the bit', () => {
    let compared = 0;
    fc.assert(
      fc.property(recipes, fc.constantFrom(6e-6, 0.1), fc.constantFrom(1, 2, 7, MOST), (recipe, step, atOnce) => {
        const shadow = shadowOf(recipe, backend);
        shadow.network.parameters.forEach((_, parameter) => {
          const { together, single } = bothWays(shadow, parameter, step, atOnce);
          expect(Array.from(together)).toEqual(Array.from(single));
          compared += single.length;
        });
      }),
      { numRuns: 150, seed: 5 },
    );
    expect(compared).toBeGreaterThan(5_000);
  });

  it('also where they are as many as fit, of sizes that end within a vector', () => {
    const shadow = shadowOf({ inputs: 61, batch: 11, loss: 'cross_entropy', layers: [linear(13), { kind: 'sigmoid' }, linear(9)] }, backend);
    expect(shadow.bunchOf(0)?.room).toBe(MOST);
    for (const parameter of [0, 1, 2, 3]) {
      const { together, single } = bothWays(shadow, parameter, 6e-6, MOST);
      expect(Array.from(together)).toEqual(Array.from(single));
    }
  });
});

describe('a check by many entries at a time', () => {
  const recipe: NetRecipe = { inputs: 30, batch: 6, loss: 'cross_entropy', layers: [linear(12), { kind: 'relu' }, linear(8), { kind: 'tanh' }, linear(4)], seed: 3, penalty: { l1: 0.01, l2: 0.1, biases: false } };
  const checked = (atOnce: number): CheckReport => {
    const check = new GradientCheck({ ...makeNet(recipe), step: 0, options: OPTIONS });
    while (check.advance(atOnce));
    return check.report();
  };

  it('finds the same however many it is asked for', () => {
    const report = checked(1);
    expect(report.counts.pass).toBeGreaterThan(300);
    for (const atOnce of [2, 5, 64, 10_000]) expect(checked(atOnce)).toEqual(report);
  });

  it('stops after exactly as many as it is asked for', () => {
    const check = new GradientCheck({ ...makeNet(recipe), step: 0, options: OPTIONS });
    for (const entries of [1, 2, 100, 300]) {
      const before = check.checked;
      check.advance(entries);
      expect(check.checked - before).toBe(entries);
    }
  });

  it.each<readonly [string, NetRecipe]>([
    ['a layer that does not say what it reaches', { ...recipe, layers: [linear(5), { kind: 'softmax' }, linear(4)] }],
    ['a layer that takes columns only', { ...recipe, layers: [linear(5), { kind: 'tanh', definition: { ...layerOf('tanh'), reach: 'columnwise' } }, linear(4)] }],
  ])('goes one by one ahead of %s', (_, other) => {
    const shadow = shadowOf(other, 'reference');
    expect(shadow.bunchOf(0)).toBeNull();
    expect(shadow.bunchOf(shadow.network.parameters.length - 1)).not.toBeNull();
    expect(checkNet(makeNet(other)).counts.wrong).toBe(0);
  });
});
