// Writes down what is computed, so that gradients can be had by going back over it. Tensors stay plain: the tape
// knows by the tensor itself how it was made. One tape serves one forward pass.
import { sizeOf, type Shape, type Tensor, type TensorData } from '../kernels/tensor';

/** dL/d input for each of a step's inputs, given dL/d output; null where nothing flows back. */
export type Backward = (gradient: TensorData) => readonly (TensorData | null)[];

interface Step {
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly backward: Backward;
}

type ArrayOf = Float32ArrayConstructor | Float64ArrayConstructor;

/** An operation was given what it cannot work on; the message is for people. */
export class OperationError extends Error {
  override name = 'OperationError';
}

export class Tape {
  readonly #steps: Step[] = [];
  readonly #known = new Set<Tensor>();
  readonly #sides: Int8Array[] = [];
  readonly #array: ArrayOf;

  /** @param like what is computed has its precision. */
  constructor(like: TensorData) {
    this.#array = like instanceof Float64Array ? Float64Array : Float32Array;
  }

  /** Room for a result, zeros. */
  room(size: number): TensorData {
    return new this.#array(size);
  }

  /** Gradients with respect to it will be asked for. */
  watch(tensor: Tensor): void {
    this.#known.add(tensor);
  }

  /** Whether it was made of something watched. */
  reaches(tensor: Tensor): boolean {
    return this.#known.has(tensor);
  }

  /** Notes a result and how it was made. */
  note(inputs: readonly Tensor[], shape: Shape, data: TensorData, backward: Backward): Tensor {
    const output: Tensor = { shape, data };
    if (inputs.some((input) => this.#known.has(input))) {
      this.#known.add(output);
      this.#steps.push({ inputs, output, backward });
    }
    return output;
  }

  /** Notes on which side of a kink each element lies: -1, 1, or 0 on it. */
  noteSides(sides: Int8Array): void {
    this.#sides.push(sides);
  }

  /** The sides of all kinks so far, one after the other. */
  sides(): Int8Array {
    const all = new Int8Array(this.#sides.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const sides of this.#sides) {
      all.set(sides, at);
      at += sides.length;
    }
    return all;
  }

  /**
   * dL/d tensor for each of `wanted`, given dL/d output.
   * @returns arrays of the tensors' sizes; zeros where the output does not depend on one.
   */
  gradients(output: Tensor, upstream: TensorData, wanted: readonly Tensor[]): TensorData[] {
    const sums = new Map<Tensor, TensorData>([[output, this.#copy(upstream)]]);
    for (let i = this.#steps.length - 1; i >= 0; i--) {
      const step = this.#steps[i];
      const gradient = sums.get(step.output);
      if (!gradient) continue;
      step.backward(gradient).forEach((share, at) => {
        const input = step.inputs[at];
        if (!share || !this.#known.has(input)) return;
        const sum = sums.get(input);
        // A share may be the gradient itself, or be handed to two inputs.
        if (!sum) sums.set(input, this.#copy(share));
        else for (let j = 0; j < sum.length; j++) sum[j] += share[j];
      });
    }
    return wanted.map((tensor) => sums.get(tensor) ?? this.room(sizeOf(tensor.shape)));
  }

  #copy(from: TensorData): TensorData {
    const copy = this.room(from.length);
    copy.set(from);
    return copy;
  }
}
