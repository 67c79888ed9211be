// Several settings over the epochs: the mean of their runs as a line, their spread as a band around it. The pointer or the
// arrow keys choose the epoch that is read; behind the chart are its numbers, as live text and as a table.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { ChartDataset, Plugin } from 'chart.js';
import type { Spread } from '../../src/protocol/panel';
import { toCss, type Rgb } from '../colours';
import type { Context } from '../context';
import { takeAway } from '../controls/take-away';
import { icon, value } from '../controls/value';
import { formatNumber, formatPower, formatRound } from '../numbers';
import type { Sheet } from '../sheet';
import { decadeBounds, decadeTicks, linearBounds, type Range } from './axes';
import { MOST_LINES, swatch } from './line-chart';
import { axisLook, baseOptions, Chart, FONT_SIZE } from './setup';

/** Mean ± standard deviation, or from the smallest to the largest value. */
export type BandKind = 'deviation' | 'range';

export interface Band {
  readonly name: string;
  readonly colour: Rgb;
  readonly dash: readonly number[];
  readonly epochs: readonly number[];
  /** One for each epoch. */
  readonly spreads: readonly Spread[];
}

export interface BandChartOptions {
  readonly title: string;
  readonly unit: string;
  readonly how: string;
  readonly band: BandKind;
  readonly logarithmic: boolean;
  /** A range that does not depend on the data. */
  readonly fixed?: Range;
  readonly tool: () => TemplateResult;
}

/** @returns null where a single run has no spread. */
export function limitsOf({ mean, deviation, min, max, count }: Spread, kind: BandKind): { readonly low: number; readonly high: number } | null {
  if (count < 2 || deviation === null) return null;
  return kind === 'range' ? { low: min, high: max } : { low: mean - deviation, high: mean + deviation };
}

/** Of all that is drawn; on a logarithmic axis of what is above 0. */
function extentOf(bands: readonly Band[], kind: BandKind, positive: boolean): Range | null {
  let [min, max] = [Infinity, -Infinity];
  for (const { spreads } of bands) {
    for (const spread of spreads) {
      const limits = limitsOf(spread, kind);
      for (const one of [spread.mean, ...(limits ? [limits.low, limits.high] : [])]) {
        if (!Number.isFinite(one) || (positive && one <= 0)) continue;
        min = Math.min(min, one);
        max = Math.max(max, one);
      }
    }
  }
  return min <= max ? { min, max } : null;
}

/** Every epoch that any of them was evaluated after, rising. */
export const epochsOf = (bands: readonly Band[]): number[] => [...new Set(bands.flatMap(({ epochs }) => epochs))].sort((a, b) => a - b);

/** A row an epoch. */
export function sheetOf(bands: readonly Band[]): Sheet {
  return {
    heads: ['epoch', ...bands.flatMap(({ name }) => ['mean', 'deviation', 'smallest', 'largest'].map((what) => `${name} ${what}`))],
    rows: epochsOf(bands).map((epoch) => [
      epoch,
      ...bands.flatMap(({ epochs, spreads }) => {
        const spread: Spread | undefined = spreads[epochs.indexOf(epoch)];
        return spread ? [spread.mean, spread.deviation, spread.min, spread.max] : [null, null, null, null];
      }),
    ]),
  };
}

export class BandChart {
  readonly #chart: Chart<'line'>;
  readonly #canvas: HTMLCanvasElement;
  #bands: readonly Band[] = [];
  #options: BandChartOptions;
  /** Index of the epoch that is read; the last one where nobody chose. */
  #at: number | null = null;
  #open = false;

  constructor(
    readonly host: HTMLElement,
    readonly context: Context,
    options: BandChartOptions,
  ) {
    host.classList.add('chart');
    this.#options = options;
    this.#canvas = document.createElement('canvas');
    this.#canvas.setAttribute('role', 'img');
    this.#canvas.tabIndex = 0;
    this.#text();
    this.#chart = new Chart(this.#canvas, {
      type: 'line',
      data: { datasets: [] },
      options: { ...baseOptions, scales: { x: { type: 'linear', min: 0 }, y: { type: 'linear' } } },
      plugins: [this.#marker()],
    });
    this.#listen();
  }

  update(bands: readonly Band[], options: BandChartOptions): void {
    this.#bands = bands;
    this.#options = options;
    this.#draw();
    this.#text();
  }

  dispose(): void {
    this.#chart.destroy();
    render(nothing, this.host);
  }

  get #drawn(): readonly Band[] {
    return this.#bands.slice(0, MOST_LINES);
  }

  #draw(): void {
    const { band, logarithmic, fixed } = this.#options;
    const { theme } = this.context;
    const found = extentOf(this.#drawn, band, logarithmic);
    const range = fixed ?? (found && (logarithmic ? decadeBounds(found) : linearBounds(found))) ?? { min: logarithmic ? 0.1 : 0, max: 1 };
    const look = axisLook(theme);
    const epochs = epochsOf(this.#drawn);
    const title = { display: true, text: 'epoch', padding: 0, color: toCss(theme.muted), font: { family: theme.fontFamily, size: FONT_SIZE } };
    this.#chart.options.scales = {
      x: { ...look, type: 'linear', min: 0, max: Math.max(1, epochs[epochs.length - 1] ?? 1), title, grid: { ...look.grid, display: false }, ticks: { ...look.ticks, callback: (tick) => formatRound(Number(tick)) } },
      y: {
        ...look, type: logarithmic ? 'logarithmic' : 'linear', ...range,
        afterFit: (axis) => {
          axis.width = 52;
        },
        ticks: { ...look.ticks, maxTicksLimit: 6, callback: (tick) => (logarithmic ? formatPower(Math.round(Math.log10(Number(tick)))) : formatRound(Number(tick))) },
        ...(logarithmic && {
          afterBuildTicks: (axis: { min: number; max: number; ticks: { value: number }[] }) => {
            axis.ticks = decadeTicks(axis, 7).map((exponent) => ({ value: 10 ** exponent }));
          },
        }),
      },
    };
    this.#chart.data.datasets = this.#drawn.flatMap((one) => this.#datasets(one));
    this.#chart.update();
  }

  /** The two edges of the band, filled between, then the mean. */
  #datasets({ epochs, spreads, colour, dash }: Band): ChartDataset<'line'>[] {
    const { band, logarithmic } = this.#options;
    const { highContrast } = this.context.theme;
    const point = (i: number, y: number | undefined) => ({ x: epochs[i], y: y === undefined || (logarithmic && y <= 0) ? NaN : y });
    const limits = spreads.map((spread) => limitsOf(spread, band));
    // Below 0 a logarithmic axis has no place: the band goes to its end.
    const low = limits.map((limit) => limit && (logarithmic && limit.low <= 0 ? Number.MIN_VALUE : limit.low));
    const edge = { borderColor: toCss(colour, highContrast ? 0.7 : 0.35), borderWidth: highContrast ? 1 : 0.5, pointRadius: 0, spanGaps: false };
    return [
      ...(limits.some((limit) => limit !== null)
        ? [
            { ...edge, data: low.map((y, i) => point(i, y ?? undefined)), fill: '+1', backgroundColor: toCss(colour, 0.16) },
            { ...edge, data: limits.map((limit, i) => point(i, limit?.high)), fill: false },
          ]
        : []),
      {
        data: spreads.map(({ mean }, i) => point(i, mean)), borderColor: toCss(colour), backgroundColor: toCss(colour), borderWidth: 2, borderDash: [...dash],
        pointRadius: epochs.length <= 24 ? 1.75 : 0, pointBorderWidth: 0, fill: false, spanGaps: false,
      },
    ];
  }

  #marker(): Plugin<'line'> {
    return {
      id: 'marker',
      afterDatasetsDraw: ({ ctx, chartArea: area, scales }) => {
        const epoch = this.#at === null ? undefined : epochsOf(this.#drawn)[this.#at];
        if (epoch === undefined) return;
        const x = Math.round(scales.x.getPixelForValue(epoch)) + 0.5;
        ctx.save();
        ctx.strokeStyle = toCss(this.context.theme.foreground, 0.85);
        ctx.setLineDash([4, 3]);
        ctx.beginPath();
        ctx.moveTo(x, area.top);
        ctx.lineTo(x, area.bottom);
        ctx.stroke();
        ctx.restore();
      },
    };
  }

  #listen(): void {
    const canvas = this.#canvas;
    canvas.addEventListener('pointermove', ({ offsetX }) => {
      const epochs = epochsOf(this.#drawn);
      const wanted = this.#chart.scales.x?.getValueForPixel(offsetX) ?? 0;
      this.#read(epochs.reduce((best, epoch, i) => (Math.abs(epoch - wanted) < Math.abs(epochs[best] - wanted) ? i : best), 0));
    });
    canvas.addEventListener('pointerleave', () => this.#read(null));
    canvas.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const last = epochsOf(this.#drawn).length - 1;
      const now = this.#at ?? last;
      const moves: Record<string, number | null> = { ArrowRight: Math.min(last, now + 1), ArrowLeft: Math.max(0, now - 1), Home: 0, End: last, Escape: null };
      if (!(event.key in moves) || last < 0) return;
      event.preventDefault();
      this.#read(moves[event.key]);
    });
  }

  #read(at: number | null): void {
    if (at === this.#at) return;
    this.#at = at;
    this.#chart.draw();
    this.#text();
  }

  #text(): void {
    const { title, unit, how, tool, band } = this.#options;
    const epochs = epochsOf(this.#drawn);
    const epoch = epochs[this.#at ?? epochs.length - 1];
    const at = ({ epochs: own, spreads }: Band): Spread | undefined => spreads[own.indexOf(epoch)];
    const spoken = this.#drawn.flatMap((one) => {
      const spread = at(one);
      return spread ? [`${one.name} ${formatNumber(spread.mean)}`] : [];
    });
    this.#canvas.setAttribute('aria-label', `${title}, ${unit}. ${spoken.length > 0 ? `After epoch ${epoch}: ${spoken.join(', ')}. Arrow keys move from epoch to epoch.` : 'No run has finished yet.'}`);
    render(
      html`
        <div class="chart-head"><h2 title=${how}>${title}</h2><span class="unit">${unit}</span>${tool()}</div>
        <div class="keys ${this.#drawn.length > 5 ? 'many' : ''}" role="group" aria-label=${`${title} at this epoch`} tabindex=${this.#drawn.length > 5 ? 0 : nothing}>
          <span class="key at">epoch <span class="number">${epoch === undefined ? '–' : formatRound(epoch)}</span></span>
          ${this.#drawn.map((one) => html`<span class="key" title=${one.name}>
            ${swatch({ name: one.name, data: undefined, colour: one.colour, dash: one.dash, width: 2 })}<span class="key-name">${one.name}</span>
            <span class="reads">${spreadOf(at(one), band)}</span>
          </span>`)}
        </div>
        <div class="plot">${this.#canvas}${spoken.length === 0 ? html`<p class="plot-empty">No run has finished yet.</p>` : nothing}</div>
        <div class="chart-foot">
          <span class="how">${icon('info')} ${how}${
            this.#bands.length > MOST_LINES ? html` <b>The first ${MOST_LINES} of ${this.#bands.length} settings</b> are drawn; the table has all.` : nothing
          }</span>
          <details class="data" @toggle=${this.#toggle}><summary>Table</summary>${this.#open ? this.#table(epochs) : nothing}</details>
        </div>
      `,
      this.host,
    );
  }

  readonly #toggle = (event: Event): void => {
    this.#open = (event.target as HTMLDetailsElement).open;
    this.#text();
  };

  #table(epochs: readonly number[]): TemplateResult {
    const { title, band } = this.#options;
    return html`
      <p class="hint">
        Mean ${band === 'range' ? 'with the smallest and largest value' : '± standard deviation'} by epoch.
        ${takeAway(this.context, { title, sheet: () => sheetOf(this.#bands), canvas: this.#canvas })}
      </p>
      <div class="scroll" tabindex="0" role="region" aria-label=${`Table: ${title}`}><table>
        <thead><tr><th scope="col">epoch</th>${this.#bands.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
        <tbody>${epochs.map((epoch) => html`<tr><th scope="row">${formatRound(epoch)}</th>${this.#bands.map(({ epochs: own, spreads }) => html`<td>${spreadOf(spreads[own.indexOf(epoch)], band)}</td>`)}</tr>`)}</tbody>
      </table></div>
    `;
  }
}

/** `0.3812 ± 0.0121`, or the mean with the smallest and largest value. */
export function spreadOf(spread: Spread | null | undefined, band: BandKind = 'deviation'): TemplateResult {
  if (!spread) return value(null);
  if (spread.count < 2) return value(spread.mean);
  return band === 'range'
    ? html`${value(spread.mean)} <span class="hint">${value(spread.min)} … ${value(spread.max)}</span>`
    : html`${value(spread.mean)} <span class="hint">±</span> ${value(spread.deviation)}`;
}
