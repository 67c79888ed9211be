// What every layer must do on every backend: have the right gradients in either mode, give what the reference gives at any
// size, and the same bits under one seed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Backend, kernelsOf } from '../../../src/engine/kernels/create';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import { sizeOf, type Tensor } from '../../../src/engine/kernels/tensor';
import type { LayerKind } from '../../../src/engine/layers';
import type { BackwardContext } from '../../../src/engine/layers/layer';
import { Random } from '../../../src/engine/random';
import { checkNet, type LayerRecipe, linear, makeNet } from '../../gradcheck/nets';
import '../../support/allclose';
import { BACKENDS } from '../../support/backends';
import { imageLayers, inputShapeFor, layerKinds, requiredOptions } from '../../support/layers';
import { filled, unwritten, zeros } from '../../support/tensors';
import { contextParts, layerOf } from '../../support/units';

/** The layer behind one with weights, so that what it hands back is checked, and ahead of one that mixes its outputs. */
function netWith(kind: LayerKind, backend: Backend, seed = 3) {
  const shape = inputShapeFor(kind, 4);
  const ahead: LayerRecipe = imageLayers.includes(kind) ? { kind: 'conv2d', options: { out_channels: 2, kernel_size: 1 } } : linear(sizeOf(shape));
  const layers = [ahead, { kind, options: { ...requiredOptions(kind) } }, { kind: 'flatten' as const }, linear(3)];
  const net = makeNet({ inputs: shape, batch: 5, loss: 'mse', layers, seed }, backend);
  // Weights and buffers that start at 1 and 0 would hide a missing factor.
  const random = new Random(seed, 'start');
  for (const { value: { data } } of [...net.network.parameters, ...net.network.buffers]) for (let i = 0; i < data.length; i++) data[i] += random.uniform(-0.2, 0.4);
  return net;
}

/** Everything that a step computes: the loss, every output, every gradient. */
function step({ network, pass }: ReturnType<typeof netWith>): number[] {
  network.zeroGradients();
  const loss = pass.evaluate();
  pass.lossBackward();
  for (let layer = pass.outputs.length - 1; layer >= 0; layer--) pass.backward(layer);
  const tensors = [...pass.outputs, ...network.parameters.map(({ gradient }) => gradient), ...network.buffers.map(({ value }) => value)];
  return [loss, ...tensors.flatMap(({ data }) => Array.from(data))];
}

/** The layer alone, with the same numbers whatever the kernels; what it has to write is NaN before. */
function contextOn(kernels: Kernels, kind: LayerKind, { batch, width, seed, training }: { batch: number; width: number; seed: number; training: boolean }): BackwardContext<unknown> {
  const random = new Random(seed, kind);
  const definition = layerOf(kind);
  const options = definition.options.parse(requiredOptions(kind));
  const inputShape = inputShapeFor(kind, width);
  const outputShape = [batch, ...definition.outputShape(inputShape, options)];
  // Eighths: float32 holds them as they are.
  const some = (shape: readonly number[]): Tensor => filled(kernels, shape, Array.from({ length: sizeOf(shape) }, () => Math.round(random.uniform(-16, 16)) / 8));
  const declared = definition.parameters?.(inputShape, options) ?? [];
  const parts = contextParts(kernels, definition, inputShape, options);
  for (const { data } of Object.values(parts.buffers)) for (let i = 0; i < data.length; i++) data[i] += random.below(8) / 8;
  const parameters = Object.fromEntries(declared.map(({ name, shape }) => [name, some(shape)]));
  const drawn = definition.draw && training ? unwritten(kernels, outputShape) : null;
  if (drawn) definition.draw?.(drawn, random, options);
  return {
    kernels, options, parameters, drawn, training,
    input: some([batch, ...inputShape]), gradOutput: some(outputShape),
    output: unwritten(kernels, outputShape), gradInput: unwritten(kernels, [batch, ...inputShape]),
    gradParameters: Object.fromEntries(declared.map(({ name, shape }) => [name, zeros(kernels, shape)])),
    ...parts,
  };
}

function run(context: BackwardContext<unknown>, kind: LayerKind): Tensor[] {
  const definition = layerOf(kind);
  definition.forward(context);
  definition.backward(context);
  if (context.training) definition.track?.(context);
  const { output, gradInput, gradParameters, buffers } = context;
  return [output, ...(gradInput ? [gradInput] : []), ...Object.values(gradParameters), ...Object.values(buffers)];
}

describe.each(BACKENDS)('on %s', (backend) => {
  describe.each(layerKinds)('layer %s', (kind) => {
    it.each(['training', 'evaluation'] as const)('has the gradients that differences of its forward pass give, in %s mode', (mode) => {
      const { counts, passed, layers } = checkNet(netWith(kind, backend), { mode }, backend);
      expect(counts.wrong).toBe(0);
      expect(counts.pass).toBeGreaterThan(10);
      expect(passed).toBe(true);
      const alone = layers.find((each) => each.kind === kind && each.name?.startsWith(kind))?.tensors ?? [];
      expect(alone.map(({ name }) => name)).toContain('input');
      for (const { name, counts: { pass, wrong } } of alone) expect([name, wrong, pass > 0]).toEqual([name, 0, true]);
    });

    it.each(['float64', 'float32'] as const)('gives what the reference gives at any size, in %s and either mode', (precision) => {
      const [kernels, reference] = [kernelsOf(backend, precision), kernelsOf('reference', 'float64')];
      fc.assert(
        fc.property(fc.record({ batch: fc.integer({ min: 1, max: 6 }), width: fc.integer({ min: 1, max: 11 }), seed: fc.nat(), training: fc.boolean() }), (drawn) => {
          const expected = run(contextOn(reference, kind, drawn), kind);
          run(contextOn(kernels, kind, drawn), kind).forEach((tensor, i) => {
            expect(tensor.shape).toEqual(expected[i].shape);
            // Sums of squares stand in a normalized number's way: what cancels there is measured by the largest beside it.
            const scale = Math.max(1, ...Array.from(expected[i].data, Math.abs));
            const close = precision === 'float64' ? 1e-11 : 2e-4;
            expect(tensor).toBeAllclose(expected[i].data, { rtol: close, atol: close * scale });
          });
        }),
        { numRuns: 12 },
      );
    });

    it('computes the same bits under one seed, and others under another', () => {
      const first = step(netWith(kind, backend));
      expect(first.every(Number.isFinite)).toBe(true);
      expect(step(netWith(kind, backend))).toEqual(first);
      expect(step(netWith(kind, backend, 4))).not.toEqual(first);
    });
  });
});
