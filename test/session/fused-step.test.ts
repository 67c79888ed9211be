// A small network's step, replayed in few calls and later compiled with many steps per call, computes the same as its
// phases one by one, bit for bit.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seriesName } from '../../src/history/history';
import type { TrainingSession } from '../../src/session/session';
import { createSession } from '../support/session-fixtures';

const STEPS = 6;
const layer = fc.integer({ min: 1, max: 18 }).map((out_features) => ({ type: 'linear', out_features }));
const activation = fc.constantFrom('tanh', 'sigmoid', 'relu', 'leaky_relu', 'softmax', 'batch_norm1d');
const hidden = fc.array(fc.tuple(layer, activation), { maxLength: 3 }).map((pairs) => pairs.flat());
const optimizer = fc.constantFrom(
  { type: 'sgd', lr: 0.1 },
  { type: 'sgd', lr: 0.05, momentum: 0.9 },
  { type: 'sgd', lr: 0.05, weight_decay: 0.01 },
  { type: 'adam', lr: 0.01 },
  { type: 'adam', lr: 0.01, weight_decay: 0.01 },
  { type: 'adamw', lr: 0.02 },
);

const spec = fc
  .record({
    hidden,
    optimizer,
    schedule: fc.constantFrom(
      'constant',
      { type: 'exponential', gamma: 0.99, per: 'step' },
      { type: 'constant', warmup: 20, per: 'step' },
    ),
    features: fc.integer({ min: 1, max: 5 }),
    outputs: fc.integer({ min: 1, max: 4 }),
    classes: fc.boolean(),
    samples: fc.integer({ min: 4, max: 60 }),
    batch_size: fc.integer({ min: 2, max: 40 }),
    penalty: fc.boolean(),
    shuffle: fc.boolean(),
    seed: fc.nat(1000),
  })
  .map(({ hidden: layers, features, outputs, classes, samples, penalty, ...rest }) => {
    const units = classes ? Math.max(2, outputs) : outputs;
    // Far enough apart that no two rows are equal.
    const rows = (n: number): number[][] =>
      Array.from({ length: samples }, (_, i) => Array.from({ length: n }, (_, j) => Math.sin(3 * i + 7 * j)));
    return {
      data: {
        type: 'inline',
        inputs: rows(features),
        ...(classes ? { labels: Array.from({ length: samples }, (_, i) => i % units) } : { targets: rows(units) }),
      },
      layers: [...layers, { type: 'linear', out_features: units }],
      loss: classes ? 'cross_entropy' : 'mse',
      ...(penalty ? { penalty: { l2: 0.01 } } : {}),
      epochs: 100,
      ...rest,
    };
  });

const stepByPhases = (session: TrainingSession): void => {
  do session.stepPhase();
  while (session.position.phase > 0);
};

const stateOf = (session: TrainingSession): unknown[] => [
  session.position,
  session.loss,
  session.stateHash(),
  session.batchPosition,
  [...session.batch.order.subarray(session.batch.from, session.batch.from + session.batch.size)],
  ...[
    session.pass.input,
    session.pass.target,
    ...session.pass.outputs,
    ...session.network.parameters.map(({ gradient }) => gradient),
  ].map(({ data }) => Array.from(data)),
  session.pendingHistory.get(seriesName.batchLoss)?.data(),
];

/** What happens at the end of some step. */
const change = fc.oneof(
  fc.record({ after: fc.nat(40), lr: fc.constantFrom(0.02, 0.3) }),
  fc.record({ after: fc.nat(40), seed: fc.nat(5) }),
  fc.record({ after: fc.nat(40), value: fc.constantFrom(-1, 0.5) }),
);

/** Trains to the target, twice in the same way. @param train does at most the given number of steps */
function trainTwice(
  session: TrainingSession,
  end: number,
  changes: readonly { after: number; lr?: number; seed?: number; value?: number }[],
  train: (most: number) => void,
): void {
  const to = (step: number): void => {
    while (session.position.step < step) train(step - session.position.step);
  };
  for (const { after, lr, seed, value } of [...changes].sort((a, b) => a.after - b.after)) {
    to(after);
    if (lr !== undefined) session.setLearningRate(lr);
    if (seed !== undefined) session.setSeed(seed);
    if (value !== undefined) session.setWeights([{ parameter: session.network.parameters[0].name, index: 0, value }]);
  }
  to(end);
  session.rewind(0);
  to(end);
}

describe.each(['wasm-simd', 'wasm-relaxed-simd'] as const)('a fused step on %s', (backend) => {
  it('equals its phases one by one', () => {
    fc.assert(
      fc.property(spec, fc.integer({ min: 0, max: 3 }), (drawn, fuseAfter) => {
        const [whole, phases] = [0, 1].map(() => createSession(drawn, { backend, fuseAfter }));
        for (let step = 1; step <= STEPS; step++) {
          whole.step();
          stepByPhases(phases);
          expect([whole.loss, whole.stateHash()]).toEqual([phases.loss, phases.stateHash()]);
          expect(whole.network.parameters.map(({ gradient }) => Array.from(gradient.data))).toEqual(
            phases.network.parameters.map(({ gradient }) => Array.from(gradient.data)),
          );
          expect(whole.pass.outputs.map(({ data }) => Array.from(data))).toEqual(
            phases.pass.outputs.map(({ data }) => Array.from(data)),
          );
        }
      }),
      { numRuns: 60 },
    );
  });

  it('repeated in one call equals single steps, whatever happens in between', () => {
    let together = 0;
    fc.assert(
      fc.property(
        spec,
        fc.array(change, { maxLength: 3 }),
        fc.integer({ min: 41, max: 60 }),
        fc.integer({ min: 0, max: 3 }),
        (drawn, changes, end, fuseAfter) => {
          const [many, phases] = [0, 1].map(() =>
            createSession({ ...drawn, epochs: 300 }, { backend, fuseAfter, checkpointInterval: 16 }),
          );
          trainTwice(many, end, changes, (most) => {
            const from = many.position.step;
            const done = many.train(most);
            expect(many.position.step - from).toBe(done);
            expect(done).toBeLessThanOrEqual(most);
            if (done > 1) together++;
          });
          trainTwice(phases, end, changes, () => stepByPhases(phases));
          expect(stateOf(many)).toEqual(stateOf(phases));
          expect(many.record()).toEqual(phases.record());
          expect(many.checkpointedValuesOf(many.network.parameters[0])).toEqual(
            phases.checkpointedValuesOf(phases.network.parameters[0]),
          );
        },
      ),
      { numRuns: 60 },
    );
    expect(together).toBeGreaterThan(20);
  });

  it('stops at a loss that is not finite, like its phases', () => {
    const spec = {
      data: { type: 'circles', samples: 40 },
      layers: [
        { type: 'linear', out_features: 3 },
        { type: 'linear', out_features: 2 },
      ],
      loss: 'mse',
      optimizer: { type: 'sgd', lr: 5 },
      batch_size: 4,
      epochs: 100,
    };
    const [many, phases] = [0, 1].map(() => createSession(spec, { backend, fuseAfter: 2 }));
    while (phases.loss === null || Number.isFinite(phases.loss)) stepByPhases(phases);
    let last = 0;
    while (many.loss === null || Number.isFinite(many.loss)) last = many.train(1000);
    expect(last).toBeGreaterThan(1);
    expect(stateOf(many)).toEqual(stateOf(phases));
  });
});
