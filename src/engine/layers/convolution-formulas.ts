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

/** The indices of a convolution: positions of both sides, offsets in the window, and channels within their group. */
function indicesOf({ inputs, outputs, groups, stride }: Convolution) {
  const axes = stride.length;
  const [inGroup, outGroup] = [inputs / groups, outputs / groups];
  const isWhole = groups === 1;
  return {
    inGroup,
    outGroup,
    at: named(OUTPUT, axes),
    offset: named(OFFSET, axes),
    place: named(INPUT, axes),
    /** The channel that the output o takes, and the output that the channel c goes to, by their number in the group. */
    channel: isWhole ? 'c' : `floor(o / ${outGroup}) * ${inGroup} + c`,
    filter: isWhole ? 'o' : `floor(c / ${inGroup}) * ${outGroup} + o`,
    channelInGroup: isWhole ? 'c' : `mod(c, ${inGroup})`,
    filterInGroup: isWhole ? 'o' : `mod(o, ${outGroup})`,
  };
}

/** y[o] = bias[o] + Σ weight[o, c] · x[c] over channels and offsets of the window. */
export function convolutionFormulas(layer: Convolution): LayerFormulas {
  const { outGroup, at, offset, place, channel, filter, channelInGroup } = indicesOf(layer);
  return {
    equations: [
      `y[o, ${at}] = ${layer.bias ? 'bias[o] + ' : ''}sum(c, ${offset}: weight[o, c, ${offset}] * x[${channel}, ${seen(layer)}])`,
      `dx[c, ${place}] = sum(o < ${outGroup}, ${offset}: ` +
        `weight[${filter}, ${channelInGroup}, ${offset}] * dy[${filter}, ${seeing(layer)}])`,
      `d(weight)[o, c, ${offset}] = sum(samples, ${at}: dy[o, ${at}] * x[${channel}, ${seen(layer)}])`,
      `d(bias)[o] = sum(samples, ${at}: dy[o, ${at}])`,
    ],
  };
}

/** The same with input and output swapped: each x[c] adds weight[c, o] · x[c] to a window of y. */
export function transposedConvolutionFormulas(layer: Convolution): LayerFormulas {
  const { inGroup, at, offset, place, channel, filter, filterInGroup } = indicesOf(layer);
  return {
    equations: [
      `y[o, ${place}] = ${layer.bias ? 'bias[o] + ' : ''}sum(c < ${inGroup}, ${offset}: ` +
        `weight[${channel}, ${filterInGroup}, ${offset}] * x[${channel}, ${seeing(layer)}])`,
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
