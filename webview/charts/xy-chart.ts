// Lines over two axes, each linear, logarithmic or of names. The numbers are in the table of the view.
import { toCss, type Rgb } from '../canvas/colors';
import type { Context } from '../context';
import { formatCompact, formatPowerOfTen } from '../../src/presentation/numbers';
import { decadeBounds, decadeTicks, linearBounds, type Range } from './axes';
import { axisStyle, baseOptions, Chart, FONT_SIZE } from './setup';

export interface XyLine {
  readonly name: string;
  readonly color: Rgb;
  readonly dash: readonly number[];
  /** In ascending order of x. Those that are not finite, or not above 0 on a logarithmic axis, leave a gap. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** Without marks at its points. */
  readonly isPlain?: boolean;
  /** Points without a line, in any order. */
  readonly isScattered?: boolean;
}

export interface XyAxis {
  readonly title: string;
  readonly scale: 'linear' | 'logarithmic';
  /** Whether a linear axis begins at 0 or below, so that small differences look small. */
  readonly includesZero?: boolean;
  /** What the integers from 0 on stand for. */
  readonly names?: readonly string[];
}

export interface XyOptions {
  readonly x: XyAxis;
  readonly y: XyAxis;
  /** A description for screen readers. */
  readonly ariaLabel: string;
}

function rangeOf({ scale, names, includesZero = false }: XyAxis, values: readonly number[]): Range {
  if (names) return { min: -0.5, max: names.length - 0.5 };
  if (values.length === 0) return { min: scale === 'linear' ? 0 : 1, max: scale === 'linear' ? 1 : 10 };
  const data = { min: Math.min(...values), max: Math.max(...values) };
  if (scale === 'logarithmic') return decadeBounds(data);
  return linearBounds(includesZero ? { min: Math.min(0, data.min), max: Math.max(0, data.max) } : data);
}

const isDrawable = (value: number, { scale }: XyAxis): boolean =>
  Number.isFinite(value) && (scale === 'linear' || value > 0);

export class XyChart {
  readonly canvas = document.createElement('canvas');
  readonly #chart: Chart<'scatter'>;

  constructor(readonly context: Context) {
    this.canvas.setAttribute('role', 'img');
    this.#chart = new Chart(this.canvas, {
      type: 'scatter',
      data: { datasets: [] },
      options: { ...baseOptions, scales: { x: { type: 'linear' }, y: { type: 'linear' } } },
    });
  }

  update(lines: readonly XyLine[], { x, y, ariaLabel }: XyOptions): void {
    this.#chart.data.datasets = lines.map(({ points, color, dash, isPlain = false, isScattered = false }) => ({
      data: points.map((point) => ({ x: point.x, y: isDrawable(point.y, y) ? point.y : NaN })),
      showLine: !isScattered,
      borderColor: toCss(color),
      backgroundColor: toCss(color),
      borderWidth: 2,
      borderDash: [...dash],
      pointRadius: isPlain ? 0 : points.length > 24 ? 1.75 : 3,
      pointBorderWidth: 0,
    }));
    const points = lines.flatMap((line) => line.points).filter((point) => isDrawable(point.x, x));
    this.#chart.options.scales = {
      x: this.#axis(
        x,
        points.map((point) => point.x),
      ),
      y: this.#axis(
        y,
        points.map((point) => point.y).filter((value) => isDrawable(value, y)),
      ),
    };
    this.#chart.update();
    this.canvas.setAttribute('aria-label', ariaLabel);
  }

  #axis(axis: XyAxis, values: readonly number[]) {
    const { theme } = this.context;
    const { title, scale, names } = axis;
    const look = axisStyle(theme);
    return {
      ...look,
      type: scale,
      ...rangeOf(axis, values),
      title: {
        display: true,
        text: title,
        padding: 0,
        color: toCss(theme.muted),
        font: { family: theme.fontFamily, size: FONT_SIZE },
      },
      ...(scale === 'logarithmic' && {
        afterBuildTicks: (built: { min: number; max: number; ticks: { value: number }[] }) => {
          built.ticks = decadeTicks(built, 7).map((exponent) => ({ value: 10 ** exponent }));
        },
      }),
      ...(names && {
        afterBuildTicks: (built: { ticks: { value: number }[] }) => {
          built.ticks = names.map((_, value) => ({ value }));
        },
      }),
      ticks: {
        ...look.ticks,
        ...(!names && { maxTicksLimit: 8 }),
        callback: (tick: number | string) => {
          if (names) return names[Number(tick)] ?? '';
          return scale === 'logarithmic'
            ? formatPowerOfTen(Math.round(Math.log10(Number(tick))))
            : formatCompact(Number(tick));
        },
      },
    };
  }

  dispose(): void {
    this.#chart.destroy();
  }
}
