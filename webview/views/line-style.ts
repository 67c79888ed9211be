// Colors and dashes for many lines, such as layers and parameters in order.
import type { Rgb } from '../canvas/colors';
import type { Theme } from '../canvas/theme';

const DASH_PATTERNS: readonly (readonly number[])[] = [[], [6, 3], [2, 2], [8, 3, 2, 3]];

export function lineStyle(index: number, theme: Theme): { readonly color: Rgb; readonly dash: readonly number[] } {
  const { palette } = theme;
  return {
    color: palette[index % palette.length]!,
    dash: DASH_PATTERNS[Math.floor(index / palette.length) % DASH_PATTERNS.length]!,
  };
}
