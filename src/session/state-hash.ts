// Hashes the state of a network or the samples of a run, to compare them bit for bit.
import type { Tensor } from '../engine/kernels/tensor';
import { type CompiledRun, givenValues } from '../model-spec';

/** 64 bits of FNV-1a over every byte, in hexadecimal: two halves with different bases. */
export function hashTensors(tensors: readonly Tensor[]): string {
  let low = 0x811c9dc5;
  let high = 0x050c5d1f;
  for (const { data } of tensors) {
    for (const byte of new Uint8Array(data.buffer, data.byteOffset, data.byteLength)) {
      low = Math.imul(low ^ byte, 0x01000193) >>> 0;
      high = Math.imul(high ^ byte, 0x01000193) >>> 0;
    }
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

/** 64 bits of FNV-1a over the 32-bit words of the samples, the split and the weights from a file, in hexadecimal. */
export function hashData({
  dataset: { inputs, targets },
  split,
  model,
}: Pick<CompiledRun, 'dataset' | 'split'> & Partial<Pick<CompiledRun, 'model'>>): string {
  let low = 0x811c9dc5;
  let high = 0x050c5d1f;
  const add = (word: number): void => {
    low = Math.imul(low ^ word, 0x01000193) >>> 0;
    high = Math.imul(high ^ word, 0x01000193) >>> 0;
  };
  for (const { buffer, byteOffset, byteLength } of [
    inputs,
    Float64Array.from(targets),
    split.train,
    ...(model ? givenValues(model) : []),
  ]) {
    add(byteLength);
    for (const word of new Uint32Array(buffer, byteOffset, byteLength >> 2)) add(word);
  }
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}
