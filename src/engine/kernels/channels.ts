// Arithmetic by channel. Channels are the second dimension: [samples, channels, …].
import type { Shape2, Tensor } from './tensor';

/** Calls `visit` for the consecutive numbers of each sample and channel. */
function forEachChannel({ shape, data }: Tensor, visit: (channel: number, from: number, to: number) => void): void {
  const [samples, channels] = shape as Shape2;
  const size = data.length / (samples * channels);
  for (let sample = 0; sample < samples; sample++) {
    for (let channel = 0; channel < channels; channel++) {
      const from = (sample * channels + channel) * size;
      visit(channel, from, from + size);
    }
  }
}

export function scaleChannels(out: Tensor, x: Tensor, scale: Tensor): void {
  forEachChannel(x, (channel, from, to) => {
    const by = scale.data[channel]!;
    for (let i = from; i < to; i++) out.data[i] = by * x.data[i]!;
  });
}

export function addChannels(out: Tensor, row: Tensor): void {
  forEachChannel(out, (channel, from, to) => {
    const value = row.data[channel]!;
    for (let i = from; i < to; i++) out.data[i]! += value;
  });
}

/** Sums in float64, and rounds once. */
export function accumulateChannels(out: Tensor, x: Tensor): void {
  const sums = new Float64Array(out.data.length);
  forEachChannel(x, (channel, from, to) => {
    for (let i = from; i < to; i++) sums[channel]! += x.data[i]!;
  });
  sums.forEach((sum, channel) => (out.data[channel]! += sum));
}

export function prelu(y: Tensor, x: Tensor, weight: Tensor): void {
  const shared = weight.data.length === 1;
  forEachChannel(x, (channel, from, to) => {
    const slope = weight.data[shared ? 0 : channel]!;
    for (let i = from; i < to; i++) y.data[i] = x.data[i]! > 0 ? x.data[i]! : slope * x.data[i]!;
  });
}

/** Writes dx, and adds to dWeight. */
export function preluBackward(dx: Tensor | null, dWeight: Tensor, dy: Tensor, x: Tensor, weight: Tensor): void {
  const shared = weight.data.length === 1;
  const sums = new Float64Array(weight.data.length);
  forEachChannel(x, (channel, from, to) => {
    const which = shared ? 0 : channel;
    const slope = weight.data[which]!;
    for (let i = from; i < to; i++) {
      // Written so that NaN is passed on.
      const positive = x.data[i]! > 0;
      if (!positive) sums[which]! += dy.data[i]! * x.data[i]!;
      if (dx) dx.data[i] = positive ? dy.data[i]! : slope * dy.data[i]!;
    }
  });
  sums.forEach((sum, i) => (dWeight.data[i]! += sum));
}
