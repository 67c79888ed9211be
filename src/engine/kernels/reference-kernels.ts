// The kernels in plain TypeScript: correct, portable, and the reference that other backends are tested against. Sums
// are computed in float64 and in index order. float32 results are rounded once, when stored.
import type { Kernels, Moments, TracedStep } from './kernels';
import { runInOrder, FallbackKernels } from './fallback-kernels';
import {
  createTensors,
  type MemoryPlan,
  type Precision,
  type Tensor,
  type TensorData,
  type Shape1,
  type Shape2,
} from './tensor';
import { sigmoid } from './unary-functions';

type ElementFunction = (x: number) => number;

function map(y: TensorData, x: TensorData, f: ElementFunction): void {
  for (let i = 0; i < y.length; i++) y[i] = f(x[i]!);
}

function maxOfRow(x: TensorData, from: number, to: number): number {
  let max = -Infinity;
  for (let i = from; i < to; i++) max = Math.max(max, x[i]!);
  return max;
}

function softmaxRow(y: TensorData, x: TensorData, from: number, to: number): void {
  const max = maxOfRow(x, from, to);
  let sum = 0;
  for (let i = from; i < to; i++) sum += Math.exp(x[i]! - max);
  for (let i = from; i < to; i++) y[i] = Math.exp(x[i]! - max) / sum;
}

/** Index of the maximum of n elements from `from`; -1 if one is NaN. */
function argmax(x: TensorData, from: number, n: number): number {
  let best = 0;
  for (let j = 0; j < n; j++) {
    if (Number.isNaN(x[from + j])) return -1;
    if (x[from + j]! > x[from + best]!) best = j;
  }
  return best;
}

/** The guard of PyTorch's BCELoss, a float32 constant also in float64. */
const MIN_DERIVATIVE = Math.fround(1e-12);

const columns = (x: Tensor): number => x.shape[x.shape.length - 1] ?? 1;

export class ReferenceKernels extends FallbackKernels implements Kernels {
  readonly backend = 'reference';

  constructor(readonly precision: Precision) {
    super();
  }

  allocate(plan: MemoryPlan): Tensor[] {
    return createTensors(plan, new ArrayBuffer(plan.bytes));
  }

  protected assertEager(): void {
    // All kernels here run immediately.
  }

  trace(work: () => void): () => void {
    return work;
  }

  traceStep(before: () => void, value: () => number, after: () => void): TracedStep {
    return { run: runInOrder(before, value, after), repeat: null, observed: null };
  }

  fill(out: Tensor, value: number): void {
    out.data.fill(value);
  }

  copy(out: Tensor, x: Tensor): void {
    out.data.set(x.data);
  }

  scale(out: Tensor, x: Tensor, scale: number): void {
    for (let i = 0; i < out.data.length; i++) out.data[i] = scale * x.data[i]!;
  }

  subtract(out: Tensor, a: Tensor, b: Tensor): void {
    for (let i = 0; i < out.data.length; i++) out.data[i] = a.data[i]! - b.data[i]!;
  }

  matmul(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void {
    const [m, k] = a.shape as Shape2;
    this.#gemm(out.data, a.data, b.data, m, k, columns(b), k, 1, accumulate);
  }

  matmulTransposedA(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void {
    const [k, m] = a.shape as Shape2;
    this.#gemm(out.data, a.data, b.data, m, k, columns(b), 1, m, accumulate);
  }

  /** out[m,n] (+)= a b[k,n], where a's rows and columns are `rowStep` and `columnStep` apart. */
  #gemm(
    out: TensorData,
    a: TensorData,
    b: TensorData,
    m: number,
    k: number,
    n: number,
    rowStep: number,
    columnStep: number,
    accumulate: boolean,
  ): void {
    const row = new Float64Array(n);
    for (let i = 0; i < m; i++) {
      row.fill(0);
      for (let p = 0; p < k; p++) {
        const scale = a[i * rowStep + p * columnStep]!;
        const from = p * n;
        for (let j = 0; j < n; j++) row[j]! += scale * b[from + j]!;
      }
      const to = i * n;
      if (accumulate) for (let j = 0; j < n; j++) out[to + j]! += row[j]!;
      else for (let j = 0; j < n; j++) out[to + j] = row[j]!;
    }
  }

  matmulTransposedB(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void {
    const [m, k] = a.shape as Shape2;
    const [n] = b.shape as Shape1;
    const x = a.data;
    const w = b.data;
    const y = out.data;
    for (let i = 0; i < m; i++) {
      const xi = i * k;
      for (let j = 0; j < n; j++) {
        const wj = j * k;
        let sum = 0;
        for (let p = 0; p < k; p++) sum += x[xi + p]! * w[wj + p]!;
        y[i * n + j] = accumulate ? y[i * n + j]! + sum : sum;
      }
    }
  }

  linear(y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | null): void {
    this.matmulTransposedB(y, x, weight, false);
    if (bias) this.addRow(y, bias);
  }

  addRow(out: Tensor, row: Tensor): void {
    const n = row.data.length;
    for (let i = 0; i < out.data.length; i += n) {
      for (let j = 0; j < n; j++) out.data[i + j]! += row.data[j]!;
    }
  }

  accumulateRows(out: Tensor, x: Tensor): void {
    const n = out.data.length;
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let i = j; i < x.data.length; i += n) sum += x.data[i]!;
      out.data[j]! += sum;
    }
  }

  tanh(y: Tensor, x: Tensor): void {
    map(y.data, x.data, Math.tanh);
  }

  tanhBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    for (let i = 0; i < dx.data.length; i++) dx.data[i] = dy.data[i]! * (1 - y.data[i]! * y.data[i]!);
  }

  sigmoid(y: Tensor, x: Tensor): void {
    map(y.data, x.data, sigmoid);
  }

  sigmoidBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    for (let i = 0; i < dx.data.length; i++) dx.data[i] = dy.data[i]! * y.data[i]! * (1 - y.data[i]!);
  }

  relu(y: Tensor, x: Tensor, scale: number): void {
    // Not `x > 0 ? x : 0`, which would turn NaN into a plausible 0.
    for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[i]! <= 0 ? 0 : scale * x.data[i]!;
  }

  reluBackward(dx: Tensor, dy: Tensor, x: Tensor, scale: number): void {
    for (let i = 0; i < dx.data.length; i++) dx.data[i] = x.data[i]! <= 0 ? 0 : scale * dy.data[i]!;
  }

  softmax(y: Tensor, x: Tensor): void {
    const n = columns(x);
    for (let i = 0; i < x.data.length; i += n) softmaxRow(y.data, x.data, i, i + n);
  }

  softmaxBackward(dx: Tensor, dy: Tensor, y: Tensor): void {
    const n = columns(y);
    for (let i = 0; i < y.data.length; i += n) {
      let dot = 0;
      for (let j = i; j < i + n; j++) dot += dy.data[j]! * y.data[j]!;
      for (let j = i; j < i + n; j++) dx.data[j] = y.data[j]! * (dy.data[j]! - dot);
    }
  }

  squaredError(x: Tensor, t: Tensor): number {
    let sum = 0;
    for (let i = 0; i < x.data.length; i++) {
      const difference = x.data[i]! - t.data[i]!;
      sum += difference * difference;
    }
    return sum;
  }

  squaredErrorBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void {
    for (let i = 0; i < dx.data.length; i++) dx.data[i] = scale * 2 * (x.data[i]! - t.data[i]!);
  }

  crossEntropy(x: Tensor, t: Tensor): number {
    const n = columns(x);
    let total = 0;
    for (let i = 0; i < x.data.length; i += n) {
      const max = maxOfRow(x.data, i, i + n);
      let sum = 0;
      for (let j = i; j < i + n; j++) sum += Math.exp(x.data[j]! - max);
      const logSum = Math.log(sum);
      for (let j = i; j < i + n; j++) {
        // Takes the difference of the logits first: max + logSum would round away the digits of a small loss.
        if (t.data[j] !== 0) total += t.data[j]! * (max - x.data[j]! + logSum);
      }
    }
    return total;
  }

  crossEntropyBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void {
    const n = columns(x);
    for (let i = 0; i < x.data.length; i += n) {
      const max = maxOfRow(x.data, i, i + n);
      let sum = 0;
      let mass = 0;
      for (let j = i; j < i + n; j++) {
        sum += Math.exp(x.data[j]! - max);
        mass += t.data[j]!;
      }
      for (let j = i; j < i + n; j++) {
        dx.data[j] = scale * ((Math.exp(x.data[j]! - max) / sum) * mass - t.data[j]!);
      }
    }
  }

  negativeLogLikelihood(p: Tensor, t: Tensor): number {
    let total = 0;
    for (let i = 0; i < p.data.length; i++) {
      if (t.data[i] !== 0) total -= t.data[i]! * Math.log(p.data[i]!);
    }
    return total;
  }

  negativeLogLikelihoodBackward(dp: Tensor, p: Tensor, t: Tensor, scale: number): void {
    for (let i = 0; i < dp.data.length; i++) {
      dp.data[i] = t.data[i] === 0 ? 0 : (-scale * t.data[i]!) / p.data[i]!;
    }
  }

  binaryCrossEntropy(p: Tensor, t: Tensor): number {
    let total = 0;
    for (let i = 0; i < p.data.length; i++) {
      const log = Math.max(Math.log(p.data[i]!), -100);
      const logOther = Math.max(Math.log1p(-p.data[i]!), -100);
      total -= t.data[i]! * log + (1 - t.data[i]!) * logOther;
    }
    return total;
  }

  binaryCrossEntropyBackward(dp: Tensor, p: Tensor, t: Tensor, scale: number): void {
    for (let i = 0; i < dp.data.length; i++) {
      const derivative = Math.max(p.data[i]! * (1 - p.data[i]!), MIN_DERIVATIVE);
      dp.data[i] = (scale * (p.data[i]! - t.data[i]!)) / derivative;
    }
  }

  binaryCrossEntropyWithLogits(x: Tensor, t: Tensor): number {
    let total = 0;
    for (let i = 0; i < x.data.length; i++) {
      const logit = x.data[i]!;
      total += Math.max(logit, 0) - logit * t.data[i]! + Math.log1p(Math.exp(-Math.abs(logit)));
    }
    return total;
  }

  binaryCrossEntropyWithLogitsBackward(dx: Tensor, x: Tensor, t: Tensor, scale: number): void {
    for (let i = 0; i < dx.data.length; i++) dx.data[i] = scale * (sigmoid(x.data[i]!) - t.data[i]!);
  }

  sgd(w: Tensor, g: Tensor, v: Tensor | null, lr: number, momentum: number): void {
    const weights = w.data;
    const gradient = g.data;
    if (!v) {
      for (let i = 0; i < weights.length; i++) weights[i]! -= lr * gradient[i]!;
      return;
    }
    const velocity = v.data;
    for (let i = 0; i < weights.length; i++) {
      velocity[i] = momentum * velocity[i]! + gradient[i]!;
      weights[i]! -= lr * velocity[i]!;
    }
  }

  moments(x: Tensor): Moments {
    let sum = 0;
    let sumOfSquares = 0;
    let min = Infinity;
    let max = -Infinity;
    for (let i = 0; i < x.data.length; i++) {
      const value = x.data[i]!;
      sum += value;
      sumOfSquares += value * value;
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
    const mean = sum / x.data.length;
    let sumOfSquaredDeviations = 0;
    for (let i = 0; i < x.data.length; i++) sumOfSquaredDeviations += (x.data[i]! - mean) ** 2;
    return { sum, sumOfSquares, sumOfSquaredDeviations, min, max };
  }

  absoluteSum(x: Tensor): number {
    let sum = 0;
    for (let i = 0; i < x.data.length; i++) sum += Math.abs(x.data[i]!);
    return sum;
  }

  sum(x: Tensor): number {
    let sum = 0;
    for (let i = 0; i < x.data.length; i++) sum += x.data[i]!;
    return sum;
  }

  sumOfSquares(x: Tensor): number {
    let sum = 0;
    for (let i = 0; i < x.data.length; i++) sum += x.data[i]! * x.data[i]!;
    return sum;
  }

  extremes(x: Tensor): { readonly min: number; readonly max: number } {
    let [min, max] = [Infinity, -Infinity];
    for (let i = 0; i < x.data.length; i++) {
      min = Math.min(min, x.data[i]!);
      max = Math.max(max, x.data[i]!);
    }
    return { min, max };
  }

  histogram(counts: Uint32Array, x: Tensor, lo: number, hi: number): void {
    counts.fill(0);
    const bins = counts.length;
    // Halved if the range itself overflows; that loses no digit.
    const scale = Number.isFinite(hi - lo) ? 1 : 0.5;
    const from = lo * scale;
    const width = hi * scale - from;
    for (let i = 0; i < x.data.length; i++) {
      const value = x.data[i]!;
      if (!(value >= lo && value <= hi)) continue;
      const share = hi > lo ? (value * scale - from) / width : 0;
      counts[Math.min(bins - 1, Math.floor(share * bins))]!++;
    }
  }

  countOutside(counts: Uint32Array, x: Tensor, above: number, below: number): void {
    counts.fill(0);
    const n = counts.length;
    for (let i = 0; i < x.data.length; i++) {
      const value = x.data[i]!;
      if (!(value > above && value < below)) counts[i % n]!++;
    }
  }

  countCorrect(prediction: Tensor, target: Tensor, threshold: number): number {
    const n = columns(prediction);
    let correct = 0;
    for (let i = 0; i < prediction.data.length; i += n) {
      if (n === 1) {
        // Written so that a NaN is never correct.
        const one = target.data[i]! > 0.5;
        if (one ? prediction.data[i]! > threshold : prediction.data[i]! <= threshold) correct++;
      } else if (argmax(prediction.data, i, n) === argmax(target.data, i, n)) correct++;
    }
    return correct;
  }

  firstNonFinite(x: Tensor): number {
    for (let i = 0; i < x.data.length; i++) if (!Number.isFinite(x.data[i])) return i;
    return -1;
  }
}
