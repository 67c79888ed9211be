// Augmentations: their effect on an image, that they are pure functions of seed and step, and that evaluation does not
// use them.
import { describe, expect, it } from 'vitest';
import { type AugmentationKind, augmentations } from '../../../src/engine/augmentations';
import { augment, type AugmentationDefinition } from '../../../src/engine/augmentations/augmentation';
import { openSpec } from '../../../src/session/open-spec';
import { TrainingSession } from '../../../src/session/session';
import { inMemoryFiles } from '../../support/data-files';

const one = (kind: AugmentationKind, given: object = {}) => {
  const definition = augmentations[kind] as AugmentationDefinition;
  return [{ definition, options: definition.options.parse(given) }];
};

const image = (n: number, rows: number, shape: number[]) => ({
  shape: [rows, ...shape],
  data: Float64Array.from({ length: rows * n }, (_, i) => (i % n) + 1),
});

describe('a random flip', () => {
  it('mirrors every row of every channel, or leaves the image unchanged', () => {
    const all = image(12, 2, [2, 2, 3]);
    augment(one('random_horizontal_flip', { p: 1 }), all, 0, 0);
    expect([...all.data.slice(0, 12)]).toEqual([3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10]);
    augment(one('random_horizontal_flip', { p: 0 }), all, 0, 0);
    expect([...all.data.slice(12)]).toEqual([3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10]);
  });

  it('occurs with the right frequency', () => {
    const many = image(2, 4000, [1, 1, 2]);
    augment(one('random_horizontal_flip', { p: 0.3 }), many, 1, 0);
    const flipped = Array.from({ length: 4000 }, (_, i) => many.data[2 * i]).filter((value) => value === 2).length;
    // 1,200 ± 29.
    expect(Math.abs(flipped - 1200)).toBeLessThan(4 * 29);
  });
});

describe('a random crop', () => {
  it('shifts the image within its padding, surrounded by zeros, with equal probability', () => {
    const rows = 5000;
    const shape = [2, 3, 4];
    const before = image(24, 1, shape).data;
    const all = image(24, rows, shape);
    augment(one('random_crop', { padding: 2 }), all, 3, 0);
    const counts = new Map<string, number>();
    const shifted = new Map<string, string>();
    for (let down = -2; down <= 2; down++) {
      for (let right = -2; right <= 2; right++) {
        const pixels: number[] = [];
        for (let c = 0; c < 2; c++) {
          for (let y = down; y < down + 3; y++) {
            for (let x = right; x < right + 4; x++)
              pixels.push(y < 0 || y > 2 || x < 0 || x > 3 ? 0 : before[c * 12 + y * 4 + x]);
          }
        }
        shifted.set(String(pixels), `${down},${right}`);
      }
    }
    for (let i = 0; i < rows; i++) {
      const shift = shifted.get(String([...all.data.subarray(24 * i, 24 * i + 24)]));
      expect(shift).toBeDefined();
      counts.set(shift!, (counts.get(shift!) ?? 0) + 1);
    }
    // 25 shifts, 200 ± 14 each.
    expect(counts.size).toBe(25);
    for (const count of counts.values()) expect(Math.abs(count - 200)).toBeLessThan(5 * 14);
  });
});

describe('augmentations', () => {
  const both = [...one('random_crop', { padding: 1 }), ...one('random_horizontal_flip')];
  const drawn = (seed: number, step: number): number[] => {
    const all = image(12, 20, [3, 4]);
    augment(both, all, seed, step);
    return [...all.data];
  };

  it('are a pure function of the seed and the step', () => {
    expect(drawn(1, 5)).toEqual(drawn(1, 5));
    expect(drawn(1, 6)).not.toEqual(drawn(1, 5));
    expect(drawn(2, 5)).not.toEqual(drawn(1, 5));
  });

  const idx = (shape: number[], values: number[]): Uint8Array =>
    Uint8Array.from([0, 0, 8, shape.length, ...shape.flatMap((size) => [0, 0, 0, size]), ...values]);
  const files = inMemoryFiles({
    images: idx(
      [12, 2, 3],
      Array.from({ length: 72 }, (_, i) => (i * 37) % 256),
    ),
    labels: idx(
      [12],
      Array.from({ length: 12 }, (_, i) => i % 2),
    ),
  });
  const text = (augment: unknown[]): string =>
    JSON.stringify({
      data: { type: 'idx', images: 'images', labels: 'labels' },
      transforms: ['standardize'],
      augment,
      layers: ['flatten', { type: 'linear', out_features: 4 }, 'tanh', { type: 'linear', out_features: 2 }],
      loss: 'cross_entropy',
      batch_size: 5,
      epochs: 10,
    });
  const session = (augment: unknown[]): TrainingSession => {
    const { run, problems } = openSpec(text(augment), files);
    expect(problems).toEqual([]);
    return new TrainingSession(run!, text(augment));
  };
  const two = ['random_horizontal_flip', { type: 'random_crop', padding: 1 }];

  it('are bitwise the same after going back and forward', () => {
    const run = session(two);
    const shown = (): string => JSON.stringify([[...run.pass.input.data], run.loss]);
    const seen = Array.from({ length: 20 }, () => {
      run.step();
      return shown();
    });
    expect(new Set(seen).size).toBe(20);
    for (const step of [3, 17, 1, 20]) {
      run.seek(step - 1);
      run.step();
      expect(shown()).toBe(seen[step - 1]);
    }
  });

  it('change training but not evaluation', () => {
    const [a, b] = [session(two), session([])];
    expect(a.evaluate()).toEqual(b.evaluate());
    a.step();
    b.step();
    const numbers = ({ pass }: TrainingSession): number[] => [...pass.input.data];
    expect(numbers(a)).not.toEqual(numbers(b));
    expect(a.evaluate()).toEqual(a.evaluate());
  });

  it('are rejected for data that is not images', () => {
    const spec = {
      data: 'circles',
      augment: ['random_crop'],
      layers: [{ type: 'linear', out_features: 2 }],
      loss: 'cross_entropy',
    };
    const { run, problems } = openSpec(JSON.stringify(spec), files);
    expect(run).toBeUndefined();
    expect(problems.map(({ code }) => code)).toEqual(['no-images']);
    expect(problems[0].message).toContain('random_crop');
  });
});
