// Random numbers from one seed by named streams. Philox4x32-10 is counter-based: draw i of a stream is
// a pure function of (seed, stream, i), so nothing has to be saved to go back in a run.
// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

import { cosPi, log } from './functions';

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;
const TWO_53 = 2 ** -53;

/** High 32 bits of a 32x32-bit product, with a sign like all that follows: by 16-bit halves, every part of it fits in 32 bits. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const low = Math.imul(aLow, bLow);
  const middle1 = (Math.imul(aHigh, bLow) + (low >>> 16)) | 0;
  const middle2 = (Math.imul(aLow, bHigh) + (middle1 & 0xffff)) | 0;
  return (Math.imul(aHigh, bHigh) + (middle1 >>> 16) + (middle2 >>> 16)) | 0;
}

/** Ten Philox rounds over `counter` (four 32-bit words, replaced by the output) under a two-word key. */
export function philox4x32(counter: Uint32Array, key0: number, key1: number): void {
  // One by one, because taking an array apart takes time; with a sign, because without they would be doubles.
  let c0 = counter[0] | 0;
  let c1 = counter[1] | 0;
  let c2 = counter[2] | 0;
  let c3 = counter[3] | 0;
  let k0 = key0 | 0;
  let k1 = key1 | 0;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(M0, c0);
    const low0 = Math.imul(M0, c0);
    const high1 = multiplyHigh(M1, c2);
    const low1 = Math.imul(M1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + W0) | 0;
    k1 = (k1 + W1) | 0;
  }
  counter[0] = c0;
  counter[1] = c1;
  counter[2] = c2;
  counter[3] = c3;
}

/** FNV-1a, 32 bits, over UTF-16 code units; `basis` tells the two halves of a stream's name apart. */
function fnv1a(text: string, basis: number): number {
  let hash = basis >>> 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

/** One stream of draws: the same seed and name give the same numbers, whatever other streams did. */
export class Random {
  readonly #block = new Uint32Array(4);
  readonly #stream0: number;
  readonly #stream1: number;
  #index = 0;
  #used = 4;

  /** @param seed any safe integer: its low and high 32 bits are the key. */
  constructor(readonly seed: number, readonly name: string) {
    this.#stream0 = fnv1a(name, 0x811c9dc5);
    this.#stream1 = fnv1a(name, 0x050c5d1f);
  }

  /** A stream of its own under this one's name. */
  stream(name: string): Random {
    return new Random(this.seed, this.name === '' ? name : `${this.name}/${name}`);
  }

  /** 32 random bits. */
  bits(): number {
    if (this.#used === 4) {
      this.#block[0] = this.#index >>> 0;
      this.#block[1] = Math.floor(this.#index / 2 ** 32) >>> 0;
      this.#block[2] = this.#stream0;
      this.#block[3] = this.#stream1;
      philox4x32(this.#block, this.seed >>> 0, Math.floor(this.seed / 2 ** 32) >>> 0);
      this.#index++;
      this.#used = 0;
    }
    return this.#block[this.#used++];
  }

  /** Uniform in [low, high), from 53 random bits. */
  uniform(low = 0, high = 1): number {
    const high27 = this.bits() >>> 5;
    const low26 = this.bits() >>> 6;
    return low + (high - low) * (high27 * 67108864 + low26) * TWO_53;
  }

  /** Normal by Box and Muller; every call uses two uniforms, so draws do not depend on their history. */
  normal(mean = 0, std = 1): number {
    const radius = Math.sqrt(-2 * log(1 - this.uniform()));
    return mean + std * radius * cosPi(2 * this.uniform());
  }

  /** A whole number in [0, n), without the bias of a remainder. */
  below(n: number): number {
    const limit = Math.floor(2 ** 32 / n) * n;
    for (;;) {
      const bits = this.bits();
      // The remainder, which numbers from 2^31 on would take long for.
      if (bits < limit) return bits - Math.floor(bits / n) * n;
    }
  }

  /** 0 … n-1 in random order (Fisher and Yates). */
  permutation(n: number): Uint32Array {
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    for (let i = n - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const kept = order[i];
      order[i] = order[j];
      order[j] = kept;
    }
    return order;
  }
}
