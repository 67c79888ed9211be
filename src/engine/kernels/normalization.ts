// Normalization to mean 0 and variance 1, of each channel over the batch or of each sample over its own numbers; and to
// mean square 1.
// Channels are the second dimension: [samples, channels, …].
import type { Tensor, TensorData, Shape2 } from './tensor';

/** The parameter's value for channel or position `i`. */
const parameterAt = (tensor: Tensor | null, i: number, fallback: number): number =>
  tensor ? tensor.data[i]! : fallback;

/** Mean and biased variance of each channel. */
export function channelMoments(mean: TensorData, variance: TensorData, { shape, data }: Tensor): void {
  const [samples, channels] = shape as Shape2;
  const size = data.length / (samples * channels);
  for (let channel = 0; channel < channels; channel++) {
    let sum = 0;
    for (let sample = 0; sample < samples; sample++) {
      const from = (sample * channels + channel) * size;
      for (let i = from; i < from + size; i++) sum += data[i]!;
    }
    const mu = sum / (samples * size);
    let squares = 0;
    for (let sample = 0; sample < samples; sample++) {
      const from = (sample * channels + channel) * size;
      for (let i = from; i < from + size; i++) squares += (data[i]! - mu) * (data[i]! - mu);
    }
    mean[channel] = mu;
    variance[channel] = squares / (samples * size);
  }
}

export function normalizeChannels(
  y: Tensor,
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
): void {
  const [samples, channels] = x.shape as Shape2;
  const size = x.data.length / (samples * channels);
  for (let channel = 0; channel < channels; channel++) {
    const mu = mean.data[channel]!;
    const scale = parameterAt(weight, channel, 1) / Math.sqrt(variance.data[channel]! + eps);
    const shift = parameterAt(bias, channel, 0);
    for (let sample = 0; sample < samples; sample++) {
      const from = (sample * channels + channel) * size;
      for (let i = from; i < from + size; i++) y.data[i] = (x.data[i]! - mu) * scale + shift;
    }
  }
}

export function normalizeChannelsBackward(
  dx: Tensor | null,
  dWeight: Tensor | null,
  dBias: Tensor | null,
  dy: Tensor,
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  weight: Tensor | null,
  eps: number,
  useBatchStats: boolean,
): void {
  const [samples, channels] = x.shape as Shape2;
  const size = x.data.length / (samples * channels);
  for (let channel = 0; channel < channels; channel++) {
    const mu = mean.data[channel]!;
    const rstd = 1 / Math.sqrt(variance.data[channel]! + eps);
    let sum = 0;
    let dot = 0;
    for (let sample = 0; sample < samples; sample++) {
      const from = (sample * channels + channel) * size;
      for (let i = from; i < from + size; i++) {
        sum += dy.data[i]!;
        dot += dy.data[i]! * (x.data[i]! - mu);
      }
    }
    if (dWeight) dWeight.data[channel]! += dot * rstd;
    if (dBias) dBias.data[channel]! += sum;
    if (!dx) continue;
    const scale = parameterAt(weight, channel, 1) * rstd;
    // The gradient through the mean, and through the variance.
    const meanTerm = useBatchStats ? sum / (samples * size) : 0;
    const varianceFactor = useBatchStats ? (dot * rstd * rstd) / (samples * size) : 0;
    for (let sample = 0; sample < samples; sample++) {
      const from = (sample * channels + channel) * size;
      for (let i = from; i < from + size; i++)
        dx.data[i] = scale * (dy.data[i]! - meanTerm - (x.data[i]! - mu) * varianceFactor);
    }
  }
}

/** Mean and reciprocal standard deviation of `size` numbers; one object is reused for all rows. */
const rowStats = { mean: 0, rstd: 0 };

function computeRowStats(data: TensorData, from: number, size: number, eps: number): void {
  let sum = 0;
  for (let i = from; i < from + size; i++) sum += data[i]!;
  rowStats.mean = sum / size;
  let squares = 0;
  for (let i = from; i < from + size; i++) squares += (data[i]! - rowStats.mean) * (data[i]! - rowStats.mean);
  rowStats.rstd = 1 / Math.sqrt(squares / size + eps);
}

export function normalizeRows(
  y: Tensor,
  x: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  size: number,
  eps: number,
): void {
  for (let from = 0; from < x.data.length; from += size) {
    computeRowStats(x.data, from, size, eps);
    for (let i = 0; i < size; i++) {
      y.data[from + i] =
        (x.data[from + i]! - rowStats.mean) * rowStats.rstd * parameterAt(weight, i, 1) + parameterAt(bias, i, 0);
    }
  }
}

export function normalizeRowsBackward(
  dx: Tensor | null,
  dWeight: Tensor | null,
  dBias: Tensor | null,
  dy: Tensor,
  x: Tensor,
  weight: Tensor | null,
  size: number,
  eps: number,
): void {
  for (let from = 0; from < x.data.length; from += size) {
    computeRowStats(x.data, from, size, eps);
    let sum = 0;
    let dot = 0;
    for (let i = 0; i < size; i++) {
      const normalized = (x.data[from + i]! - rowStats.mean) * rowStats.rstd;
      const upstream = dy.data[from + i]!;
      const scaled = upstream * parameterAt(weight, i, 1);
      sum += scaled;
      dot += scaled * normalized;
      if (dWeight) dWeight.data[i]! += upstream * normalized;
      if (dBias) dBias.data[i]! += upstream;
    }
    if (!dx) continue;
    for (let i = 0; i < size; i++) {
      const normalized = (x.data[from + i]! - rowStats.mean) * rowStats.rstd;
      dx.data[from + i] =
        rowStats.rstd * (dy.data[from + i]! * parameterAt(weight, i, 1) - sum / size - (normalized * dot) / size);
    }
  }
}

/** Each `size` consecutive numbers divided by the root of their mean square: y = x / √(mean(x²) + eps) · weight. */
export function rmsNormalizeRows(y: Tensor, x: Tensor, weight: Tensor | null, size: number, eps: number): void {
  for (let from = 0; from < x.data.length; from += size) {
    const rrms = reciprocalRms(x.data, from, size, eps);
    for (let i = 0; i < size; i++) y.data[from + i] = x.data[from + i]! * rrms * parameterAt(weight, i, 1);
  }
}

export function rmsNormalizeRowsBackward(
  dx: Tensor | null,
  dWeight: Tensor | null,
  dy: Tensor,
  x: Tensor,
  weight: Tensor | null,
  size: number,
  eps: number,
): void {
  for (let from = 0; from < x.data.length; from += size) {
    const rrms = reciprocalRms(x.data, from, size, eps);
    let dot = 0;
    for (let i = 0; i < size; i++) {
      const normalized = x.data[from + i]! * rrms;
      dot += dy.data[from + i]! * parameterAt(weight, i, 1) * normalized;
      if (dWeight) dWeight.data[i]! += dy.data[from + i]! * normalized;
    }
    if (!dx) continue;
    for (let i = 0; i < size; i++)
      dx.data[from + i] =
        rrms * (dy.data[from + i]! * parameterAt(weight, i, 1) - (x.data[from + i]! * rrms * dot) / size);
  }
}

function reciprocalRms(data: TensorData, from: number, size: number, eps: number): number {
  let squares = 0;
  for (let i = from; i < from + size; i++) squares += data[i]! * data[i]!;
  return 1 / Math.sqrt(squares / size + eps);
}
