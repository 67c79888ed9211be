// Why a value of a layer with windows over images is what it is: each number of a convolution as the products that it is the
// sum of, by the geometry of its windows alone; and which outputs a place of the input reaches.
import type { Shape } from '../../engine/kernels/tensor';
import { strideOf, type Windows } from '../../engine/kernels/windows';

/** An entry of the layer's input, its output and its weight, by places in the flat tensors of one sample. */
export interface Contact {
  readonly input: number;
  readonly output: number;
  readonly weight: number;
}

export class WindowGeometry {
  constructor(
    /** [channels, height, width] */
    readonly input: Shape,
    readonly output: Shape,
    readonly windows: Windows,
  ) {}

  /** What meets in one entry of a convolution's output: every channel of the input under the window, padding left out. */
  intoOutput(output: number): Contact[] {
    const [o, u, v] = placeIn(output, this.output);
    const found: Contact[] = [];
    this.#eachWeight((c, i, j) => this.#add(found, o, u, v, c, i, j));
    return found;
  }

  /** What one entry of the input takes part in. */
  fromInput(input: number): Contact[] {
    const [c, y, x] = placeIn(input, this.input);
    const { padding, kernel_size: [height, width] } = this.windows;
    const [down, right] = strideOf(this.windows);
    const found: Contact[] = [];
    for (let o = 0; o < this.output[0]; o++) {
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          const [u, v] = [(y + padding[0] - i) / down, (x + padding[1] - j) / right];
          if (Number.isInteger(u) && Number.isInteger(v) && u >= 0 && v >= 0 && u < this.output[1] && v < this.output[2]) this.#add(found, o, u, v, c, i, j);
        }
      }
    }
    return found;
  }

  /** Where one weight is used, in one sample. */
  ofWeight(weight: number): Contact[] {
    const [height, width] = this.windows.kernel_size;
    const [o, c, i, j] = [
      Math.floor(weight / (this.input[0] * height * width)), Math.floor(weight / (height * width)) % this.input[0],
      Math.floor(weight / width) % height, weight % width,
    ];
    const found: Contact[] = [];
    for (let u = 0; u < this.output[1]; u++) for (let v = 0; v < this.output[2]; v++) this.#add(found, o, u, v, c, i, j);
    return found;
  }

  /** Outputs of pooling that an entry of the input reaches: those of its own channel. */
  pooledFrom(input: number): number[] {
    const [c] = placeIn(input, this.input);
    const plane = this.output[1] * this.output[2];
    return this.fromInput(input).map(({ output }) => output).filter((output) => Math.floor(output / plane) === c);
  }

  #eachWeight(visit: (c: number, i: number, j: number) => void): void {
    const [height, width] = this.windows.kernel_size;
    for (let c = 0; c < this.input[0]; c++) for (let i = 0; i < height; i++) for (let j = 0; j < width; j++) visit(c, i, j);
  }

  #add(to: Contact[], o: number, u: number, v: number, c: number, i: number, j: number): void {
    const { padding, kernel_size: [height, width] } = this.windows;
    const [down, right] = strideOf(this.windows);
    const [channels, rows, columns] = this.input;
    const [y, x] = [u * down + i - padding[0], v * right + j - padding[1]];
    if (y < 0 || x < 0 || y >= rows || x >= columns) return;
    to.push({
      input: (c * rows + y) * columns + x,
      output: (o * this.output[1] + u) * this.output[2] + v,
      weight: ((o * channels + c) * height + i) * width + j,
    });
  }
}

const placeIn = (index: number, [, height, width]: Shape): [number, number, number] =>
  [Math.floor(index / (height * width)), Math.floor(index / width) % height, index % width];
