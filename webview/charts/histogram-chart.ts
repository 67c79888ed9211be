// The distribution of a layer's output at one step, with the engine's bins.
import { html, nothing, render } from 'lit/html.js';
import { toCss } from '../canvas/colors';
import type { Context } from '../context';
import type { ActivationStats } from '../../src/protocol/panel';
import { exportActions } from '../controls/export-actions';
import { renderValue } from '../controls/number-value';
import { pluralize, formatInteger, formatNumber, formatPercent } from '../../src/presentation/numbers';
import type { TableExport } from '../export/table-export';
import { axisStyle, baseOptions, Chart, FONT_SIZE } from './setup';

export class HistogramChart {
  readonly #chart: Chart<'bar', { x: number; y: number }[]>;
  readonly #canvas: HTMLCanvasElement;
  #isTableOpen = false;

  constructor(
    readonly host: HTMLElement,
    readonly context: Context,
  ) {
    host.classList.add('chart');
    this.#canvas = document.createElement('canvas');
    this.#canvas.setAttribute('role', 'img');
    this.#renderText('', null);
    this.#chart = new Chart(this.#canvas, {
      type: 'bar',
      data: { datasets: [] },
      options: { ...baseOptions, scales: { x: { type: 'linear' }, y: { type: 'linear', beginAtZero: true } } },
    });
  }

  update(name: string, reading: ActivationStats | null, text: boolean): void {
    const { theme } = this.context;
    const look = axisStyle(theme);
    const { low = 0, high = 1, histogram = new Uint32Array() } = reading ?? {};
    const width = (high - low || 1) / Math.max(1, histogram.length);
    const chart = this.#chart;
    const title = {
      display: true,
      padding: 0,
      color: toCss(theme.muted),
      font: { family: theme.fontFamily, size: FONT_SIZE },
    };
    Object.assign(chart.options.scales?.x ?? {}, {
      ...look,
      grid: { display: false },
      min: low,
      max: high > low ? high : low + 1,
      offset: false,
      title: { ...title, text: 'output value' },
      ticks: { ...look.ticks, callback: (tick: number | string) => formatNumber(Number(tick)), maxTicksLimit: 6 },
    });
    Object.assign(chart.options.scales?.y ?? {}, {
      ...look,
      title: { ...title, text: 'entries' },
      ticks: { ...look.ticks, precision: 0, maxTicksLimit: 5 },
      afterFit: (axis: { width: number }) => {
        axis.width = 52;
      },
    });
    chart.data.datasets = [
      {
        data: [...histogram].map((count, i) => ({ x: low + (i + 0.5) * width, y: count })),
        backgroundColor: toCss(theme.palette[0], 0.85),
        barPercentage: 1,
        categoryPercentage: 0.92,
      },
    ];
    chart.update();
    if (text) this.#renderText(name, reading);
  }

  dispose(): void {
    this.#chart.destroy();
    render(nothing, this.host);
  }

  #renderText(name: string, reading: ActivationStats | null): void {
    const entries = reading?.histogram.reduce((sum, count) => sum + count, 0) ?? 0;
    this.#canvas.setAttribute(
      'aria-label',
      reading
        ? `Output of ${name} at this step: ${pluralize(entries, 'entry', 'entries')} from ${formatNumber(reading.low)} to ${formatNumber(reading.high)}.`
        : `Output of ${name}: nothing measured yet.`,
    );
    const bin = reading ? (reading.high - reading.low) / reading.histogram.length : 0;
    render(
      html`
        <div class="chart-head">
          <h2>Output of <bdi>${name}</bdi> at this step</h2>
          <span class="unit">number of entries in 32 equal bins</span>
        </div>
        <div class="keys">
          <span class="key">entries <span class="number">${formatInteger(entries)}</span></span>
          <span class="key">smallest ${renderValue(reading?.low)}</span>
          <span class="key">largest ${renderValue(reading?.high)}</span>
          <span class="key">mean ${renderValue(reading?.mean)}</span>
          <span class="key">std ${renderValue(reading?.std)}</span>
          ${reading && reading.idle !== null ? html`<span class="key">idle units <span class="number">${formatPercent(reading.idle)}</span></span>` : nothing}
        </div>
        <div class="plot">
          ${this.#canvas}${reading ? nothing : html`<p class="plot-empty">Nothing measured yet.</p>`}
        </div>
        <div class="chart-foot">
          <span class="how">How the layer’s outputs over this batch are spread.</span>
          <details class="data" @toggle=${(event: Event) => this.#toggle(event, name, reading)}>
            <summary>Table</summary>
            ${
              this.#isTableOpen && reading
                ? html`<p class="hint">
                      ${exportActions(this.context, { title: `Output of ${name}`, table: () => histogramTable(reading), canvas: this.#canvas })}
                    </p>
                    <div class="scroll" tabindex="0" role="region" aria-label="Table: histogram">
                      <table>
                        <thead>
                          <tr>
                            <th scope="col">from</th>
                            <th scope="col">to</th>
                            <th scope="col">entries</th>
                          </tr>
                        </thead>
                        <tbody>
                          ${[...reading.histogram].map(
                            (count, i) =>
                              html`<tr>
                                <td>${renderValue(reading.low + i * bin, { signed: true })}</td>
                                <td>${renderValue(reading.low + (i + 1) * bin, { signed: true })}</td>
                                <td class="number">${formatInteger(count)}</td>
                              </tr>`,
                          )}
                        </tbody>
                      </table>
                    </div>`
                : nothing
            }
          </details>
        </div>
      `,
      this.host,
    );
  }

  #toggle(event: Event, name: string, reading: ActivationStats | null): void {
    this.#isTableOpen = (event.target as HTMLDetailsElement).open;
    this.#renderText(name, reading);
  }
}

/** One row per bin. */
const histogramTable = ({ low, high, histogram }: ActivationStats): TableExport => ({
  headers: ['from', 'to', 'entries'],
  rows: [...histogram].map((count, i) => [
    low + (i * (high - low)) / histogram.length,
    low + ((i + 1) * (high - low)) / histogram.length,
    count,
  ]),
});
