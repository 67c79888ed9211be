// A small network's step in few calls, and later as code of its own, computes what its phases compute one by one, to the bit.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sessionOf } from '../support/run';

const STEPS = 6;
const layer = fc.integer({ min: 1, max: 18 }).map((out_features) => ({ type: 'linear', out_features }));
const activation = fc.constantFrom('tanh', 'sigmoid', 'relu', 'leaky_relu', 'softmax', 'batch_norm1d');
const hidden = fc.array(fc.tuple(layer, activation), { maxLength: 3 }).map((pairs) => pairs.flat());
const optimizer = fc.constantFrom(
  { type: 'sgd', lr: 0.1 }, { type: 'sgd', lr: 0.05, momentum: 0.9 }, { type: 'sgd', lr: 0.05, weight_decay: 0.01 },
  { type: 'adam', lr: 0.01 },
);

const spec = fc
  .record({
    hidden, optimizer,
    features: fc.integer({ min: 1, max: 5 }),
    outputs: fc.integer({ min: 1, max: 4 }),
    classes: fc.boolean(),
    samples: fc.integer({ min: 4, max: 60 }),
    batch_size: fc.integer({ min: 2, max: 40 }),
    penalty: fc.boolean(),
    seed: fc.nat(1000),
  })
  .map(({ hidden: layers, features, outputs, classes, samples, penalty, ...rest }) => {
    const units = classes ? Math.max(2, outputs) : outputs;
    // Far enough apart that no two rows are alike.
    const rows = (n: number): number[][] => Array.from({ length: samples }, (_, i) => Array.from({ length: n }, (_, j) => Math.sin(3 * i + 7 * j)));
    return {
      data: { type: 'inline', inputs: rows(features), ...(classes ? { labels: Array.from({ length: samples }, (_, i) => i % units) } : { targets: rows(units) }) },
      layers: [...layers, { type: 'linear', out_features: units }],
      loss: classes ? 'cross_entropy' : 'mse',
      ...(penalty ? { penalty: { l2: 0.01 } } : {}),
      epochs: 100,
      ...rest,
    };
  });

describe.each(['wasm-simd', 'wasm-relaxed-simd'] as const)('a whole step on %s', (backend) => {
  it('is its phases one by one', () => {
    fc.assert(
      fc.property(spec, fc.integer({ min: 0, max: 3 }), (drawn, fuseAfter) => {
        const [whole, phases] = [0, 1].map(() => sessionOf(drawn, { backend, fuseAfter }));
        for (let step = 1; step <= STEPS; step++) {
          whole.step();
          do phases.stepPhase();
          while (phases.position.phase > 0);
          expect([whole.loss, whole.hash()]).toEqual([phases.loss, phases.hash()]);
          expect(whole.network.parameters.map(({ gradient }) => Array.from(gradient.data))).toEqual(phases.network.parameters.map(({ gradient }) => Array.from(gradient.data)));
          expect(whole.pass.outputs.map(({ data }) => Array.from(data))).toEqual(phases.pass.outputs.map(({ data }) => Array.from(data)));
        }
      }),
      { numRuns: 60 },
    );
  });
});
