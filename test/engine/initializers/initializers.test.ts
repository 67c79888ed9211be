import { describe, expect, it } from 'vitest';
import { initializers, type InitializerKind } from '../../../src/engine/initializers';
import type { InitializerDefinition } from '../../../src/engine/initializers/initializer';
import { initializer } from '../../../src/engine/initializers/options';
import { Random } from '../../../src/engine/random';

interface Expected {
  readonly options: object;
  readonly mean: number;
  readonly variance: number;
  /** The fourth central moment over the squared variance: 3 for a normal, 1.8 for a uniform. */
  readonly kurtosis: number;
  /** Every draw lies in here; no bounds for a normal. */
  readonly within?: readonly [number, number];
}

const FANS = { fanIn: 24, fanOut: 40 };
const uniformOver = (options: object, low: number, high: number): Expected => ({
  options, mean: (low + high) / 2, variance: (high - low) ** 2 / 12, kurtosis: 1.8, within: [low, high],
});
const normalWith = (options: object, mean: number, variance: number): Expected => ({ options, mean, variance, kurtosis: 3 });

// As torch.nn.init has them. Fans that differ tell fan_in, fan_out and their sum apart.
const EXPECTED: Record<InitializerKind, Expected[]> = {
  fan_in_uniform: [uniformOver({}, -1 / Math.sqrt(24), 1 / Math.sqrt(24))],
  xavier_uniform: [
    uniformOver({}, -Math.sqrt(6 / 64), Math.sqrt(6 / 64)),
    uniformOver({ gain: 2 }, -2 * Math.sqrt(6 / 64), 2 * Math.sqrt(6 / 64)),
  ],
  xavier_normal: [normalWith({}, 0, 2 / 64), normalWith({ gain: 3 }, 0, (9 * 2) / 64)],
  kaiming_uniform: [uniformOver({}, -Math.sqrt(6 / 24), Math.sqrt(6 / 24))],
  kaiming_normal: [normalWith({}, 0, 2 / 24)],
  normal: [normalWith({}, 0, 1), normalWith({ mean: 1, std: 0.25 }, 1, 0.0625)],
  uniform: [uniformOver({}, 0, 1), uniformOver({ a: -2, b: 5 }, -2, 5)],
  constant: [{ options: { val: -0.75 }, mean: -0.75, variance: 0, kurtosis: 1, within: [-0.75, -0.75] }],
  zeros: [{ options: {}, mean: 0, variance: 0, kurtosis: 1, within: [0, 0] }],
};

const N = 40000;

function draws(kind: InitializerKind, options: object, seed: number): number[] {
  const definition = initializers[kind] as InitializerDefinition;
  const parsed = definition.options.parse(options);
  const random = new Random(seed, kind);
  return Array.from({ length: N }, () => definition.draw(random, FANS, parsed));
}

const cases = Object.entries(EXPECTED).flatMap(([kind, expected]) =>
  expected.map((each) => ({ kind: kind as InitializerKind, ...each, text: JSON.stringify(each.options) })),
);

describe.each(cases)('initializer $kind $text', ({ kind, options, mean, variance, kurtosis, within }) => {
  it('is filed under its own kind', () => {
    expect(initializers[kind].kind).toBe(kind);
    expect(initializers[kind].summary).not.toBe('');
  });

  it('draws with the mean, the variance and the shape that it promises', () => {
    const values = draws(kind, options, 5);
    const found = values.reduce((a, b) => a + b, 0) / N;
    const moment = (power: number): number => values.reduce((sum, x) => sum + (x - mean) ** power, 0) / N;
    // Four standard errors of each.
    expect(Math.abs(found - mean)).toBeLessThanOrEqual(4 * Math.sqrt(variance / N));
    expect(Math.abs(moment(2) - variance)).toBeLessThanOrEqual(4 * variance * Math.sqrt((kurtosis - 1) / N));
    if (variance > 0) {
      const shape = moment(4) / moment(2) ** 2;
      expect(Math.abs(shape - kurtosis)).toBeLessThan(0.15);
    }
    const [low, high] = within ?? [-Infinity, Infinity];
    expect(values.filter((x) => !(x >= low && x <= high))).toEqual([]);
  });

  it('uses its whole range', () => {
    const values = draws(kind, options, 6);
    const [low, high] = within ?? [mean - 3 * Math.sqrt(variance), mean + 3 * Math.sqrt(variance)];
    expect(Math.min(...values)).toBeLessThanOrEqual(low + 0.01 * (high - low));
    expect(Math.max(...values)).toBeGreaterThanOrEqual(high - 0.01 * (high - low));
  });

  it('repeats under its seed, and only there', () => {
    expect(draws(kind, options, 7)).toEqual(draws(kind, options, 7));
    if (variance > 0) expect(draws(kind, options, 7)).not.toEqual(draws(kind, options, 8));
  });
});

describe('an initializer in a spec', () => {
  const schema = initializer('How it starts.');

  it('may be a name, which takes the defaults', () => {
    expect(schema.parse('zeros')).toEqual({ type: 'zeros' });
    expect(schema.parse('normal')).toEqual({ type: 'normal', mean: 0, std: 1 });
  });

  it('may be a name with options', () => {
    expect(schema.parse({ type: 'normal', std: 0.1 })).toEqual({ type: 'normal', mean: 0, std: 0.1 });
    expect(schema.parse({ type: 'constant', val: 3 })).toEqual({ type: 'constant', val: 3 });
  });

  it.each([['an unknown name', 'gaussian'], ['an unknown option', { type: 'normal', sigma: 1 }], ['a negative std', { type: 'normal', std: -1 }]])(
    'refuses %s',
    (_what, given) => {
      expect(schema.safeParse(given).success).toBe(false);
    },
  );

  it('does not throw on a name that needs options', () => {
    // `constant` has no default value: that is a problem to show, not an exception.
    expect(schema.safeParse('constant').success).toBe(false);
  });
});
