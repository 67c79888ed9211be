// Hashes the state of a network, to compare states bit for bit.
import type { Tensor } from '../engine/kernels/tensor';

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
