// The formulas of layers with windows.
import type { LayerFormulas } from '../formulas/definition';
import { strideOf, type WindowOptions } from '../kernels/windows';

interface Convolution {
  readonly inputs: number;
  readonly outputs: number;
  readonly groups: number;
  readonly bias: boolean;
  /** One for each spatial axis. */
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

const OUTPUT = ['u', 'v'];
const OFFSET = ['i', 'j'];
const INPUT = ['a', 'b'];

/** u s + i d - p: the input that position u of a window's offset i sees. */
const seen = ({ stride, padding, dilation }: Omit<Convolution, 'inputs' | 'outputs' | 'groups' | 'bias'>): string =>
  stride.map((s, k) => `${OUTPUT[k]} * ${s} + ${OFFSET[k]} * ${dilation[k]} - ${padding[k]}`).join(', ');

/** The position of the window that sees an input at offset i; between two positions, there is none. */
const seeing = ({ stride, padding, dilation }: Omit<Convolution, 'inputs' | 'outputs' | 'groups' | 'bias'>): string =>
  stride.map((s, k) => `(${INPUT[k]} + ${padding[k]} - ${OFFSET[k]} * ${dilation[k]}) / ${s}`).join(', ');

const named = (names: readonly string[], axes: number): string => names.slice(0, axes).join(', ');

/** y[o] = bias[o] + Σ weight[o, c] · x[c] over channels and offsets of the window. */
export function convolutionFormulas(layer: Convolution): LayerFormulas {
  const axes = layer.stride.length;
  const [inGroup, outGroup] = [layer.inputs / layer.groups, layer.outputs / layer.groups];
  const one = layer.groups === 1;
  const [at, offset, place] = [named(OUTPUT, axes), named(OFFSET, axes), named(INPUT, axes)];
  const channel = one ? 'c' : `floor(o / ${outGroup}) * ${inGroup} + c`;
  const filter = one ? 'o' : `floor(c / ${inGroup}) * ${outGroup} + o`;
  return {
    equations: [
      `y[o, ${at}] = ${layer.bias ? 'bias[o] + ' : ''}sum(c, ${offset}: weight[o, c, ${offset}] * x[${channel}, ${seen(layer)}])`,
      `dx[c, ${place}] = sum(o < ${outGroup}, ${offset}: ` +
        `weight[${filter}, ${one ? 'c' : `mod(c, ${inGroup})`}, ${offset}] * dy[${filter}, ${seeing(layer)}])`,
      `d(weight)[o, c, ${offset}] = sum(samples, ${at}: dy[o, ${at}] * x[${channel}, ${seen(layer)}])`,
      `d(bias)[o] = sum(samples, ${at}: dy[o, ${at}])`,
    ],
  };
}

/** The same with input and output swapped: each x[c] adds weight[c, o] · x[c] to a window of y. */
export function transposedConvolutionFormulas(layer: Convolution): LayerFormulas {
  const axes = layer.stride.length;
  const [inGroup, outGroup] = [layer.inputs / layer.groups, layer.outputs / layer.groups];
  const one = layer.groups === 1;
  const [at, offset, place] = [named(OUTPUT, axes), named(OFFSET, axes), named(INPUT, axes)];
  const channel = one ? 'c' : `floor(o / ${outGroup}) * ${inGroup} + c`;
  const filter = one ? 'o' : `floor(c / ${inGroup}) * ${outGroup} + o`;
  return {
    equations: [
      `y[o, ${place}] = ${layer.bias ? 'bias[o] + ' : ''}sum(c < ${inGroup}, ${offset}: ` +
        `weight[${channel}, ${one ? 'o' : `mod(o, ${outGroup})`}, ${offset}] * x[${channel}, ${seeing(layer)}])`,
      `dx[c, ${at}] = sum(o, ${offset}: weight[c, o, ${offset}] * dy[${filter}, ${seen(layer)}])`,
      `d(weight)[c, o, ${offset}] = sum(samples, ${at}: x[c, ${at}] * dy[${filter}, ${seen(layer)}])`,
      `d(bias)[o] = sum(samples, ${place}: dy[o, ${place}])`,
    ],
  };
}

/** The indices of a pooling layer: its offsets, the input that a window sees, and the window that sees an input. */
export function windowIndices(windows: WindowOptions): {
  readonly over: string;
  readonly inInput: string;
  readonly inOutput: string;
} {
  const layer = { stride: strideOf(windows), padding: windows.padding, dilation: [1, 1] };
  return {
    over: windows.kernel_size.map((size, k) => `${OFFSET[k]} < ${size}`).join(', '),
    inInput: seen(layer),
    inOutput: seeing(layer),
  };
}
