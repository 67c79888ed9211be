// Requirements for every layer on every backend: right gradients in both modes, the results of the reference for any
// size, and the same bits for the same seed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Backend, createBackend } from '../../../src/engine/kernels/create-kernels';
import type { Kernels } from '../../../src/engine/kernels/kernels';
import { numel, type Tensor } from '../../../src/engine/kernels/tensor';
import type { LayerKind } from '../../../src/engine/layers';
import type { BackwardContext } from '../../../src/engine/layers/layer';
import { Random } from '../../../src/engine/random';
import { checkNet, type LayerRecipe, linear, makeNet, type NetRecipe } from '../../gradcheck/nets';
import '../../support/allclose';
import { BACKENDS } from '../../support/backends';
import {
  drawInput,
  imageLayers,
  indexLayers,
  inputShapeFor,
  joinLayers,
  layerKinds,
  otherInputShapesFor,
  requiredOptions,
} from '../../support/layers';
import { tensorFrom, nanTensor, zeros } from '../../support/tensors';
import { layerTensors, layerOf } from '../../support/network-fixtures';

/** The layer after one with weights, so that its input gradient is checked, and before one that mixes its outputs. */
function netWith(kind: LayerKind, backend: Backend, seed = 3) {
  const net = makeNet({ ...recipeWith(kind), batch: 5, loss: 'mse', seed }, backend);
  // Weights and buffers with their initial values 1 and 0 would hide a missing factor.
  const random = new Random(seed, 'start');
  for (const {
    value: { data },
  } of [...net.network.parameters, ...net.network.buffers])
    for (let i = 0; i < data.length; i++) data[i] += random.uniform(-0.2, 0.4);
  return net;
}

function recipeWith(kind: LayerKind): Pick<NetRecipe, 'inputs' | 'layers'> {
  const behind: LayerRecipe[] = [{ kind: 'flatten' }, linear(3)];
  if (joinLayers.includes(kind)) {
    const isRow = inputShapeFor(kind, 4).length === 1;
    const branch: LayerRecipe = { ...(isRow ? linear(4) : { kind: 'layer_norm' }), inputs: [-1] };
    return { inputs: isRow ? 4 : [4, 4], layers: [branch, branch, { kind, inputs: [0, 1] }, ...behind] };
  }
  const shape = inputShapeFor(kind, 4);
  const ahead: LayerRecipe = imageLayers.includes(kind)
    ? { kind: 'conv2d', options: { out_channels: 2, kernel_size: 1 } }
    : linear(shape.at(-1)!);
  if (indexLayers.includes(kind))
    return { inputs: shape, layers: [{ kind, options: { ...requiredOptions(kind) } }, ...behind] };
  return { inputs: shape, layers: [ahead, { kind, options: { ...requiredOptions(kind) } }, ...behind] };
}

/** Everything that a step computes: the loss, every output, every gradient. */
function step({ network, pass }: ReturnType<typeof netWith>): number[] {
  network.zeroGradients();
  const loss = pass.evaluate();
  pass.lossBackward();
  for (let layer = pass.outputs.length - 1; layer >= 0; layer--) pass.backward(layer);
  const tensors = [
    ...pass.outputs,
    ...network.parameters.map(({ gradient }) => gradient),
    ...network.buffers.map(({ value }) => value),
  ];
  return [loss, ...tensors.flatMap(({ data }) => Array.from(data))];
}

/** The layer in isolation, with the same numbers on all backends. Its outputs are initially NaN. */
function contextOn(
  kernels: Kernels,
  kind: LayerKind,
  { batch, width, seed, training }: { batch: number; width: number; seed: number; training: boolean },
): BackwardContext<unknown> {
  const random = new Random(seed, kind);
  const definition = layerOf(kind);
  const options = definition.options.parse(requiredOptions(kind));
  const inputShape = inputShapeFor(kind, width);
  const otherInputShapes = otherInputShapesFor(kind, width);
  const outputShape = [batch, ...definition.outputShape(inputShape, options, otherInputShapes)];
  // Eighths, which float32 represents exactly.
  const some = (shape: readonly number[], draw = () => Math.round(random.uniform(-16, 16)) / 8): Tensor =>
    tensorFrom(kernels, shape, Array.from({ length: numel(shape) }, draw));
  const declared = definition.parameters?.(inputShape, options, otherInputShapes) ?? [];
  const parts = layerTensors(kernels, definition, inputShape, options, batch, otherInputShapes);
  for (const { data } of Object.values(parts.buffers))
    for (let i = 0; i < data.length; i++) data[i] += random.integerBelow(8) / 8;
  const parameters = Object.fromEntries(declared.map(({ name, shape }) => [name, some(shape)]));
  const mask = definition.sampleMask && training ? nanTensor(kernels, outputShape) : null;
  if (mask) definition.sampleMask?.(mask, random, options);
  return {
    kernels,
    options,
    parameters,
    mask,
    training,
    input: some([batch, ...inputShape], definition.indexCount && (() => drawInput(kind, random, 0, 0))),
    otherInputs: otherInputShapes.map((shape) => some([batch, ...shape])),
    gradOutput: some(outputShape),
    output: nanTensor(kernels, outputShape),
    gradInput: nanTensor(kernels, [batch, ...inputShape]),
    gradOtherInputs: otherInputShapes.map((shape) => nanTensor(kernels, [batch, ...shape])),
    gradParameters: Object.fromEntries(declared.map(({ name, shape }) => [name, zeros(kernels, shape)])),
    ...parts,
  };
}

function run(context: BackwardContext<unknown>, kind: LayerKind): Tensor[] {
  const definition = layerOf(kind);
  definition.forward(context);
  definition.backward(context);
  if (context.training) definition.updateBuffers?.(context);
  const { output, gradInput, gradOtherInputs, gradParameters, buffers } = context;
  const inputGradients = [gradInput, ...gradOtherInputs].filter((gradient) => gradient !== null);
  return [output, ...inputGradients, ...Object.values(gradParameters), ...Object.values(buffers)];
}

describe.each(BACKENDS)('on %s', (backend) => {
  describe.each(layerKinds)('layer %s', (kind) => {
    it.each(['training', 'evaluation'] as const)(
      'has the gradients that differences of its forward pass give, in %s mode',
      (mode) => {
        const { counts, passed, layers } = checkNet(netWith(kind, backend), { mode }, backend);
        expect(counts.wrong).toBe(0);
        expect(counts.pass).toBeGreaterThan(10);
        expect(passed).toBe(true);
        const alone = layers.find((each) => each.kind === kind && each.name?.startsWith(kind))?.tensors ?? [];
        expect(alone.map(({ name }) => name)).toContain('input');
        for (const {
          name,
          counts: { pass, wrong },
        } of alone)
          expect([name, wrong, pass > 0]).toEqual([name, 0, name !== 'input' || !indexLayers.includes(kind)]);
      },
    );

    it.each(['float64', 'float32'] as const)(
      'gives what the reference gives at any size, in %s and either mode',
      (precision) => {
        const [kernels, reference] = [createBackend(backend, precision), createBackend('reference', 'float64')];
        fc.assert(
          fc.property(
            fc.record({
              batch: fc.integer({ min: 1, max: 6 }),
              width: fc.integer({ min: 1, max: 11 }),
              seed: fc.nat(),
              training: fc.boolean(),
            }),
            (drawn) => {
              const expected = run(contextOn(reference, kind, drawn), kind);
              run(contextOn(kernels, kind, drawn), kind).forEach((tensor, i) => {
                expect(tensor.shape).toEqual(expected[i].shape);
                // Sums of squares may cancel in a normalization: the tolerance depends on the largest value.
                const scale = Math.max(1, ...Array.from(expected[i].data, Math.abs));
                const close = precision === 'float64' ? 1e-11 : 2e-4;
                expect(tensor).toBeAllclose(expected[i].data, { rtol: close, atol: close * scale });
              });
            },
          ),
          { numRuns: 12 },
        );
      },
    );

    it('computes the same bits for one seed, and different ones for another', () => {
      const first = step(netWith(kind, backend));
      expect(first.every(Number.isFinite)).toBe(true);
      expect(step(netWith(kind, backend))).toEqual(first);
      expect(step(netWith(kind, backend, 4))).not.toEqual(first);
    });
  });
});
