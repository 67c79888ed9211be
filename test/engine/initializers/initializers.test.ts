import { describe, expect, it } from 'vitest';
import { initializers, type InitializerKind } from '../../../src/engine/initializers';
import { initialValues, type InitializerDefinition } from '../../../src/engine/initializers/initializer';
import { initializerOption } from '../../../src/engine/initializers/initializer-option';
import { Random } from '../../../src/engine/random';

interface Expected {
  readonly options: object;
  readonly mean: number;
  readonly variance: number;
  /** The fourth central moment over the squared variance: 3 for a normal, 1.8 for a uniform. */
  readonly kurtosis: number;
  /** Bounds of every draw; none for a normal distribution. */
  readonly within?: readonly [number, number];
}

const FANS = { fanIn: 24, fanOut: 40 };
const uniformOver = (options: object, low: number, high: number): Expected => ({
  options,
  mean: (low + high) / 2,
  variance: (high - low) ** 2 / 12,
  kurtosis: 1.8,
  within: [low, high],
});
const normalWith = (options: object, mean: number, variance: number): Expected => ({
  options,
  mean,
  variance,
  kurtosis: 3,
});

// As in torch.nn.init. Different fans distinguish fan_in, fan_out and their sum.
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
  lecun_uniform: [uniformOver({}, -Math.sqrt(3 / 24), Math.sqrt(3 / 24))],
  lecun_normal: [normalWith({}, 0, 1 / 24)],
  // Its entries depend on each other: tested as a whole, below.
  orthogonal: [],
  zeros: [{ options: {}, mean: 0, variance: 0, kurtosis: 1, within: [0, 0] }],
};

const N = 40000;

function draws(kind: InitializerKind, options: object, seed: number): number[] {
  const definition = initializers[kind] as InitializerDefinition;
  const parsed = definition.options.parse(options);
  const random = new Random(seed, kind);
  return Array.from(initialValues(definition, random, [N], FANS, parsed));
}

const cases = Object.entries(EXPECTED).flatMap(([kind, expected]) =>
  expected.map((each) => ({ kind: kind as InitializerKind, ...each, text: JSON.stringify(each.options) })),
);

describe.each(cases)('initializer $kind $text', ({ kind, options, mean, variance, kurtosis, within }) => {
  it('is listed under its own kind', () => {
    expect(initializers[kind].kind).toBe(kind);
    expect(initializers[kind].summary).not.toBe('');
  });

  it('draws with the declared mean, variance and shape', () => {
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

  it('is determined by its seed', () => {
    expect(draws(kind, options, 7)).toEqual(draws(kind, options, 7));
    if (variance > 0) expect(draws(kind, options, 7)).not.toEqual(draws(kind, options, 8));
  });
});

describe('orthogonal', () => {
  const definition = initializers.orthogonal as InitializerDefinition;
  const draw = (shape: number[], options: object = {}, seed = 3): number[] =>
    Array.from(
      initialValues(definition, new Random(seed, 'orthogonal'), shape, FANS, definition.options.parse(options)),
    );
  /** Products of all pairs of rows, or of columns. */
  const gram = (values: number[], [rows, columns]: number[]): number[][] => {
    const byRows = rows < columns;
    const vectors = Array.from({ length: byRows ? rows : columns }, (_, i) =>
      Array.from({ length: byRows ? columns : rows }, (__, k) => values[byRows ? i * columns + k : k * columns + i]),
    );
    return vectors.map((a) => vectors.map((b) => a.reduce((sum, x, k) => sum + x * b[k], 0)));
  };

  it.each([
    [[5, 9], 1],
    [[9, 5], 1],
    [[7, 7], 3],
    [[1, 4], 1],
    [[40, 40], 0.5],
    [[3, 2, 2], 1],
  ])('of %o with gain %d has orthogonal vectors of that length', (shape, gain) => {
    const matrix = [shape[0], shape.slice(1).reduce((a, b) => a * b, 1)];
    gram(draw(shape, { gain }), matrix).forEach((row, i) =>
      row.forEach((product, j) => expect(product).toBeCloseTo(i === j ? gain * gain : 0, 12)),
    );
  });

  it('is determined by its seed', () => {
    expect(draw([4, 6])).toEqual(draw([4, 6]));
    expect(draw([4, 6])).not.toEqual(draw([4, 6], {}, 4));
  });

  it('is isotropic: entries have mean 0 and variance 1 / size over many draws', () => {
    const entries = Array.from({ length: 2000 }, (_, seed) => draw([3, 3], {}, seed)[4]);
    const mean = entries.reduce((a, b) => a + b, 0) / 2000;
    const variance = entries.reduce((sum, x) => sum + x * x, 0) / 2000;
    // Four standard errors; an entry of a random unit vector in three dimensions is uniform, with kurtosis 1.8.
    expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(1 / 3 / 2000));
    expect(Math.abs(variance - 1 / 3)).toBeLessThan((4 / 3) * Math.sqrt(0.8 / 2000));
  });

  it('initializes a bias as one vector of length gain', () => {
    expect(Math.hypot(...draw([6], { gain: 2 }))).toBeCloseTo(2, 12);
  });
});

describe('an initializer in a spec', () => {
  const schema = initializerOption('How it starts.');

  it('may be a name, with default options', () => {
    expect(schema.parse('zeros')).toEqual({ type: 'zeros' });
    expect(schema.parse('normal')).toEqual({ type: 'normal', mean: 0, std: 1 });
  });

  it('may be a name with options', () => {
    expect(schema.parse({ type: 'normal', std: 0.1 })).toEqual({ type: 'normal', mean: 0, std: 0.1 });
    expect(schema.parse({ type: 'constant', val: 3 })).toEqual({ type: 'constant', val: 3 });
  });

  it.each([
    ['an unknown name', 'gaussian'],
    ['an unknown option', { type: 'normal', sigma: 1 }],
    ['a negative std', { type: 'normal', std: -1 }],
  ])('refuses %s', (_what, given) => {
    expect(schema.safeParse(given).success).toBe(false);
  });

  it('does not throw on a name that needs options', () => {
    // `constant` has no default value: that is a problem to show, not an exception.
    expect(schema.safeParse('constant').success).toBe(false);
  });
});
