// Convolutions with groups and dilation, transposed and 1D ones: how they depend on each other, and what they refuse.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBackend } from '../../../src/engine/kernels/create-kernels';
import { numel, type Shape } from '../../../src/engine/kernels/tensor';
import type { LayerKind } from '../../../src/engine/layers';
import { Random } from '../../../src/engine/random';
import { createLayerContext } from '../../../src/engine/isolated-layer';
import { BACKENDS } from '../../support/backends';
import { layerOf } from '../../support/network-fixtures';

/** A layer on random numbers, after its forward and backward pass. */
function run(backend: (typeof BACKENDS)[number], kind: LayerKind, inputShape: Shape, given: object, seed: number) {
  const definition = layerOf(kind);
  const options = definition.options.parse(given);
  const outputShape = definition.outputShape(inputShape, options);
  const context = createLayerContext(
    createBackend(backend, 'float64'),
    { name: kind, definition, options, inputShape, outputShape, freeze: [] },
    2,
    true,
  );
  const random = new Random(seed, 'convolutions');
  for (const { data } of [context.input, context.gradOutput, ...Object.values(context.parameters)])
    for (let i = 0; i < data.length; i++) data[i] = random.normal(0, 1);
  return {
    context,
    step() {
      definition.forward(context);
      definition.backward(context);
    },
  };
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i], 0);

const size = fc.integer({ min: 1, max: 3 });
const geometry = fc.record({
  kernel_size: fc.tuple(size, size),
  stride: fc.tuple(size, size),
  padding: fc.nat(1),
  dilation: fc.tuple(size, size),
  groups: fc.integer({ min: 1, max: 3 }),
  inputs: size,
  outputs: size,
  seed: fc.nat(),
});

describe.each(BACKENDS)('on %s', (backend) => {
  it('a convolution is its parts: each group alone, each weight of a dilated window in a larger one', () => {
    fc.assert(
      fc.property(geometry, ({ groups, inputs, outputs, kernel_size, dilation, seed, ...rest }) => {
        const [height, width] = [8, 9];
        const shape = { out_channels: outputs * groups, bias: false };
        const whole = run(
          backend,
          'conv2d',
          [inputs * groups, height, width],
          { ...rest, ...shape, kernel_size, dilation, groups },
          seed,
        );
        whole.step();
        // The same as one plain convolution: weights between groups, and between the positions of a window, are 0.
        const span = kernel_size.map((length, axis) => dilation[axis] * (length - 1) + 1);
        const plain = run(
          backend,
          'conv2d',
          [inputs * groups, height, width],
          { ...rest, ...shape, kernel_size: span },
          0,
        );
        const positions = (visit: (own: number, plainIndex: number) => void): void => {
          let own = 0;
          for (let o = 0; o < outputs * groups; o++)
            for (let c = 0; c < inputs; c++)
              for (let i = 0; i < kernel_size[0]; i++)
                for (let j = 0; j < kernel_size[1]; j++, own++) {
                  const channel = Math.floor(o / outputs) * inputs + c;
                  const row = (o * inputs * groups + channel) * span[0] + i * dilation[0];
                  visit(own, row * span[1] + j * dilation[1]);
                }
        };
        plain.context.parameters.weight.data.fill(0);
        positions((own, at) => (plain.context.parameters.weight.data[at] = whole.context.parameters.weight.data[own]));
        plain.context.input.data.set(whole.context.input.data);
        plain.context.gradOutput.data.set(whole.context.gradOutput.data);
        plain.step();
        const close = (a: ArrayLike<number>, b: ArrayLike<number>): void => {
          expect(a.length).toBe(b.length);
          for (let i = 0; i < a.length; i++) expect(Math.abs(a[i] - b[i])).toBeLessThan(1e-11);
        };
        close(whole.context.output.data, plain.context.output.data);
        close(whole.context.gradInput!.data, plain.context.gradInput!.data);
        const expected = new Float64Array(whole.context.parameters.weight.data.length);
        positions((own, at) => (expected[own] = plain.context.gradParameters.weight.data[at]));
        close(whole.context.gradParameters.weight.data, expected);
      }),
      { numRuns: 40 },
    );
  });

  it('a transposed convolution is the transpose of the convolution with the same weights', () => {
    fc.assert(
      fc.property(geometry, ({ groups, inputs, outputs, seed, ...windows }) => {
        const given = { ...windows, groups, bias: false };
        const transposed = layerOf('conv_transpose2d');
        const shape = [inputs * groups, 3, 4];
        const options = { ...given, out_channels: outputs * groups };
        if (transposed.checkInput?.(shape, transposed.options.parse(options)) !== undefined) return;
        const up = run(backend, 'conv_transpose2d', shape, options, seed);
        up.step();
        const down = run(
          backend,
          'conv2d',
          up.context.output.shape.slice(1),
          { ...given, out_channels: inputs * groups },
          seed + 1,
        );
        down.context.parameters.weight.data.set(up.context.parameters.weight.data);
        down.step();
        expect(down.context.output.shape).toEqual(up.context.input.shape);
        // <conv(u), x> = <u, transposed(x)>
        const [left, right] = [
          dot(down.context.output.data, up.context.input.data),
          dot(down.context.input.data, up.context.output.data),
        ];
        expect(Math.abs(left - right)).toBeLessThan(1e-9);
      }),
      { numRuns: 40 },
    );
  });
});

describe('problems', () => {
  const refuses = (kind: LayerKind, given: object): boolean => !layerOf(kind).options.safeParse(given).success;
  const conv = { out_channels: 4, kernel_size: 3 };

  it('of options that cannot go together', () => {
    expect(refuses('conv2d', { ...conv, groups: 3 })).toBe(true);
    expect(refuses('conv2d', { ...conv, groups: 2 })).toBe(false);
    expect(refuses('conv1d', { ...conv, groups: 3 })).toBe(true);
    expect(refuses('conv2d', { ...conv, dilation: 0 })).toBe(true);
    expect(refuses('conv_transpose2d', { ...conv, output_padding: 1 })).toBe(true);
    expect(refuses('conv_transpose2d', { ...conv, stride: 2, output_padding: 1 })).toBe(false);
    expect(refuses('conv2d', { groups: 2, kernel_size: 1, in_channels: 2, weight: [[[[1]]], [[[1]]]] })).toBe(false);
    expect(refuses('conv2d', { groups: 2, kernel_size: 1, in_channels: 4, weight: [[[[1]]], [[[1]]]] })).toBe(true);
  });

  it.each<[LayerKind, object, Shape, string | undefined]>([
    ['conv2d', { ...conv, groups: 2 }, [3, 8, 8], 'groups'],
    ['conv2d', { ...conv, dilation: 4 }, [3, 8, 8], 'kernel_size'],
    ['conv2d', { ...conv, dilation: 4, padding: 1 }, [3, 7, 7], undefined],
    ['conv1d', conv, [2, 2], 'kernel_size'],
    ['conv1d', { ...conv, in_channels: 3 }, [2, 5], 'in_channels'],
    ['conv1d', conv, [2, 5], undefined],
    ['conv_transpose2d', { ...conv, padding: 2 }, [2, 1, 1], 'padding'],
    ['group_norm', { num_groups: 2 }, [3, 4], 'num_groups'],
    ['prelu', { num_parameters: 2 }, [3, 4], 'num_parameters'],
  ])('%s %o on %j', (kind, given, input, option) => {
    const definition = layerOf(kind);
    expect(definition.checkInput?.(input, definition.options.parse(given))?.option).toBe(option);
  });
});

describe('sizes', () => {
  it('of weights of a depthwise convolution, and its multiply-adds', () => {
    const { options, parameters, outputShape, macs } = layerOf('conv2d');
    const layer = options.parse({ out_channels: 6, kernel_size: 3, groups: 6 });
    expect(parameters?.([6, 5, 5], layer)[0].shape).toEqual([6, 1, 3, 3]);
    expect(macs?.([6, 5, 5], outputShape([6, 5, 5], layer), layer)).toBe(6 * 9 * 9);
  });

  it('of images are undone by a transposed convolution with the same windows', () => {
    const windows = { kernel_size: [4, 3], stride: [2, 3], padding: [1, 0] };
    const down = layerOf('conv2d');
    const up = layerOf('conv_transpose2d');
    const small = down.outputShape([3, 10, 9], down.options.parse({ out_channels: 2, ...windows }));
    expect(up.outputShape(small, up.options.parse({ out_channels: 3, ...windows }))).toEqual([3, 10, 9]);
    expect(numel(small)).toBe(2 * 5 * 3);
  });
});
