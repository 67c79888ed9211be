// Any spec of any layers: where it is accepted its shapes are those that run, a step of it throws nothing, and the same
// seed gives the same bits; where it is refused there is a problem at a place in its text.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { layerKinds, requiredOptions } from '../support/layers';
import { noFiles } from '../support/files';
import { loadRun } from '../../src/spec/load';
import { TrainingSession } from '../../src/session/session';

const size = fc.integer({ min: 1, max: 4 });
const pair = fc.oneof(size, fc.tuple(size, size));
const windows = { kernel_size: pair, stride: pair, padding: fc.integer({ min: 0, max: 2 }) };

const layer = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...layerKinds).map((type) => ({ type, ...requiredOptions(type) })) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('conv2d'), out_channels: size, ...windows, bias: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('max_pool2d', 'avg_pool2d'), ...windows }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('batch_norm1d', 'batch_norm2d'), affine: fc.boolean(), track_running_stats: fc.boolean() }) },
  { weight: 2, arbitrary: fc.constantFrom({ type: 'flatten' }, { type: 'linear', out_features: 4 }, { type: 'tanh' }) },
);

const spec = fc.record({
  data: fc.oneof(
    fc.record({ type: fc.constant('images'), samples: fc.constant(12), classes: fc.constant(2), size: fc.integer({ min: 4, max: 9 }), channels: size }),
    fc.constant({ type: 'circles', samples: 12 }),
  ),
  hidden: fc.array(layer, { maxLength: 5 }),
  flat: fc.boolean(),
  batch_size: fc.constantFrom(1, 3, 5, 'full'),
  precision: fc.constantFrom('float32', 'float64'),
  seed: fc.nat(),
}).map(({ hidden, flat, ...rest }) => ({
  ...rest, loss: 'cross_entropy', layers: [...hidden, ...(flat ? [{ type: 'flatten' }] : []), { type: 'linear', out_features: 2 }],
}));

it('accepted, its shapes are those that run; refused, it says where', () => {
  const counts = { accepted: 0, refused: 0 };
  const kinds = new Set<string>();
  fc.assert(
    fc.property(spec, (drawn) => {
      const text = JSON.stringify(drawn);
      const { run, problems } = loadRun(text, noFiles);
      if (!run) {
        counts.refused++;
        expect(problems.length).toBeGreaterThan(0);
        for (const { start, end, remedy } of problems) {
          expect(end).toBeGreaterThan(start);
          expect(end).toBeLessThanOrEqual(text.length);
          expect(remedy).not.toBe('');
        }
        return;
      }
      counts.accepted++;
      const [session, again] = [0, 1].map(() => new TrainingSession(run, text));
      for (const { kind } of session.model.layers) kinds.add(kind);
      for (const each of [session, again]) each.step();
      session.pass.outputs.forEach(({ shape, data }, i) => {
        const told = session.model.layers[i].outputShape;
        expect(shape.slice(1)).toEqual(told);
        expect(data.length).toBe(told.reduce((product, n) => product * n, session.pass.batch));
      });
      expect(session.network.memory).toBeLessThanOrEqual(run.memory);
      session.evaluate();
      expect(again.hash()).toBe(session.hash());
    }),
    { numRuns: 400, seed: 11 },
  );
  expect(counts.accepted).toBeGreaterThan(80);
  expect(counts.refused).toBeGreaterThan(80);
  expect([...layerKinds].filter((kind) => !kinds.has(kind))).toEqual([]);
});
