// Colors as numbers: parsing, contrast, difference, and the two 256-entry tables of heat maps. Mixing happens in
// OKLab (B. Ottosson, 2020), where equal steps look equal. Nothing here touches the DOM.

export type Rgb = readonly [red: number, green: number, blue: number];

/** `#abc`, `#aabbcc`, `#aabbccdd`, `rgb(…)`, `rgba(…)`; transparency is dropped. Null for anything else. */
export function parseColor(text: string): Rgb | null {
  const value = text.trim();
  const hex = /^#([0-9a-f]{3,8})$/i.exec(value)?.[1];
  if (hex && hex.length !== 5 && hex.length !== 7) {
    const size = hex.length < 6 ? 1 : 2;
    const part = (i: number): number => parseInt(hex.slice(i * size, (i + 1) * size).padStart(2, hex[i]), 16);
    return [part(0), part(1), part(2)];
  }
  const parts = /^rgba?\(([^)]*)\)$/i
    .exec(value)?.[1]
    ?.split(/[\s,/]+/)
    .filter(Boolean);
  if (!parts || parts.length < 3) return null;
  const [red, green, blue] = parts.map(Number) as [number, number, number];
  return [red, green, blue].every(Number.isFinite) ? [red, green, blue] : null;
}

export const toCss = ([red, green, blue]: Rgb, alpha = 1): string => `rgba(${red}, ${green}, ${blue}, ${alpha})`;

const toLinear = (channel: number): number => {
  const c = channel / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
};
const fromLinear = (c: number): number => {
  const value = c <= 0.0031308 ? c * 12.92 : 1.055 * c ** (1 / 2.4) - 0.055;
  return Math.round(Math.min(1, Math.max(0, value)) * 255);
};

/** Relative luminance, 0 to 1 (WCAG 2.2). */
export function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * toLinear(red) + 0.7152 * toLinear(green) + 0.0722 * toLinear(blue);
}

/** Contrast ratio, 1 to 21 (WCAG 2.2). */
export function contrast(a: Rgb, b: Rgb): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

export type Oklab = readonly [lightness: number, a: number, b: number];

export function toOklab([red, green, blue]: Rgb): Oklab {
  const [r, g, b] = [toLinear(red), toLinear(green), toLinear(blue)];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

export function fromOklab([lightness, a, b]: Oklab): Rgb {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    fromLinear(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    fromLinear(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    fromLinear(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** How different two colors look; about 0.02 is just noticeable. */
export function colorDifference(a: Rgb, b: Rgb): number {
  const [p, q] = [toOklab(a), toOklab(b)];
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
}

/** `share` of `b` in `a`. */
export function mixOklab(a: Rgb, b: Rgb, share: number): Rgb {
  const [p, q] = [toOklab(a), toOklab(b)];
  const at = (i: 0 | 1 | 2): number => p[i] + (q[i] - p[i]) * share;
  return fromOklab([at(0), at(1), at(2)]);
}

export const COLOR_TABLE_SIZE = 256;

/** 256 colors, three bytes each, evenly spaced through the stops. */
export function colorTable(stops: readonly Rgb[]): Uint8Array {
  const table = new Uint8Array(COLOR_TABLE_SIZE * 3);
  for (let i = 0; i < COLOR_TABLE_SIZE; i++) {
    const at = (i / (COLOR_TABLE_SIZE - 1)) * (stops.length - 1);
    const stop = Math.min(Math.floor(at), stops.length - 2);
    table.set(mixOklab(stops[stop]!, stops[stop + 1]!, at - stop), i * 3);
  }
  return table;
}

/** Magnitudes: dark blue through gray to yellow, with monotonic lightness, as in cividis (Nuñez et al., 2018). */
export const sequentialTable = (): Uint8Array =>
  colorTable([
    [0, 34, 78],
    [254, 232, 56],
  ]);

/** Signed values: blue below 0, orange above, and a gray that matches the background at 0. */
export function divergingTable(background: Rgb): Uint8Array {
  const dark = luminance(background) < 0.18;
  return dark
    ? colorTable([
        [150, 205, 255],
        [38, 116, 201],
        mixOklab(background, [128, 128, 128], 0.12),
        [196, 92, 10],
        [255, 200, 130],
      ])
    : colorTable([
        [8, 48, 107],
        [66, 146, 214],
        mixOklab(background, [128, 128, 128], 0.06),
        [240, 138, 50],
        [127, 47, 0],
      ]);
}
