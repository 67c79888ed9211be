// The loss along one entry, all else held: the curve, the tangent that backprop claims, the one that was measured, and
// where kinks are. Its numbers are in the table of the view that shows it.
import type { ChartDataset, Plugin } from 'chart.js';
import { toCss, type Rgb } from '../colours';
import type { Context } from '../context';
import type { AnswerTo } from '../../src/protocol/panel';
import { formatNumber, formatRound } from '../numbers';
import type { Theme } from '../theme';
import { axisLook, baseOptions, Chart, FONT_SIZE } from './setup';

export type EntryDetail = AnswerTo<'check_entry'>;

export const curveColour = ({ foreground }: Theme): Rgb => foreground;
export const claimColour = (theme: Theme, { verdict }: Pick<EntryDetail, 'verdict'>): Rgb => (verdict === 'wrong' ? theme.bad : theme.good);
export const measuredColour = ({ palette }: Theme): Rgb => palette[0];

/** The tangent with a slope, between two places; vertical room beyond the curve's is not needed. */
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
      plugins: [this.#kinks()],
    });
  }

  update(detail: EntryDetail): void {
    this.#detail = detail;
    const { theme } = this.context;
    const { at, losses, analytic, numeric, value, loss, verdict } = detail;
    const [from, to] = [at[0], at[at.length - 1]];
    const finite = losses.filter(Number.isFinite);
    const [low, high] = [Math.min(loss, ...finite), Math.max(loss, ...finite)];
    // A third of the height to either side: tangents run out of sight, the curve never.
    const room = (high - low || Math.abs(loss) || 1) * 0.15;
    const line = (data: { x: number; y: number }[], colour: Rgb, more: Partial<ChartDataset<'scatter'>> = {}): ChartDataset<'scatter'> => ({
      data, showLine: true, pointRadius: 0, borderColor: toCss(colour), borderWidth: 2, ...more,
    });
    const points = Array.from(at, (x, i) => ({ x, y: losses[i] })).filter(({ y }) => Number.isFinite(y));
    this.#chart.data.datasets = [
      line(points, curveColour(theme), { order: 3 }),
      line(tangent(detail, numeric, from, to), measuredColour(theme), { borderDash: [2, 3], borderWidth: 2, order: 2 }),
      ...(Number.isFinite(analytic) ? [line(tangent(detail, analytic, from, to), claimColour(theme, detail), { borderDash: [8, 4], order: 1 })] : []),
      { data: [{ x: value, y: loss }], pointRadius: 4.5, pointStyle: 'circle', backgroundColor: toCss(theme.foreground), borderColor: toCss(theme.background), order: 0 },
    ];
    const look = axisLook(theme);
    const title = (text: string) => ({ display: true, text, padding: 0, color: toCss(theme.muted), font: { family: theme.fontFamily, size: FONT_SIZE } });
    const { scales } = this.#chart.options;
    // Labels in the digits that the range needs: at a small one all would read the same.
    Object.assign(scales?.x ?? {}, { ...look, min: from, max: to, title: title('value of this entry'), ticks: { ...look.ticks, maxTicksLimit: 5, includeBounds: false, callback: (tick: number) => within(tick, to - from) } });
    Object.assign(scales?.y ?? {}, { ...look, min: low - room, max: high + room, title: title('loss'), ticks: { ...look.ticks, maxTicksLimit: 5, includeBounds: false, callback: (tick: number) => within(tick, high - low + 2 * room) } });
    this.#chart.update();
    this.canvas.setAttribute(
      'aria-label',
      `The loss as this entry goes from ${formatNumber(from)} to ${formatNumber(to)}: from ${formatNumber(losses[0])} to ${formatNumber(losses[losses.length - 1])}. ` +
        `Backprop claims a slope of ${formatNumber(analytic)}, measured is ${formatNumber(numeric)}: ${verdict.replace('_', ' ')}. The table below has the curve.`,
    );
  }

  dispose(): void {
    this.#chart.destroy();
  }

  #kinks(): Plugin<'scatter'> {
    return {
      id: 'kinks',
      beforeDatasetsDraw: ({ ctx, chartArea: area, scales: { x } }) => {
        const { theme } = this.context;
        ctx.save();
        ctx.strokeStyle = toCss(theme.warning, 0.9);
        ctx.lineWidth = 1;
        for (const kink of this.#detail?.kinks ?? []) {
          const at = Math.round(x.getPixelForValue(kink)) + 0.5;
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

/** A number with as many digits as its neighbours on an axis of this range need. */
export function within(value: number, range: number): string {
  if (!(range > 0) || !Number.isFinite(value)) return formatRound(value);
  const digits = Math.ceil(-Math.log10(range)) + 2;
  return digits > 12 || Math.abs(value) >= 1e6 ? formatNumber(value) : value.toFixed(Math.max(0, Math.min(12, digits))).replace('-', '\u2212');
}
