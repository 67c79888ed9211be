// The geometry of windows over images: the products that make up each output of a convolution, and the outputs that an
// input position reaches.
import type { Shape, Shape3 } from '../../engine/kernels/tensor';
import { dilationOf, strideOf, type WindowOptions } from '../../engine/kernels/windows';

/** An element of the layer's input, its output and its weight, as flat indices into the tensors of one sample. */
export interface WindowTap {
  readonly input: number;
  readonly output: number;
  readonly weight: number;
}

export class WindowGeometry {
  constructor(
    /** [channels, height, width] */
    readonly input: Shape,
    readonly output: Shape,
    readonly windows: WindowOptions,
  ) {}

  /** Input and output channels of a group. */
  get #groupSizes(): readonly [inputs: number, outputs: number] {
    const { groups = 1 } = this.windows;
    return [this.input[0]! / groups, this.output[0]! / groups];
  }

  /** The products in one element of a convolution's output: its group of channels in the window, without padding. */
  tapsIntoOutput(output: number): WindowTap[] {
    const [o, u, v] = unravelPlace(output, this.output);
    const [inputs, outputs] = this.#groupSizes;
    const from = Math.floor(o / outputs) * inputs;
    const [height, width] = this.windows.kernel_size;
    const found: WindowTap[] = [];
    for (let c = from; c < from + inputs; c++)
      for (let i = 0; i < height; i++) for (let j = 0; j < width; j++) this.#addTap(found, o, u, v, c, i, j);
    return found;
  }

  /** The products that one element of the input is part of. */
  tapsFromInput(input: number): WindowTap[] {
    const [c, y, x] = unravelPlace(input, this.input);
    const {
      padding,
      kernel_size: [height, width],
    } = this.windows;
    const [down, right] = strideOf(this.windows);
    const [dilationY, dilationX] = dilationOf(this.windows);
    const [inputs, outputs] = this.#groupSizes;
    const from = Math.floor(c / inputs) * outputs;
    const found: WindowTap[] = [];
    for (let o = from; o < from + outputs; o++) {
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          const [u, v] = [(y + padding[0] - i * dilationY) / down, (x + padding[1] - j * dilationX) / right];
          if (
            Number.isInteger(u) &&
            Number.isInteger(v) &&
            u >= 0 &&
            v >= 0 &&
            u < this.output[1]! &&
            v < this.output[2]!
          )
            this.#addTap(found, o, u, v, c, i, j);
        }
      }
    }
    return found;
  }

  /** The products that use one weight, in one sample. */
  tapsOfWeight(weight: number): WindowTap[] {
    const [height, width] = this.windows.kernel_size;
    const [inputs, outputs] = this.#groupSizes;
    const o = Math.floor(weight / (inputs * height * width));
    const [c, i, j] = [
      Math.floor(o / outputs) * inputs + (Math.floor(weight / (height * width)) % inputs),
      Math.floor(weight / width) % height,
      weight % width,
    ];
    const found: WindowTap[] = [];
    for (let u = 0; u < this.output[1]!; u++)
      for (let v = 0; v < this.output[2]!; v++) this.#addTap(found, o, u, v, c, i, j);
    return found;
  }

  /** Pooling outputs that an element of the input reaches: those of its own channel. */
  pooledOutputsOf(input: number): number[] {
    const [c] = unravelPlace(input, this.input);
    const plane = this.output[1]! * this.output[2]!;
    return this.tapsFromInput(input)
      .map(({ output }) => output)
      .filter((output) => Math.floor(output / plane) === c);
  }

  #addTap(to: WindowTap[], o: number, u: number, v: number, c: number, i: number, j: number): void {
    const {
      padding,
      kernel_size: [height, width],
    } = this.windows;
    const [down, right] = strideOf(this.windows);
    const [dilationY, dilationX] = dilationOf(this.windows);
    const [inputs] = this.#groupSizes;
    const [, rows, columns] = this.input as Shape3;
    const [y, x] = [u * down + i * dilationY - padding[0], v * right + j * dilationX - padding[1]];
    if (y < 0 || x < 0 || y >= rows || x >= columns) return;
    to.push({
      input: (c * rows + y) * columns + x,
      output: (o * this.output[1]! + u) * this.output[2]! + v,
      weight: ((o * inputs + (c % inputs)) * height + i) * width + j,
    });
  }
}

const unravelPlace = (index: number, [, height, width]: Shape): [number, number, number] => [
  Math.floor(index / (height! * width!)),
  Math.floor(index / width!) % height!,
  index % width!,
];
