// Records operations, so that gradients can be computed by replaying them backward. Tensors are plain objects: the tape
// finds the operation of a tensor by identity. One tape serves one forward pass.
import { numel, type Shape, type Tensor, type TensorData } from '../kernels/tensor';

/** dL/d input for each input of an operation, given dL/d output; null for inputs without a gradient. */
export type BackwardFunction = (gradient: TensorData) => readonly (TensorData | null)[];

export interface TapeNode {
  /** Its name in `ops`, such as "matmul". */
  readonly operation: string;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly backward: BackwardFunction;
  /** Its stack says where the operation was called; null unless the tape records calls. */
  readonly call: Error | null;
}

type FloatArrayConstructor = Float32ArrayConstructor | Float64ArrayConstructor;

/** An operation got operands that it cannot handle; the message is for people. */
export class OperationError extends Error {
  override name = 'OperationError';
}

export class Tape {
  readonly #nodes: TapeNode[] = [];
  readonly #tracked = new Set<Tensor>();
  readonly #kinkSides: Int8Array[] = [];
  readonly #ArrayType: FloatArrayConstructor;

  /** The operation that records next. */
  operation = '';

  /**
   * @param like results have its precision.
   * @param recordsCalls whether each node keeps the stack of its call, which is slow.
   */
  constructor(
    like: TensorData,
    readonly recordsCalls = false,
  ) {
    this.#ArrayType = like instanceof Float64Array ? Float64Array : Float32Array;
  }

  /** In the order of the forward pass. */
  get nodes(): readonly TapeNode[] {
    return this.#nodes;
  }

  /** An array of zeros for a result. */
  allocate(size: number): TensorData {
    return new this.#ArrayType(size);
  }

  /** Marks a tensor whose gradient is needed. */
  watch(tensor: Tensor): void {
    this.#tracked.add(tensor);
  }

  /** Whether a tensor depends on a watched one. */
  isTracked(tensor: Tensor): boolean {
    return this.#tracked.has(tensor);
  }

  /** Records a result and its backward function. */
  record(inputs: readonly Tensor[], shape: Shape, data: TensorData, backward: BackwardFunction): Tensor {
    const output: Tensor = { shape, data };
    if (inputs.some((input) => this.#tracked.has(input))) {
      this.#tracked.add(output);
      const call = this.recordsCalls ? new Error(this.operation) : null;
      this.#nodes.push({ operation: this.operation, inputs, output, backward, call });
    }
    return output;
  }

  /** Records the side of a kink for each element: -1, 1, or 0 on it. */
  recordKinkSides(sides: Int8Array): void {
    this.#kinkSides.push(sides);
  }

  /** The sides of all kinks so far, concatenated. */
  kinkSides(): Int8Array {
    const all = new Int8Array(this.#kinkSides.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const sides of this.#kinkSides) {
      all.set(sides, at);
      at += sides.length;
    }
    return all;
  }

  /**
   * dL/d tensor for each of `wanted`, given dL/d output.
   * @returns arrays of the tensors' sizes, with zeros for tensors that the output does not depend on
   */
  gradients(output: Tensor, upstream: TensorData, wanted: readonly Tensor[]): TensorData[] {
    const sums = new Map<Tensor, TensorData>([[output, this.#clone(upstream)]]);
    for (let i = this.#nodes.length - 1; i >= 0; i--) {
      const step = this.#nodes[i]!;
      const gradient = sums.get(step.output);
      if (!gradient) continue;
      step.backward(gradient).forEach((share, at) => {
        const input = step.inputs[at]!;
        if (!share || !this.#tracked.has(input)) return;
        const sum = sums.get(input);
        // Copied, because a share can be the gradient itself or belong to two inputs.
        if (!sum) sums.set(input, this.#clone(share));
        else for (let j = 0; j < sum.length; j++) sum[j]! += share[j]!;
      });
    }
    return wanted.map((tensor) => sums.get(tensor) ?? this.allocate(numel(tensor.shape)));
  }

  #clone(from: TensorData): TensorData {
    const copy = this.allocate(from.length);
    copy.set(from);
    return copy;
  }
}
