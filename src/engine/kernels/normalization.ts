// Normalization to mean 0 and variance 1: of each channel over the batch, or of each sample over its own numbers.
// Channels are the second size of a tensor: [samples, channels, …].
import type { Tensor, TensorData } from './tensor';

/** What a parameter's number does to channel or place `i`. */
const at = (tensor: Tensor | null, i: number, otherwise: number): number => (tensor ? tensor.data[i] : otherwise);

/** Mean, and mean square distance from it, of each channel. */
export function channelMoments(mean: TensorData, variance: TensorData, { shape, data }: Tensor): void {
  const [samples, channels] = shape;
  const size = data.length / (samples * channels);
  for (let channel = 0; channel < channels; channel++) {
    let sum = 0;
    for (let sample = 0; sample < samples; sample++) {
      const from = (sample * channels + channel) * size;
      for (let i = from; i < from + size; i++) sum += data[i];
    }
    const middle = sum / (samples * size);
    let squares = 0;
    for (let sample = 0; sample < samples; sample++) {
      const from = (sample * channels + channel) * size;
      for (let i = from; i < from + size; i++) squares += (data[i] - middle) * (data[i] - middle);
    }
    mean[channel] = middle;
    variance[channel] = squares / (samples * size);
  }
}

export function normalizeChannels(
  y: Tensor, x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | null, bias: Tensor | null, eps: number,
): void {
  const [samples, channels] = x.shape;
  const size = x.data.length / (samples * channels);
  for (let channel = 0; channel < channels; channel++) {
    const middle = mean.data[channel];
    const scale = at(weight, channel, 1) / Math.sqrt(variance.data[channel] + eps);
    const shift = at(bias, channel, 0);
    for (let sample = 0; sample < samples; sample++) {
      const from = (sample * channels + channel) * size;
      for (let i = from; i < from + size; i++) y.data[i] = (x.data[i] - middle) * scale + shift;
    }
  }
}

export function normalizeChannelsBackward(
  dx: Tensor | null, dWeight: Tensor | null, dBias: Tensor | null,
  dy: Tensor, x: Tensor, mean: Tensor, variance: Tensor, weight: Tensor | null, eps: number, ofBatch: boolean,
): void {
  const [samples, channels] = x.shape;
  const size = x.data.length / (samples * channels);
  for (let channel = 0; channel < channels; channel++) {
    const middle = mean.data[channel];
    const inverse = 1 / Math.sqrt(variance.data[channel] + eps);
    let sum = 0;
    let product = 0;
    for (let sample = 0; sample < samples; sample++) {
      const from = (sample * channels + channel) * size;
      for (let i = from; i < from + size; i++) {
        sum += dy.data[i];
        product += dy.data[i] * (x.data[i] - middle);
      }
    }
    if (dWeight) dWeight.data[channel] += product * inverse;
    if (dBias) dBias.data[channel] += sum;
    if (!dx) continue;
    const scale = at(weight, channel, 1) * inverse;
    // What goes through the mean, and through the variance.
    const shift = ofBatch ? sum / (samples * size) : 0;
    const slope = ofBatch ? (product * inverse * inverse) / (samples * size) : 0;
    for (let sample = 0; sample < samples; sample++) {
      const from = (sample * channels + channel) * size;
      for (let i = from; i < from + size; i++) dx.data[i] = scale * (dy.data[i] - shift - (x.data[i] - middle) * slope);
    }
  }
}

/** Mean and inverse standard deviation of `size` numbers, in an object that is made once. */
const row = { mean: 0, inverse: 0 };

function measure(data: TensorData, from: number, size: number, eps: number): void {
  let sum = 0;
  for (let i = from; i < from + size; i++) sum += data[i];
  row.mean = sum / size;
  let squares = 0;
  for (let i = from; i < from + size; i++) squares += (data[i] - row.mean) * (data[i] - row.mean);
  row.inverse = 1 / Math.sqrt(squares / size + eps);
}

export function normalizeRows(y: Tensor, x: Tensor, weight: Tensor | null, bias: Tensor | null, size: number, eps: number): void {
  for (let from = 0; from < x.data.length; from += size) {
    measure(x.data, from, size, eps);
    for (let i = 0; i < size; i++) {
      y.data[from + i] = (x.data[from + i] - row.mean) * row.inverse * at(weight, i, 1) + at(bias, i, 0);
    }
  }
}

export function normalizeRowsBackward(
  dx: Tensor | null, dWeight: Tensor | null, dBias: Tensor | null, dy: Tensor, x: Tensor, weight: Tensor | null, size: number, eps: number,
): void {
  for (let from = 0; from < x.data.length; from += size) {
    measure(x.data, from, size, eps);
    let sum = 0;
    let product = 0;
    for (let i = 0; i < size; i++) {
      const normal = (x.data[from + i] - row.mean) * row.inverse;
      const arriving = dy.data[from + i];
      const scaled = arriving * at(weight, i, 1);
      sum += scaled;
      product += scaled * normal;
      if (dWeight) dWeight.data[i] += arriving * normal;
      if (dBias) dBias.data[i] += arriving;
    }
    if (!dx) continue;
    for (let i = 0; i < size; i++) {
      const normal = (x.data[from + i] - row.mean) * row.inverse;
      dx.data[from + i] = row.inverse * (dy.data[from + i] * at(weight, i, 1) - sum / size - (normal * product) / size);
    }
  }
}
