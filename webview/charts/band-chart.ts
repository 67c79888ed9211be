// Several settings over the epochs: the mean of their runs as a line, with their spread as a band. The pointer or the
// arrow keys choose an epoch, whose values are shown as text; all numbers are in a table.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import type { ChartDataset, Plugin } from 'chart.js';
import type { Spread } from '../../src/protocol/panel';
import { toCss, type Rgb } from '../canvas/colors';
import type { Context } from '../context';
import { exportActions } from '../controls/export-actions';
import { renderIcon, renderValue } from '../controls/number-value';
import { formatNumber, formatPowerOfTen, formatCompact } from '../../src/presentation/numbers';
import type { TableExport } from '../export/table-export';
import { decadeBounds, decadeTicks, linearBounds, type Range } from './axes';
import { MAX_LINES, swatch } from './line-chart';
import { axisStyle, baseOptions, Chart, FONT_SIZE } from './setup';

/** Mean ± standard deviation, or from the smallest to the largest value. */
export type BandKind = 'deviation' | 'range';

export interface Band {
  readonly name: string;
  readonly color: Rgb;
  readonly dash: readonly number[];
  readonly epochs: readonly number[];
  /** One per epoch. */
  readonly spreads: readonly Spread[];
}

export interface BandChartOptions {
  readonly title: string;
  readonly unit: string;
  readonly description: string;
  readonly band: BandKind;
  readonly logarithmic: boolean;
  /** A fixed range, independent of the data. */
  readonly fixed?: Range;
  readonly toolbar: () => TemplateResult;
}

/** @returns null if a single run has no spread */
export function bandLimits(
  { mean, deviation, min, max, count }: Spread,
  kind: BandKind,
): { readonly low: number; readonly high: number } | null {
  if (count < 2 || deviation === null) return null;
  return kind === 'range' ? { low: min, high: max } : { low: mean - deviation, high: mean + deviation };
}

/** The extent of everything drawn; on a logarithmic axis, of values above 0. */
function bandExtent(bands: readonly Band[], kind: BandKind, positive: boolean): Range | null {
  let [min, max] = [Infinity, -Infinity];
  for (const { spreads } of bands) {
    for (const spread of spreads) {
      const limits = bandLimits(spread, kind);
      for (const one of [spread.mean, ...(limits ? [limits.low, limits.high] : [])]) {
        if (!Number.isFinite(one) || (positive && one <= 0)) continue;
        min = Math.min(min, one);
        max = Math.max(max, one);
      }
    }
  }
  return min <= max ? { min, max } : null;
}

/** All epochs after which any of them was evaluated, in ascending order. */
export const allEpochs = (bands: readonly Band[]): number[] =>
  [...new Set(bands.flatMap(({ epochs }) => epochs))].sort((a, b) => a - b);

/** One row per epoch. */
export function bandTable(bands: readonly Band[]): TableExport {
  return {
    headers: [
      'epoch',
      ...bands.flatMap(({ name }) => ['mean', 'deviation', 'smallest', 'largest'].map((what) => `${name} ${what}`)),
    ],
    rows: allEpochs(bands).map((epoch) => [
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
  /** Index of the chosen epoch; null for the last. */
  #epochIndex: number | null = null;
  #isTableOpen = false;

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
    this.#renderText();
    this.#chart = new Chart(this.#canvas, {
      type: 'line',
      data: { datasets: [] },
      options: { ...baseOptions, scales: { x: { type: 'linear', min: 0 }, y: { type: 'linear' } } },
      plugins: [this.#markerPlugin()],
    });
    this.#addListeners();
  }

  update(bands: readonly Band[], options: BandChartOptions): void {
    this.#bands = bands;
    this.#options = options;
    this.#draw();
    this.#renderText();
  }

  dispose(): void {
    this.#chart.destroy();
    render(nothing, this.host);
  }

  get #visibleBands(): readonly Band[] {
    return this.#bands.slice(0, MAX_LINES);
  }

  #draw(): void {
    const { band, logarithmic, fixed } = this.#options;
    const { theme } = this.context;
    const found = bandExtent(this.#visibleBands, band, logarithmic);
    const range = fixed ??
      (found && (logarithmic ? decadeBounds(found) : linearBounds(found))) ?? { min: logarithmic ? 0.1 : 0, max: 1 };
    const look = axisStyle(theme);
    const epochs = allEpochs(this.#visibleBands);
    const title = {
      display: true,
      text: 'epoch',
      padding: 0,
      color: toCss(theme.muted),
      font: { family: theme.fontFamily, size: FONT_SIZE },
    };
    this.#chart.options.scales = {
      x: {
        ...look,
        type: 'linear',
        min: 0,
        max: Math.max(1, epochs[epochs.length - 1] ?? 1),
        title,
        grid: { ...look.grid, display: false },
        ticks: { ...look.ticks, callback: (tick) => formatCompact(Number(tick)) },
      },
      y: {
        ...look,
        type: logarithmic ? 'logarithmic' : 'linear',
        ...range,
        afterFit: (axis) => {
          axis.width = 52;
        },
        ticks: {
          ...look.ticks,
          maxTicksLimit: 6,
          callback: (tick) =>
            logarithmic ? formatPowerOfTen(Math.round(Math.log10(Number(tick)))) : formatCompact(Number(tick)),
        },
        ...(logarithmic && {
          afterBuildTicks: (axis: { min: number; max: number; ticks: { value: number }[] }) => {
            axis.ticks = decadeTicks(axis, 7).map((exponent) => ({ value: 10 ** exponent }));
          },
        }),
      },
    };
    this.#chart.data.datasets = this.#visibleBands.flatMap((one) => this.#datasets(one));
    this.#chart.update();
  }

  /** The two edges of the band with the area between them, then the mean. */
  #datasets({ epochs, spreads, color, dash }: Band): ChartDataset<'line'>[] {
    const { band, logarithmic } = this.#options;
    const { highContrast } = this.context.theme;
    const point = (i: number, y: number | undefined) => ({
      x: epochs[i]!,
      y: y === undefined || (logarithmic && y <= 0) ? NaN : y,
    });
    const limits = spreads.map((spread) => bandLimits(spread, band));
    // A logarithmic axis has no values of 0 or below: the band extends to its end.
    const low = limits.map((limit) => limit && (logarithmic && limit.low <= 0 ? Number.MIN_VALUE : limit.low));
    const edge = {
      borderColor: toCss(color, highContrast ? 0.7 : 0.35),
      borderWidth: highContrast ? 1 : 0.5,
      pointRadius: 0,
      spanGaps: false,
    };
    return [
      ...(limits.some((limit) => limit !== null)
        ? [
            {
              ...edge,
              data: low.map((y, i) => point(i, y ?? undefined)),
              fill: '+1',
              backgroundColor: toCss(color, 0.16),
            },
            { ...edge, data: limits.map((limit, i) => point(i, limit?.high)), fill: false },
          ]
        : []),
      {
        data: spreads.map(({ mean }, i) => point(i, mean)),
        borderColor: toCss(color),
        backgroundColor: toCss(color),
        borderWidth: 2,
        borderDash: [...dash],
        pointRadius: epochs.length <= 24 ? 1.75 : 0,
        pointBorderWidth: 0,
        fill: false,
        spanGaps: false,
      },
    ];
  }

  #markerPlugin(): Plugin<'line'> {
    return {
      id: 'marker',
      afterDatasetsDraw: ({ ctx, chartArea: area, scales }) => {
        const epoch = this.#epochIndex === null ? undefined : allEpochs(this.#visibleBands)[this.#epochIndex];
        if (epoch === undefined) return;
        const x = Math.round(scales.x!.getPixelForValue(epoch)) + 0.5;
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

  #addListeners(): void {
    const canvas = this.#canvas;
    canvas.addEventListener('pointermove', ({ offsetX }) => {
      const epochs = allEpochs(this.#visibleBands);
      const wanted = this.#chart.scales.x?.getValueForPixel(offsetX) ?? 0;
      this.#selectEpoch(
        epochs.reduce((best, epoch, i) => (Math.abs(epoch - wanted) < Math.abs(epochs[best]! - wanted) ? i : best), 0),
      );
    });
    canvas.addEventListener('pointerleave', () => this.#selectEpoch(null));
    canvas.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      const last = allEpochs(this.#visibleBands).length - 1;
      const now = this.#epochIndex ?? last;
      const moves: Record<string, number | null> = {
        ArrowRight: Math.min(last, now + 1),
        ArrowLeft: Math.max(0, now - 1),
        Home: 0,
        End: last,
        Escape: null,
      };
      const move = moves[event.key];
      if (move === undefined || last < 0) return;
      event.preventDefault();
      this.#selectEpoch(move);
    });
  }

  #selectEpoch(at: number | null): void {
    if (at === this.#epochIndex) return;
    this.#epochIndex = at;
    this.#chart.draw();
    this.#renderText();
  }

  #renderText(): void {
    const { title, unit, description, toolbar, band } = this.#options;
    const epochs = allEpochs(this.#visibleBands);
    const epoch = epochs[this.#epochIndex ?? epochs.length - 1];
    const at = ({ epochs: own, spreads }: Band): Spread | undefined =>
      epoch === undefined ? undefined : spreads[own.indexOf(epoch)];
    const spoken = this.#visibleBands.flatMap((one) => {
      const spread = at(one);
      return spread ? [`${one.name} ${formatNumber(spread.mean)}`] : [];
    });
    this.#canvas.setAttribute(
      'aria-label',
      `${title}, ${unit}. ${spoken.length > 0 ? `After epoch ${epoch}: ${spoken.join(', ')}. Arrow keys move between epochs.` : 'No run has finished yet.'}`,
    );
    render(
      html`
        <div class="chart-head">
          <h2 title=${description}>${title}</h2>
          <span class="unit">${unit}</span>${toolbar()}
        </div>
        <div
          class="keys spreads ${this.#visibleBands.length > 5 ? 'many' : ''}"
          role="group"
          aria-label=${`${title} at this epoch`}
          tabindex=${this.#visibleBands.length > 5 ? 0 : nothing}
        >
          <span class="key at"
            >epoch <span class="number">${epoch === undefined ? '–' : formatCompact(epoch)}</span></span
          >
          ${this.#visibleBands.map(
            (one) =>
              html`<span class="key" title=${one.name}>
                ${swatch({ name: one.name, data: undefined, color: one.color, dash: one.dash, width: 2 })}<span
                  class="key-name"
                  >${one.name}</span
                >
                <span class="reads">${renderSpread(at(one), band)}</span>
              </span>`,
          )}
        </div>
        <div class="plot">
          ${this.#canvas}${spoken.length === 0 ? html`<p class="plot-empty">No run has finished yet.</p>` : nothing}
        </div>
        <div class="chart-foot">
          <span class="how"
            >${renderIcon('info')}
            ${description}${
              this.#bands.length > MAX_LINES
                ? html` <b>The first ${MAX_LINES} of ${this.#bands.length} settings</b> are drawn; the table has all.`
                : nothing
            }</span
          >
          <details class="data" @toggle=${this.#toggle}>
            <summary>Table</summary>
            ${this.#isTableOpen ? this.#table(epochs) : nothing}
          </details>
        </div>
      `,
      this.host,
    );
  }

  readonly #toggle = (event: Event): void => {
    this.#isTableOpen = (event.target as HTMLDetailsElement).open;
    this.#renderText();
  };

  #table(epochs: readonly number[]): TemplateResult {
    const { title, band } = this.#options;
    return html`
      <p class="hint">
        Mean ${band === 'range' ? 'with the smallest and largest value' : '± standard deviation'} by epoch.
        ${exportActions(this.context, { title, table: () => bandTable(this.#bands), canvas: this.#canvas })}
      </p>
      <div class="scroll" tabindex="0" role="region" aria-label=${`Table: ${title}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">epoch</th>
              ${this.#bands.map(({ name }) => html`<th scope="col">${name}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${epochs.map(
              (epoch) =>
                html`<tr>
                  <th scope="row">${formatCompact(epoch)}</th>
                  ${this.#bands.map(({ epochs: own, spreads }) => html`<td>${renderSpread(spreads[own.indexOf(epoch)], band)}</td>`)}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    `;
  }
}

/** `0.3812 ± 0.0121`, or the mean with the smallest and largest value. */
export function renderSpread(spread: Spread | null | undefined, band: BandKind = 'deviation'): TemplateResult {
  if (!spread) return renderValue(null);
  if (spread.count < 2) return renderValue(spread.mean);
  return band === 'range'
    ? html`${renderValue(spread.mean)}
        <span class="hint">${renderValue(spread.min)} … ${renderValue(spread.max)}</span>`
    : html`${renderValue(spread.mean)} <span class="hint">±</span> ${renderValue(spread.deviation)}`;
}
