// Requirements for every layer. A layer added to the table is tested automatically.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyOf } from '../../../src/engine/formulas/ast';
import { inputNames } from '../../../src/engine/formulas/definition';
import { parseFormula } from '../../../src/engine/formulas/parse';
import type { LayerKind } from '../../../src/engine/layers';
import type { BackwardContext, LayerDefinition } from '../../../src/engine/layers/layer';
import { ReferenceKernels } from '../../../src/engine/kernels/reference-kernels';
import { numel, type Tensor } from '../../../src/engine/kernels/tensor';
import { Random } from '../../../src/engine/random';
import '../../support/allclose';
import { goldenLayers } from '../../support/golden';
import {
  drawInput,
  inputShapeFor,
  layerKinds,
  otherInputShapesFor,
  requiredOptions,
  rowLayers,
} from '../../support/layers';
import { tensorFrom, nanTensor, zeros } from '../../support/tensors';
import { layerTensors, layerOf } from '../../support/network-fixtures';

const KERNELS = new ReferenceKernels('float64');

function randomTensor(random: Random, shape: readonly number[], draw = () => random.uniform(-2, 2)): Tensor {
  return tensorFrom(KERNELS, shape, Array.from({ length: numel(shape) }, draw));
}

/** The mask of a training step; null if the layer has none. */
function randomMaskFor(
  { sampleMask }: LayerDefinition,
  shape: readonly number[],
  options: unknown,
  random: Random,
): Tensor | null {
  if (!sampleMask) return null;
  const out = nanTensor(KERNELS, shape);
  sampleMask(out, random, options);
  return out;
}

/** A layer between random tensors. */
function contextOf(kind: LayerKind, batch: number, width: number, seed: number): BackwardContext<unknown> {
  const random = new Random(seed, kind);
  const definition = layerOf(kind);
  const options = definition.options.parse(requiredOptions(kind));
  const inputShape = inputShapeFor(kind, width);
  expect(definition.checkInput?.(inputShape, options)).toBeUndefined();
  const otherInputShapes = otherInputShapesFor(kind, width);
  expect(definition.checkInputs?.([inputShape, ...otherInputShapes], options)).toBeUndefined();
  const outputShape = definition.outputShape(inputShape, options, otherInputShapes);
  const declared = definition.parameters?.(inputShape, options, otherInputShapes) ?? [];
  return {
    kernels: KERNELS,
    options,
    parameters: Object.fromEntries(declared.map(({ name, shape }) => [name, randomTensor(random, shape)])),
    input: randomTensor(random, [batch, ...inputShape], () => drawInput(kind, random, -2, 2)),
    otherInputs: otherInputShapes.map((shape) => randomTensor(random, [batch, ...shape])),
    output: nanTensor(KERNELS, [batch, ...outputShape]),
    mask: randomMaskFor(definition, [batch, ...outputShape], options, random),
    ...layerTensors(KERNELS, definition, inputShape, options, batch, otherInputShapes),
    training: true,
    gradOutput: randomTensor(random, [batch, ...outputShape]),
    gradInput: nanTensor(KERNELS, [batch, ...inputShape]),
    gradOtherInputs: otherInputShapes.map((shape) => nanTensor(KERNELS, [batch, ...shape])),
    gradParameters: Object.fromEntries(declared.map(({ name, shape }) => [name, zeros(KERNELS, shape)])),
  };
}

function run(context: BackwardContext<unknown>, kind: LayerKind): void {
  layerOf(kind).forward(context);
  layerOf(kind).backward(context);
}

const results = ({
  output,
  gradInput,
  gradOtherInputs,
  gradParameters,
}: BackwardContext<unknown>): readonly (readonly number[])[] =>
  [output, gradInput, ...gradOtherInputs, ...Object.values(gradParameters)].map((tensor) =>
    Array.from(tensor?.data ?? []),
  );

describe.each(layerKinds)('layer %s', (kind) => {
  const definition = layerOf(kind);

  it('is listed under its own kind', () => {
    expect(definition.kind).toBe(kind);
    expect(definition.summary).toMatch(/\S.*[.:].*/);
  });

  it('has a formula of its output and of the gradient of each input and parameter', () => {
    const options = definition.options.parse(requiredOptions(kind));
    const shapes = [inputShapeFor(kind, 4), ...otherInputShapesFor(kind, 4)];
    const declared = definition.parameters?.(shapes[0], options, shapes.slice(1)) ?? [];
    const inputs = inputNames(shapes.length);
    const { equations } = definition.formulas!({ options, inputs, shapes })!;
    const stated = equations.map(parseFormula).map(({ target }) => keyOf(target));
    expect(stated).toEqual(
      expect.arrayContaining(['y', ...[...inputs, ...declared.map(({ name }) => name)].map((name) => `d(${name})`)]),
    );
  });

  it('has golden values', () => {
    expect(goldenLayers().filter((testCase) => testCase.kind === kind).length).toBeGreaterThanOrEqual(4);
  });

  it('writes its whole output and input gradient, at any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 9 }), fc.nat(), (batch, width, seed) => {
        const context = contextOf(kind, batch, width, seed);
        run(context, kind);
        for (const numbers of results(context)) {
          expect(numbers.length).toBeGreaterThan(0);
          expect(numbers.every(Number.isFinite)).toBe(true);
        }
      }),
    );
  });

  it('is bitwise reproducible', () => {
    const [first, second] = [0, 1].map(() => contextOf(kind, 4, 5, 8));
    run(first, kind);
    run(second, kind);
    expect(results(first)).toEqual(results(second));
  });

  it('changes neither its input, nor its parameters, nor the output gradient', () => {
    const context = contextOf(kind, 4, 5, 9);
    const readOnly = [context.input, ...context.otherInputs, context.gradOutput, ...Object.values(context.parameters)];
    const before = readOnly.map(({ data }) => Array.from(data));
    run(context, kind);
    expect(readOnly.map(({ data }) => Array.from(data))).toEqual(before);
  });

  it('adds to the gradients of its parameters instead of replacing them', () => {
    const once = contextOf(kind, 3, 4, 10);
    run(once, kind);
    const twice = contextOf(kind, 3, 4, 10);
    run(twice, kind);
    definition.backward(twice);
    for (const [name, gradient] of Object.entries(twice.gradParameters)) {
      expect(gradient).toBeAllclose(Array.from(once.gradParameters[name].data, (g) => 2 * g));
    }
    expect(twice.gradInput?.data).toEqual(once.gradInput?.data);
  });

  it('computes the same parameter gradients when the input gradient is not needed', () => {
    const asked = contextOf(kind, 3, 4, 11);
    run(asked, kind);
    const notAsked = { ...contextOf(kind, 3, 4, 11), gradInput: null };
    run(notAsked, kind);
    expect(results(notAsked).slice(2)).toEqual(results(asked).slice(2));
  });

  it('computes a row the same alone as in a batch', () => {
    // In training, batch norm depends on the whole batch by design.
    const mode = { training: !definition.buffers };
    const whole = { ...contextOf(kind, 5, 4, 12), ...mode };
    run(whole, kind);
    const alone = { ...contextOf(kind, 1, 4, 12), ...mode };
    for (const [name, { data }] of Object.entries(alone.parameters)) data.set(whole.parameters[name].data);
    const size = alone.input.data.length;
    for (let row = 0; row < 5; row++) {
      alone.input.data.set(whole.input.data.subarray(row * size, (row + 1) * size));
      alone.otherInputs.forEach(({ data }, i) =>
        data.set(whole.otherInputs[i].data.subarray(row * data.length, (row + 1) * data.length)),
      );
      const width = alone.output.data.length;
      alone.gradOutput.data.set(whole.gradOutput.data.subarray(row * width, (row + 1) * width));
      alone.mask?.data.set(whole.mask?.data.subarray(row * width, (row + 1) * width) ?? []);
      run(alone, kind);
      expect(alone.output.data).toEqual(whole.output.data.slice(row * width, (row + 1) * width));
      expect(alone.gradInput?.data).toEqual(whole.gradInput?.data.slice(row * size, (row + 1) * size));
    }
  });

  it('has the derivative of its own forward pass', () => {
    // Central difference of sum(gradOutput · output), away from kinks by construction: no input is near 0.
    const context = contextOf(kind, 3, 4, 13);
    context.input.data.forEach((x, i) => {
      context.input.data[i] = x + Math.sign(x) * 0.1;
    });
    run(context, kind);
    const analytic = results(context).slice(1);
    const projected = (): number => {
      definition.forward(context);
      return Array.from(context.output.data).reduce((sum, y, i) => sum + y * context.gradOutput.data[i], 0);
    };
    const operands = [context.input, ...context.otherInputs, ...Object.values(context.parameters)];
    const numeric = operands.map(({ data }) =>
      Array.from(data, (x, i) => {
        const h = 6e-6 * Math.max(1, Math.abs(x));
        data[i] = x + h;
        const up = projected();
        data[i] = x - h;
        const down = projected();
        data[i] = x;
        return (up - down) / (2 * h);
      }),
    );
    numeric.forEach((expected, i) => expect(analytic[i]).toBeAllclose(expected, { rtol: 1e-6, atol: 4e-9 }));
  });
});

describe('kinks', () => {
  /** Derivative of output [0] with respect to input [0] on one side of 0, from forward passes alone. */
  const slopeBeside = (kind: LayerKind, options: unknown, side: number): number => {
    const at = (x: number): number => {
      const output = nanTensor(KERNELS, [1, 1]);
      layerOf(kind).forward({
        kernels: KERNELS,
        options,
        parameters: {},
        input: tensorFrom(KERNELS, [1, 1], [x]),
        otherInputs: [],
        output,
        mask: null,
        buffers: {},
        training: true,
        workspace: [],
        internals: {},
      });
      return output.data[0];
    };
    return (at(side * 1e-6) - at(side * 1e-9)) / (side * (1e-6 - 1e-9));
  };
  const elementwise = rowLayers.filter(
    (kind) => !layerOf(kind).parameters && !layerOf(kind).buffers && Object.keys(requiredOptions(kind)).length === 0,
  );
  const variants: [LayerKind, object][] = [
    ...elementwise.map((kind): [LayerKind, object] => [kind, {}]),
    ['leaky_relu', { negative_slope: 1 }],
    ['leaky_relu', { negative_slope: 0.3 }],
    ['elu', { alpha: 0.5 }],
    ['elu', { alpha: 3 }],
    ['gelu', { approximate: 'tanh' }],
    ['softplus', { beta: 4 }],
  ];

  it.each(variants)('%s %o declares a kink at 0 exactly if its derivative jumps there', (kind, given) => {
    const options = layerOf(kind).options.parse(given);
    const jumps = Math.abs(slopeBeside(kind, options, 1) - slopeBeside(kind, options, -1)) > 1e-4;
    const [below, above] = [-1e-3, 1e-3].map((x) => tensorFrom(KERNELS, [1, 1], [x]));
    expect(layerOf(kind).crossesKink?.(below, above, options) ?? false).toBe(jumps);
  });
});

describe('relu', () => {
  const input = (values: number[]): Tensor => tensorFrom(KERNELS, [values.length], values);

  it('distinguishes a crossed kink from an uncrossed one', () => {
    const { crossesKink } = layerOf('relu');
    expect(crossesKink?.(input([1, -1, 2]), input([3, -0.1, 5]), {})).toBe(false);
    expect(crossesKink?.(input([1, -1, 2]), input([1, 1e-9, 2]), {})).toBe(true);
    expect(crossesKink?.(input([1, 0, 2]), input([1, 1e-9, 2]), {})).toBe(true);
  });
});

describe('dropout', () => {
  it('sets a share p to 0 and scales the rest, so that the mean stays the same', () => {
    const definition = layerOf('dropout');
    const mask = nanTensor(KERNELS, [100, 100]);
    definition.sampleMask?.(mask, new Random(1, 'mask'), definition.options.parse({ p: 0.2 }));
    expect(new Set(mask.data)).toEqual(new Set([0, 1.25]));
    const zeroed = Array.from(mask.data).filter((m) => m === 0).length / 1e4;
    expect(Math.abs(zeroed - 0.2)).toBeLessThan(4 * Math.sqrt((0.2 * 0.8) / 1e4));
  });
});

describe('the two modes', () => {
  it.each(layerKinds)('%s declares modes exactly if they differ', (kind) => {
    const outputs = [true, false].map((training) => {
      const context = contextOf(kind, 4, 5, 14);
      const mode = { ...context, training, mask: training ? context.mask : null };
      layerOf(kind).forward(mode);
      return Array.from(context.output.data);
    });
    const differ = outputs[0].some((value, i) => value !== outputs[1][i]);
    expect(layerOf(kind).modes?.(contextOf(kind, 4, 5, 14).options) !== undefined).toBe(differ);
  });

  it.each(layerKinds.filter((kind) => layerOf(kind).updateBuffers))(
    '%s writes its buffers when it tracks, and never else',
    (kind) => {
      const context = contextOf(kind, 4, 5, 15);
      const read = (): number[][] => Object.values(context.buffers).map(({ data }) => Array.from(data));
      const before = read();
      run(context, kind);
      expect(read()).toEqual(before);
      layerOf(kind).updateBuffers?.(context);
      expect(read()).not.toEqual(before);
    },
  );
});

describe('batch norm', () => {
  it('has variance 0 for a single value, and its running variance stays finite', () => {
    const context = contextOf('batch_norm1d', 1, 3, 16);
    run(context, 'batch_norm1d');
    layerOf('batch_norm1d').updateBuffers?.(context);
    expect(context.output.data).toEqual(context.parameters.bias.data);
    expect(Array.from(context.buffers.running_var.data)).toEqual([0.9, 0.9, 0.9]);
  });
});

describe('flatten', () => {
  it('makes one row per sample', () => {
    expect(layerOf('flatten').outputShape([3, 4, 5], {})).toEqual([60]);
  });
});

describe('linear', () => {
  const { options } = layerOf('linear');
  const definition = layerOf('linear');

  it('takes its sizes from explicit weights', () => {
    const layer = options.parse({
      weight: [
        [1, 2, 3],
        [4, 5, 6],
      ],
      bias: [7, 8],
    });
    expect(definition.outputShape([3], layer)).toEqual([2]);
    expect(definition.expectedInputShape?.(layer, [5])).toEqual([3]);
    expect(definition.expectedInputShape?.(layer, [7, 5])).toEqual([7, 3]);
    const declared = definition.parameters?.([3], layer);
    expect(declared).toEqual([
      { name: 'weight', shape: [2, 3], init: { values: [1, 2, 3, 4, 5, 6] } },
      { name: 'bias', shape: [2], init: { values: [7, 8] } },
    ]);
  });

  it('has no bias parameter if it is off', () => {
    const declared = definition.parameters?.([3], options.parse({ out_features: 2, bias: false }));
    expect(declared?.map(({ name }) => name)).toEqual(['weight']);
  });

  it.each([
    ['neither units nor weights', {}],
    ['ragged weights', { weight: [[1, 2], [3]] }],
    [
      'another number of units than rows',
      {
        out_features: 3,
        weight: [
          [1, 2],
          [3, 4],
        ],
      },
    ],
    [
      'another number of inputs than columns',
      {
        in_features: 3,
        weight: [
          [1, 2],
          [3, 4],
        ],
      },
    ],
    ['another number of biases than units', { out_features: 2, bias: [1, 2, 3] }],
    ['no units', { out_features: 0 }],
    ['half a unit', { out_features: 1.5 }],
    ['an unknown option', { out_features: 1, units: 2 }],
  ])('refuses %s', (_what, given) => {
    expect(options.safeParse(given).success).toBe(false);
  });
});
