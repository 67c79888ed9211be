// Random numbers from one seed, in named streams. Philox4x32-10 is counter-based: draw i of a stream is a pure function
// of (seed, stream, i), so seeking in a run needs no saved state. Source: Salmon, Moraes, Dror, Shaw, "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011.

import { cosPi, log } from './deterministic-math';

const PHILOX_M0 = 0xd2511f53;
const PHILOX_M1 = 0xcd9e8d57;
const PHILOX_W0 = 0x9e3779b9;
const PHILOX_W1 = 0xbb67ae85;
const TWO_POW_MINUS_53 = 2 ** -53;

/** High 32 bits of a 32x32-bit product, signed. With 16-bit halves, every partial product fits into 32 bits. */
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
  // Single variables are faster than destructuring; signed, because unsigned integers would become doubles.
  let c0 = counter[0]! | 0;
  let c1 = counter[1]! | 0;
  let c2 = counter[2]! | 0;
  let c3 = counter[3]! | 0;
  let k0 = key0 | 0;
  let k1 = key1 | 0;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(PHILOX_M0, c0);
    const low0 = Math.imul(PHILOX_M0, c0);
    const high1 = multiplyHigh(PHILOX_M1, c2);
    const low1 = Math.imul(PHILOX_M1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + PHILOX_W0) | 0;
    k1 = (k1 + PHILOX_W1) | 0;
  }
  counter[0] = c0;
  counter[1] = c1;
  counter[2] = c2;
  counter[3] = c3;
}

/** FNV-1a, 32 bits, over UTF-16 code units; two values of `basis` give the two words of a stream's name. */
function fnv1a(text: string, basis: number): number {
  let hash = basis >>> 0;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

/** A stream of random numbers, determined by seed and name, independent of other streams. */
export class Random {
  readonly #block = new Uint32Array(4);
  readonly #stream0: number;
  readonly #stream1: number;
  #counter = 0;
  #wordsUsed = 4;

  /** @param seed any safe integer: its low and high 32 bits are the key. */
  constructor(
    readonly seed: number,
    readonly name: string,
  ) {
    this.#stream0 = fnv1a(name, 0x811c9dc5);
    this.#stream1 = fnv1a(name, 0x050c5d1f);
  }

  /** A separate stream below this one. */
  stream(name: string): Random {
    return new Random(this.seed, this.name === '' ? name : `${this.name}/${name}`);
  }

  /** 32 random bits. */
  uint32(): number {
    if (this.#wordsUsed === 4) {
      this.#block[0] = this.#counter >>> 0;
      this.#block[1] = Math.floor(this.#counter / 2 ** 32) >>> 0;
      this.#block[2] = this.#stream0;
      this.#block[3] = this.#stream1;
      philox4x32(this.#block, this.seed >>> 0, Math.floor(this.seed / 2 ** 32) >>> 0);
      this.#counter++;
      this.#wordsUsed = 0;
    }
    return this.#block[this.#wordsUsed++]!;
  }

  /** Uniform in [low, high), from 53 random bits. */
  uniform(low = 0, high = 1): number {
    const high27 = this.uint32() >>> 5;
    const low26 = this.uint32() >>> 6;
    return low + (high - low) * (high27 * 67108864 + low26) * TWO_POW_MINUS_53;
  }

  /** Normal, by Box and Muller. Every call uses two uniforms, so that draws do not depend on earlier ones. */
  normal(mean = 0, std = 1): number {
    const radius = Math.sqrt(-2 * log(1 - this.uniform()));
    return mean + std * radius * cosPi(2 * this.uniform());
  }

  /** An integer in [0, n), without modulo bias. */
  integerBelow(n: number): number {
    const limit = Math.floor(2 ** 32 / n) * n;
    for (;;) {
      const bits = this.uint32();
      // bits % n would be slow for numbers from 2^31 on.
      if (bits < limit) return bits - Math.floor(bits / n) * n;
    }
  }

  /** 0 … n-1 in random order (Fisher and Yates). */
  permutation(n: number): Uint32Array {
    const order = new Uint32Array(n);
    for (let i = 0; i < n; i++) order[i] = i;
    for (let i = n - 1; i > 0; i--) {
      const j = this.integerBelow(i + 1);
      const swapped = order[i]!;
      order[i] = order[j]!;
      order[j] = swapped;
    }
    return order;
  }
}
