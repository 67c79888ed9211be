// One colour and one dash a line where there are many: layers and parameters, in their order.
import type { Rgb } from '../colours';
import type { Theme } from '../theme';

const dashes: readonly (readonly number[])[] = [[], [6, 3], [2, 2], [8, 3, 2, 3]];

export function lineStyle(index: number, theme: Theme): { readonly colour: Rgb; readonly dash: readonly number[] } {
  const { palette } = theme;
  return { colour: palette[index % palette.length], dash: dashes[Math.floor(index / palette.length) % dashes.length] };
}
