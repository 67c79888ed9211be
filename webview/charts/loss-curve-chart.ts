// The loss along one entry: the curve, the tangent that backprop claims, the measured tangent, and the positions of
// kinks. Its numbers are in the table of the view.
import type { ChartDataset, Plugin } from 'chart.js';
import { toCss, type Rgb } from '../canvas/colors';
import type { Context } from '../context';
import type { QueryValue } from '../../src/protocol/panel';
import { formatNumber, formatCompact } from '../../src/presentation/numbers';
import type { Theme } from '../canvas/theme';
import { axisStyle, baseOptions, Chart, FONT_SIZE } from './setup';

export type EntryDetail = QueryValue<'check_entry'>;

export const curveColor = ({ foreground }: Theme): Rgb => foreground;
export const analyticColor = (theme: Theme, { verdict }: Pick<EntryDetail, 'verdict'>): Rgb =>
  verdict === 'wrong' ? theme.bad : theme.good;
export const numericColor = ({ palette }: Theme): Rgb => palette[0];

/** The tangent with this slope between two values; parts outside of the chart are not needed. */
function tangent({ value, loss }: EntryDetail, slope: number, from: number, to: number): { x: number; y: number }[] {
  return [from, to].map((x) => ({ x, y: loss + slope * (x - value) }));
}

export class LossCurveChart {
  readonly canvas = document.createElement('canvas');
  readonly #chart: Chart<'scatter'>;
  #detail: EntryDetail | null = null;

  constructor(readonly context: Context) {
    this.canvas.setAttribute('role', 'img');
    this.#chart = new Chart(this.canvas, {
      type: 'scatter',
      data: { datasets: [] },
      options: { ...baseOptions, scales: { x: { type: 'linear' }, y: { type: 'linear' } } },
      plugins: [this.#kinkPlugin()],
    });
  }

  update(detail: EntryDetail): void {
    this.#detail = detail;
    const { theme } = this.context;
    const { curveValues, curveLosses, analytic, numeric, value, loss, verdict } = detail;
    const [from, to] = [curveValues[0]!, curveValues.at(-1)!];
    const finite = curveLosses.filter(Number.isFinite);
    const [low, high] = [Math.min(loss, ...finite), Math.max(loss, ...finite)];
    // Extra room above and below: tangents may leave the chart, the curve never does.
    const room = (high - low || Math.abs(loss) || 1) * 0.15;
    const line = (
      data: { x: number; y: number }[],
      color: Rgb,
      more: Partial<ChartDataset<'scatter'>> = {},
    ): ChartDataset<'scatter'> => ({
      data,
      showLine: true,
      pointRadius: 0,
      borderColor: toCss(color),
      borderWidth: 2,
      ...more,
    });
    const points = Array.from(curveValues, (x, i) => ({ x, y: curveLosses[i]! })).filter(({ y }) => Number.isFinite(y));
    this.#chart.data.datasets = [
      line(points, curveColor(theme), { order: 3 }),
      line(tangent(detail, numeric, from, to), numericColor(theme), { borderDash: [2, 3], borderWidth: 2, order: 2 }),
      ...(Number.isFinite(analytic)
        ? [line(tangent(detail, analytic, from, to), analyticColor(theme, detail), { borderDash: [8, 4], order: 1 })]
        : []),
      {
        data: [{ x: value, y: loss }],
        pointRadius: 4.5,
        pointStyle: 'circle',
        backgroundColor: toCss(theme.foreground),
        borderColor: toCss(theme.background),
        order: 0,
      },
    ];
    const look = axisStyle(theme);
    const title = (text: string) => ({
      display: true,
      text,
      padding: 0,
      color: toCss(theme.muted),
      font: { family: theme.fontFamily, size: FONT_SIZE },
    });
    const { scales } = this.#chart.options;
    // Labels have as many digits as the range requires; otherwise all would be the same in a small one.
    Object.assign(scales?.x ?? {}, {
      ...look,
      min: from,
      max: to,
      title: title('value of this entry'),
      ticks: {
        ...look.ticks,
        maxTicksLimit: 5,
        includeBounds: false,
        callback: (tick: number) => formatAtResolution(tick, to - from),
      },
    });
    Object.assign(scales?.y ?? {}, {
      ...look,
      min: low - room,
      max: high + room,
      title: title('loss'),
      ticks: {
        ...look.ticks,
        maxTicksLimit: 5,
        includeBounds: false,
        callback: (tick: number) => formatAtResolution(tick, high - low + 2 * room),
      },
    });
    this.#chart.update();
    this.canvas.setAttribute(
      'aria-label',
      `The loss as this entry goes from ${formatNumber(from)} to ${formatNumber(to)}: from ${formatNumber(curveLosses[0]!)} to ${formatNumber(curveLosses[curveLosses.length - 1]!)}. ` +
        `Backprop claims a slope of ${formatNumber(analytic)}, measured is ${formatNumber(numeric)}: ${verdict.replace('_', ' ')}. The table below has the curve.`,
    );
  }

  dispose(): void {
    this.#chart.destroy();
  }

  #kinkPlugin(): Plugin<'scatter'> {
    return {
      id: 'kinks',
      beforeDatasetsDraw: ({ ctx, chartArea: area, scales: { x } }) => {
        const { theme } = this.context;
        ctx.save();
        ctx.strokeStyle = toCss(theme.warning, 0.9);
        ctx.lineWidth = 1;
        for (const kink of this.#detail?.kinks ?? []) {
          const at = Math.round(x!.getPixelForValue(kink)) + 0.5;
          ctx.beginPath();
          ctx.moveTo(at, area.bottom);
          ctx.lineTo(at, area.bottom - 14);
          ctx.stroke();
        }
        ctx.restore();
      },
    };
  }
}

/** A number with enough digits to be distinguished from its neighbors on an axis of this range. */
export function formatAtResolution(value: number, range: number): string {
  if (!(range > 0) || !Number.isFinite(value)) return formatCompact(value);
  const digits = Math.ceil(-Math.log10(range)) + 2;
  return digits > 12 || Math.abs(value) >= 1e6
    ? formatNumber(value)
    : value.toFixed(Math.max(0, Math.min(12, digits))).replace('-', '\u2212');
}
