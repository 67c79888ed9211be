import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { philox4x32, Random } from '../../src/engine/random';

const SEEDS = fc.maxSafeInteger();
const NAMES = fc.string({ maxLength: 12 });

const take = (random: Random, n: number): number[] => Array.from({ length: n }, () => random.uint32());
const words = (text: string): number[] => text.split(' ').map((word) => parseInt(word, 16));

describe('Philox4x32-10', () => {
  // Random123, https://github.com/DEShawResearch/random123, tests/kat_vectors, lines "philox4x32 10": four counter
  // words, two key words, four output words. The third uses the digits of pi.
  it.each([
    ['00000000 00000000 00000000 00000000', '00000000 00000000', '6627e8d5 e169c58d bc57ac4c 9b00dbd8'],
    ['ffffffff ffffffff ffffffff ffffffff', 'ffffffff ffffffff', '408f276d 41c83b0e a20bc7c6 6d5451fd'],
    ['243f6a88 85a308d3 13198a2e 03707344', 'a4093822 299f31d0', 'd16cfe09 94fdcceb 5001e420 24126ea1'],
  ])('gives the published output for counter %s, key %s', (counter, key, output) => {
    const block = Uint32Array.from(words(counter));
    const [key0, key1] = words(key);
    philox4x32(block, key0, key1);
    expect(Array.from(block)).toEqual(words(output));
  });

  it('matches the definition in integer arithmetic', () => {
    // One round with 64-bit products, as in the paper: no halves, no carries.
    const oracle = (counter: bigint[], key: bigint[]): bigint[] => {
      let [c0, c1, c2, c3] = counter;
      let [k0, k1] = key;
      const mask = 0xffffffffn;
      for (let round = 0; round < 10; round++) {
        const p0 = 0xd2511f53n * c0;
        const p1 = 0xcd9e8d57n * c2;
        [c0, c1, c2, c3] = [(p1 >> 32n) ^ c1 ^ k0, p1 & mask, (p0 >> 32n) ^ c3 ^ k1, p0 & mask];
        k0 = (k0 + 0x9e3779b9n) & mask;
        k1 = (k1 + 0xbb67ae85n) & mask;
      }
      return [c0, c1, c2, c3];
    };
    const word = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), fc.tuple(word, word), (counter, key) => {
        const block = Uint32Array.from(counter);
        philox4x32(block, key[0], key[1]);
        expect(Array.from(block, BigInt)).toEqual(oracle(counter.map(BigInt), key.map(BigInt)));
      }),
    );
  });
});

describe('a stream', () => {
  it('repeats for the same seed and name', () => {
    fc.assert(
      fc.property(SEEDS, NAMES, (seed, name) => {
        expect(take(new Random(seed, name), 9)).toEqual(take(new Random(seed, name), 9));
      }),
    );
  });

  it('differs for another seed, also if only the high 32 bits differ', () => {
    fc.assert(
      fc.property(SEEDS, SEEDS, NAMES, (a, b, name) => {
        fc.pre(a !== b);
        expect(take(new Random(a, name), 8)).not.toEqual(take(new Random(b, name), 8));
      }),
    );
    expect(take(new Random(1, 'x'), 8)).not.toEqual(take(new Random(1 + 2 ** 32, 'x'), 8));
  });

  it('differs for another name', () => {
    fc.assert(
      fc.property(SEEDS, NAMES, NAMES, (seed, a, b) => {
        fc.pre(a !== b);
        expect(take(new Random(seed, a), 8)).not.toEqual(take(new Random(seed, b), 8));
      }),
    );
  });

  it('does not depend on how much other streams have drawn', () => {
    const root = new Random(7, 'root');
    const alone = take(root.stream('weights'), 20);
    const busy = new Random(7, 'root');
    take(busy, 13);
    const shuffle = busy.stream('shuffle');
    const weights = busy.stream('weights');
    const interleaved: number[] = [];
    for (let i = 0; i < 20; i++) {
      take(shuffle, 3);
      interleaved.push(weights.uint32());
    }
    expect(interleaved).toEqual(alone);
  });

  it('names nested streams by their path', () => {
    expect(take(new Random(3, '').stream('a').stream('b'), 5)).toEqual(take(new Random(3, 'a/b'), 5));
    expect(take(new Random(3, 'a').stream('b'), 5)).not.toEqual(take(new Random(3, 'a'), 5));
  });

  it('does not repeat a block', () => {
    expect(new Set(take(new Random(0, 'blocks'), 4000)).size).toBeGreaterThan(3990);
  });
});

describe('uniform', () => {
  it('lies in [low, high)', () => {
    const random = new Random(11, 'uniform');
    const unit = Array.from({ length: 20000 }, () => random.uniform());
    expect(unit.filter((u) => !(u >= 0 && u < 1))).toEqual([]);
    const wide = Array.from({ length: 20000 }, () => random.uniform(-3, 5));
    expect(wide.filter((u) => !(u >= -3 && u < 5))).toEqual([]);
  });

  it('has the mean and variance of a uniform distribution, and is evenly spread', () => {
    const random = new Random(12, 'uniform');
    const n = 100000;
    const bins = new Array<number>(20).fill(0);
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const u = random.uniform();
      sum += u;
      squares += u * u;
      bins[Math.floor(u * 20)]++;
    }
    const mean = sum / n;
    // Four standard errors: sqrt(1/12/n) of the mean, sqrt(1/180/n) of the variance.
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / n));
    expect(Math.abs(squares / n - mean * mean - 1 / 12)).toBeLessThan(4 * Math.sqrt(1 / 180 / n));
    const expected = n / 20;
    const chiSquared = bins.reduce((total, count) => total + (count - expected) ** 2 / expected, 0);
    // 99.9 % quantile of chi-squared with 19 degrees of freedom is 43.8.
    expect(chiSquared).toBeLessThan(43.8);
  });

  it('uses 53 bits: neighbors closer than 2^-32 occur', () => {
    const random = new Random(13, 'uniform');
    const fine = Array.from({ length: 64 }, () => random.uniform()).filter((u) => (u * 2 ** 32) % 1 !== 0);
    expect(fine.length).toBeGreaterThan(60);
    for (const u of fine) expect(Number.isInteger(u * 2 ** 53)).toBe(true);
  });
});

describe('normal', () => {
  it('has the moments of a standard normal distribution', () => {
    const random = new Random(14, 'normal');
    const n = 200000;
    const sums = [0, 0, 0, 0];
    let within = 0;
    for (let i = 0; i < n; i++) {
      const z = random.normal();
      for (let power = 0; power < 4; power++) sums[power] += z ** (power + 1);
      if (Math.abs(z) < 1) within++;
    }
    const [mean, second, third, fourth] = sums.map((sum) => sum / n);
    // Four standard errors, from the even moments 1, 3, 15, 105 of a normal.
    expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(1 / n));
    expect(Math.abs(second - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
    expect(Math.abs(third)).toBeLessThan(4 * Math.sqrt(15 / n));
    expect(Math.abs(fourth - 3)).toBeLessThan(4 * Math.sqrt(96 / n));
    expect(Math.abs(within / n - 0.6826895)).toBeLessThan(4 * Math.sqrt((0.6827 * 0.3173) / n));
  });

  it('scales by std and shifts by mean', () => {
    const unit = new Random(15, 'normal');
    const scaled = new Random(15, 'normal');
    for (let i = 0; i < 50; i++) expect(scaled.normal(3, 0.5)).toBeCloseTo(3 + 0.5 * unit.normal(), 14);
  });
});

describe('integerBelow', () => {
  it('returns integers in [0, n) with equal frequency', () => {
    const random = new Random(16, 'below');
    const counts = new Array<number>(7).fill(0);
    for (let i = 0; i < 70000; i++) counts[random.integerBelow(7)]++;
    const chiSquared = counts.reduce((total, count) => total + (count - 10000) ** 2 / 10000, 0);
    // 99.9 % quantile of chi-squared with 6 degrees of freedom is 22.5.
    expect(chiSquared).toBeLessThan(22.5);
  });

  it('returns 0 for 1', () => {
    const random = new Random(17, 'below');
    for (let i = 0; i < 20; i++) expect(random.integerBelow(1)).toBe(0);
  });

  it('has no bias if n does not divide 2^32: the lower and upper half are equally frequent', () => {
    // By a plain remainder, n = 3 · 2^30 would give its lowest third twice as often as the rest.
    const random = new Random(18, 'below');
    const n = 3 * 2 ** 30;
    let low = 0;
    for (let i = 0; i < 30000; i++) if (random.integerBelow(n) < n / 3) low++;
    expect(Math.abs(low / 30000 - 1 / 3)).toBeLessThan(4 * Math.sqrt(2 / 9 / 30000));
  });
});

describe('permutation', () => {
  it('contains every index once', () => {
    fc.assert(
      fc.property(SEEDS, fc.integer({ min: 0, max: 60 }), (seed, n) => {
        const order = Array.from(new Random(seed, 'permutation').permutation(n));
        expect(order.sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
    );
  });

  it('reaches all six orders of three with equal frequency', () => {
    const random = new Random(19, 'permutation');
    const counts = new Map<string, number>();
    for (let i = 0; i < 12000; i++) {
      const order = random.permutation(3).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    const chiSquared = [...counts.values()].reduce((total, count) => total + (count - 2000) ** 2 / 2000, 0);
    // 99.9 % quantile of chi-squared with 5 degrees of freedom is 20.5.
    expect(chiSquared).toBeLessThan(20.5);
  });
});
