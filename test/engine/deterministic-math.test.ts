// The engine's own math functions: accurate, exact where possible, and with the same bits on every machine.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosPi, exp, hypot, log, integerPower, sinPi } from '../../src/engine/deterministic-math';
import { Random } from '../../src/engine/random';
import '../support/allclose';

const bits = new DataView(new ArrayBuffer(8));

/** The rank of a number among all float64, so that neighbors differ by 1. */
function rank(x: number): bigint {
  bits.setFloat64(0, x);
  const own = bits.getBigInt64(0);
  return own < 0n ? -(own & 0x7fffffffffffffffn) : own;
}

const ulpDistance = (a: number, b: number): number => Number(rank(a) > rank(b) ? rank(a) - rank(b) : rank(b) - rank(a));

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });

describe('deterministic math', () => {
  // Math's own functions are within 1 ulp of the exact value.
  it.each([
    ['exp', exp, Math.exp, number(-760, 720)],
    ['exp near 0', exp, Math.exp, number(-1, 1)],
    ['log', log, Math.log, number(0, Number.MAX_VALUE)],
    ['log near 1', log, Math.log, number(0.5, 2)],
    ['sinPi', sinPi, (x: number) => Math.sin(Math.PI * x), number(-0.5, 0.5)],
    ['cosPi', cosPi, (x: number) => Math.cos(Math.PI * x), number(-0.25, 0.25)],
  ] as const)('%s is within 2 units in the last place', (_name, own, known, numbers) => {
    fc.assert(
      fc.property(numbers, (x) => {
        expect(ulpDistance(own(x), known(x))).toBeLessThanOrEqual(2);
      }),
      { numRuns: 3000 },
    );
  });

  it('is exact for whole and half turns, and periodic', () => {
    expect([0, 0.5, 1, 1.5, 2, -0.5, 1e15 + 0.5].map((x) => sinPi(x) + 0)).toEqual([0, 1, 0, -1, 0, -1, 1]);
    expect([0, 0.5, 1, 1.5, 2, -1, 1e15].map((x) => cosPi(x) + 0)).toEqual([1, 0, -1, 0, 1, -1, 1]);
    fc.assert(
      fc.property(fc.integer({ min: -4096, max: 4096 }), fc.integer({ min: -1000, max: 1000 }), (eighths, turns) => {
        const x = eighths / 8192;
        expect(sinPi(x + 2 * turns)).toBe(sinPi(x));
        expect(cosPi(x + 2 * turns)).toBe(cosPi(x));
      }),
    );
  });

  it('computes lengths and powers', () => {
    expect([hypot(3, 4), hypot(-5, 12), hypot(0, 0)]).toEqual([5, 13, 0]);
    expect([hypot(3e200, 4e200), hypot(3e-200, -4e-200)]).toBeAllclose([5e200, 5e-200], { rtol: 1e-15 });
    expect([
      integerPower(2, 10),
      integerPower(-3, 3),
      integerPower(0, 0),
      integerPower(0.5, 1074),
      integerPower(7, 1),
    ]).toEqual([1024, -27, 1, 5e-324, 7]);
    fc.assert(
      fc.property(number(0.9, 1.1), fc.integer({ min: 0, max: 1000 }), (x, n) => {
        expect(integerPower(x, n) / x ** n - 1).toBeCloseTo(0, 12);
      }),
    );
  });

  it('handles infinities and NaN', () => {
    expect([-Infinity, Infinity, NaN, -1000, 1000, 0].map(exp)).toEqual([0, Infinity, NaN, 0, Infinity, 1]);
    expect([0, Infinity, -1, NaN, 1, 5e-324].map(log)).toEqual([-Infinity, Infinity, NaN, NaN, 0, Math.log(5e-324)]);
    expect([NaN, Infinity, -Infinity].map(sinPi)).toEqual([NaN, NaN, NaN]);
  });
});

it('draws random numbers with these bits on every machine', () => {
  const [random, draws] = [new Random(1, 'bits'), new Random(1, 'bits')];
  const found = Array.from({ length: 5 }, () => random.normal());
  const known = found.map(
    () => Math.sqrt(-2 * Math.log(1 - draws.uniform())) * Math.cos(2 * Math.PI * draws.uniform()),
  );
  expect(found).toBeAllclose(known, { rtol: 1e-14, atol: 1e-14 });
  expect(found).toEqual([
    1.6160090461841148, -0.7239195288614718, 0.2677859504133642, 0.4306023764582994, -0.0935575311173858,
  ]);
});

it('calls no function that JavaScript engines may round differently before a run starts', () => {
  const engine = path.resolve(__dirname, '../../src/engine');
  // Files that may use Math: kernels, of which WebAssembly replaces all but the reference; custom layers; display, to
  // which formulas belong: no run computes with them.
  const others = /^(kernels[/\\](reference|unary|erfc|fallback)|autograd|probes|custom|formulas)/;
  const files = readdirSync(engine, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !others.test(file) && !file.includes('wasm-modules'),
  );
  expect(files.length).toBeGreaterThan(100);
  const found = files.flatMap((file) => {
    const code = readFileSync(path.join(engine, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    const calls =
      code.match(
        /\bMath\.(a?sinh?|a?cosh?|a?tanh?|atan2|exp|expm1|log|log1p|log2|log10|pow|cbrt|hypot)\b|(?<!\b2) \*\*/g,
      ) ?? [];
    return calls.map((call) => `${file}: ${call}`);
  });
  expect(found).toEqual([]);
});
