import { describe, expect, it } from 'vitest';
import {
  contrast,
  colorDifference,
  divergingTable,
  luminance,
  parseColor,
  type Rgb,
  sequentialTable,
  COLOR_TABLE_SIZE,
} from '../../../webview/canvas/colors';
import { colorScale, colorIndex } from '../../../webview/canvas/heatmap';
import { pickColors, readTheme } from '../../../webview/canvas/theme';
import themes from '../harness/themes.json';

const at = (table: Uint8Array, i: number): Rgb => [table[i * 3], table[i * 3 + 1], table[i * 3 + 2]];
const lightness = (table: Uint8Array): number[] =>
  Array.from({ length: COLOR_TABLE_SIZE }, (_, i) => luminance(at(table, i)));

describe('colors', () => {
  it('are parsed as CSS writes them', () => {
    expect(parseColor('#59a4f9')).toEqual([89, 164, 249]);
    expect(parseColor(' #59A4F980 ')).toEqual([89, 164, 249]);
    expect(parseColor('#fa0')).toEqual([255, 170, 0]);
    expect(parseColor('#fa08')).toEqual([255, 170, 0]);
    expect(parseColor('rgba(234, 92, 0, 0.33)')).toEqual([234, 92, 0]);
    expect(parseColor('rgb(1 2 3 / 50%)')).toEqual([1, 2, 3]);
    for (const text of ['', 'red', '#12345', 'rgb(1, 2)', 'rgb(a, b, c)']) expect(parseColor(text)).toBeNull();
  });

  it('have the contrast that WCAG defines for black and white', () => {
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21, 10);
    expect(contrast([119, 119, 119], [255, 255, 255])).toBeCloseTo(4.478, 3);
  });
});

describe('the color tables of heat maps', () => {
  it('increase in lightness from end to end for magnitudes', () => {
    const values = lightness(sequentialTable());
    for (let i = 1; i < values.length; i++) expect(values[i]).toBeGreaterThanOrEqual(values[i - 1] - 1e-3);
    expect(values[255] - values[0]).toBeGreaterThan(0.6);
  });

  it.each([
    ['light', [255, 255, 255]],
    ['dark', [31, 31, 31]],
    ['black', [0, 0, 0]],
  ] as const)('has zero nearest to a %s background, and gets further from it with size', (_, background) => {
    const table = divergingTable(background);
    const far = lightness(table).map((value) => Math.abs(value - luminance(background)));
    const middle = COLOR_TABLE_SIZE / 2;
    for (let i = middle + 1; i < COLOR_TABLE_SIZE; i++) expect(far[i]).toBeGreaterThanOrEqual(far[i - 1] - 2e-3);
    for (let i = middle - 2; i >= 0; i--) expect(far[i]).toBeGreaterThanOrEqual(far[i + 1] - 2e-3);
    // Distinguished by blue and orange, which no common color blindness confuses.
    for (const i of [0, 64]) expect(at(table, i)[2]).toBeGreaterThan(at(table, i)[0]);
    for (const i of [191, 255]) expect(at(table, i)[0]).toBeGreaterThan(at(table, i)[2]);
  });

  it('center signed values at 0 and start magnitudes there', () => {
    const signed = colorScale({ rows: 1, columns: 3, cells: Float64Array.of(-1, 0, 3) }, false);
    expect(signed).toEqual({ kind: 'signed', low: -3, high: 3 });
    expect(colorIndex(-3, signed)).toBe(0);
    expect([127, 128]).toContain(colorIndex(0, signed));
    expect(colorIndex(3, signed)).toBe(255);
    const magnitude = colorScale({ rows: 1, columns: 2, cells: Float64Array.of(0.5, 2) }, false);
    expect(magnitude).toEqual({ kind: 'magnitude', low: 0, high: 2 });
    expect(colorScale({ rows: 1, columns: 2, cells: Float64Array.of(0.5, 2) }, true).kind).toBe('signed');
  });

  it('ignore NaN and infinities', () => {
    const scale = colorScale({ rows: 1, columns: 4, cells: Float64Array.of(NaN, Infinity, -1, 2) }, true);
    expect(scale).toEqual({ kind: 'signed', low: -2, high: 2 });
    expect(colorIndex(NaN, scale)).toBeNull();
    expect(colorIndex(Infinity, scale)).toBe(255);
    expect(colorIndex(-Infinity, scale)).toBe(0);
    expect(colorIndex(0, colorScale({ rows: 1, columns: 1, cells: Float64Array.of(0) }, true))).toBe(128);
  });
});

describe('the editor’s themes', () => {
  it.each(Object.entries(themes))(
    '%s: series stand out from the background and from each other',
    (_, { kind, variables }) => {
      const theme = readTheme((name) => (variables as Record<string, string>)[name] ?? '', kind, 1);
      const { train, validation, test } = theme.splits;
      for (const color of [train, validation, test, theme.forward, theme.backward, ...theme.palette]) {
        expect(contrast(color, theme.background)).toBeGreaterThanOrEqual(3);
      }
      for (const [a, b] of [
        [train, validation],
        [train, test],
        [validation, test],
        [theme.forward, theme.backward],
      ]) {
        expect(colorDifference(a, b)).toBeGreaterThan(0.09);
      }
    },
  );

  it('are completed where a color is missing or too similar', () => {
    const [blue, other]: Rgb[] = pickColors(
      [255, 255, 255],
      [0, 0, 0],
      [[[0, 0, 200]], [null, [0, 0, 201], [200, 0, 0]]],
    );
    expect(blue).toEqual([0, 0, 200]);
    expect(other).toEqual([200, 0, 0]);
    expect(pickColors([255, 255, 255], [10, 10, 10], [[null]])).toEqual([[10, 10, 10]]);
    expect(() => readTheme(() => '', '', 1)).not.toThrow();
  });
});
