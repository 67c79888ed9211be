// The distribution of a gradient's magnitudes over the steps: one ridge per step, the newest in front, on a shared
// logarithmic axis.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import { mixOklab, toCss } from '../canvas/colors';
import type { Context } from '../context';
import type { QueryValue } from '../../src/protocol/panel';
import { exportActions } from '../controls/export-actions';
import { renderIcon } from '../controls/number-value';
import { pluralize, formatInteger, formatPowerOfTen, formatExact } from '../../src/presentation/numbers';
import type { TableExport } from '../export/table-export';
import type { Range } from './axes';
import { createAxesCache } from './axes-cache';
import { axisStyle, baseOptions, Chart, FONT_SIZE } from './setup';
import { drawStrokes, type Stroke } from './strokes';

export type RidgeData = QueryValue<'gradient_histograms'>;

/** How many rows the highest ridge covers. */
const RIDGE_HEIGHT = 3;

export class RidgeChart {
  readonly #chart: Chart<'line'>;
  readonly #canvas: HTMLCanvasElement;
  readonly #axesCache = createAxesCache<'line'>({ above: (axes) => drawStrokes(axes, this.#strokes) });
  #strokes: readonly Stroke[] = [];
  /** What the axes were laid out for. */
  #axesKey = '';
  #isTableOpen = false;
  #refresh: () => void = () => undefined;

  constructor(
    readonly host: HTMLElement,
    readonly context: Context,
  ) {
    host.classList.add('chart');
    this.#canvas = document.createElement('canvas');
    this.#canvas.setAttribute('role', 'img');
    this.#renderText('', null, [], () => undefined);
    this.#chart = new Chart(this.#canvas, {
      type: 'line',
      data: { datasets: [] },
      options: { ...baseOptions, scales: { x: { type: 'linear' }, y: { type: 'linear' } } },
      plugins: [this.#axesCache.plugin],
    });
  }

  /** @param names of all parameters; `choose` receives the one to draw instead */
  update(name: string, spread: RidgeData | null, names: readonly string[], choose: (name: string) => void): void {
    this.#draw(hasSizes(spread) ? spread : null);
    this.#refresh = () => this.#renderText(name, spread, names, choose);
    this.#refresh();
  }

  dispose(): void {
    this.#chart.destroy();
    render(nothing, this.host);
  }

  #draw(spread: RidgeData | null): void {
    const { theme } = this.context;
    const { steps = new Float64Array(), counts = new Uint32Array(), bins = 0, binsPerDecade = 4 } = spread ?? {};
    const low = spread ? Math.round(Math.log10(spread.low) * binsPerDecade) / binsPerDecade : -1;
    const rows = steps.length;
    const highest = counts.reduce((most, count) => Math.max(most, count), 1);
    const { background, palette } = theme;
    // The first one is drawn last: the newest row is in front.
    this.#strokes = Array.from({ length: rows }, (_, up): Stroke => {
      const row = counts.subarray((rows - 1 - up) * bins, (rows - up) * bins);
      const point = (at: number, count: number) => ({
        x: low + at / binsPerDecade,
        y: up + (RIDGE_HEIGHT * count) / highest,
      });
      return {
        points: [
          point(0, 0),
          ...[...row].flatMap((count, i) => [point(i, count), point(i + 1, count)]),
          point(bins, 0),
        ],
        color: toCss(palette[0], up === 0 || theme.highContrast ? 1 : 0.75),
        width: up === 0 ? 2 : 1,
        dash: [],
        radius: 0,
        connected: true,
        fill: { color: toCss(mixOklab(background, palette[0], up === 0 ? 0.45 : 0.2), 0.92), to: up },
      };
    });
    const range = { min: Math.floor(low), max: Math.max(Math.floor(low) + 1, Math.ceil(low + bins / binsPerDecade)) };
    const axes = [range.min, range.max, ...steps, theme.version].join(' ');
    if (axes === this.#axesKey) this.#axesCache.redraw(this.#chart);
    else this.#layout(range, steps);
    this.#axesKey = axes;
  }

  /** Takes longer than drawing, and axes change only with the steps. */
  #layout(range: Range, steps: Float64Array): void {
    const { theme } = this.context;
    const chart = this.#chart;
    const look = axisStyle(theme);
    const rows = steps.length;
    const title = (text: string) => ({
      display: true,
      text,
      padding: 0,
      color: toCss(theme.muted),
      font: { family: theme.fontFamily, size: FONT_SIZE },
    });
    Object.assign(chart.options.scales?.x ?? {}, {
      ...look,
      ...range,
      grid: { ...look.grid, display: true },
      title: title('size of an entry'),
      ticks: {
        ...look.ticks,
        precision: 0,
        maxTicksLimit: 10,
        callback: (tick: number | string) => (Number.isInteger(Number(tick)) ? formatPowerOfTen(Number(tick)) : ''),
      },
    });
    // Row i from the bottom has i newer rows below it.
    const stepAt = (up: number): string =>
      Number.isInteger(up) && up >= 0 && up < rows ? formatInteger(steps[rows - 1 - up]!) : '';
    Object.assign(chart.options.scales?.y ?? {}, {
      ...look,
      grid: { display: false },
      min: 0,
      max: Math.max(1, rows - 1) + RIDGE_HEIGHT,
      title: title('step'),
      ticks: {
        ...look.ticks,
        maxTicksLimit: 8,
        precision: 0,
        callback: (tick: number | string) => stepAt(Number(tick)),
      },
      afterFit: (axis: { width: number }) => {
        axis.width = Math.max(52, axis.width);
      },
    });
    chart.update();
  }

  #renderText(name: string, spread: RidgeData | null, names: readonly string[], choose: (name: string) => void): void {
    const steps = spread?.steps ?? new Float64Array();
    const last = steps.length - 1;
    this.#canvas.setAttribute(
      'aria-label',
      spread
        ? `Magnitudes of the entries of dL/d ${name} at ${pluralize(steps.length, 'step')} from ${steps[0]} to ${steps[last]}. ${describeStep(spread, last)}`
        : `Magnitudes of the entries of dL/d ${name}: nothing measured yet.`,
    );
    const how =
      'A ridge that moves left over the steps is a vanishing gradient. Two humps mean that a part of the layer hardly learns.';
    render(
      html`
        <div class="chart-head">
          <h2 title=${how}>Distribution over time</h2>
          <span class="unit">entries of the gradient by magnitude, four bins per decade</span>
          <label class="option field"
            ><span>dL/d</span>
            <select
              aria-label="Parameter whose gradient is drawn"
              @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}
            >
              ${names.map((each) => html`<option value=${each} .selected=${each === name}>${each}</option>`)}
            </select></label
          >
        </div>
        <p class="reading">${spread ? describeStep(spread, last) : nothing}</p>
        <div class="plot ridges">
          ${this.#canvas}${hasSizes(spread) ? nothing : html`<p class="plot-empty">${spread ? 'Every entry is exactly 0 or not finite.' : 'Nothing measured yet.'}</p>`}
        </div>
        <div class="chart-foot">
          <span class="how"
            >${renderIcon('info')} ${how} Steps are those at which gradients were looked at, in their order.</span
          >
          <details class="data" @toggle=${this.#toggle}>
            <summary>Table</summary>
            ${
              this.#isTableOpen && spread
                ? html`<p class="hint">
                      ${exportActions(this.context, { title: `Spread of dL/d ${name}`, table: () => ridgeTable(spread), canvas: this.#canvas })}
                    </p>
                    ${renderTable(spread)}`
                : nothing
            }
          </details>
        </div>
      `,
      this.host,
    );
  }

  readonly #toggle = (event: Event): void => {
    this.#isTableOpen = (event.target as HTMLDetailsElement).open;
    this.#refresh();
  };
}

/** False where there is nothing to draw: zeros have no place on a logarithmic axis. */
const hasSizes = (spread: RidgeData | null): spread is RidgeData => spread?.counts.some((count) => count > 0) === true;

/** The median up to its bin, and the values that are not on the axis. */
function describeStep(spread: RidgeData, row: number): string {
  const { bins, counts, entries, zeros, nonFinite, steps, low, binsPerDecade } = spread;
  const own = counts.subarray(row * bins, (row + 1) * bins);
  const sized = own.reduce((sum, count) => sum + count, 0);
  let below = 0;
  const median = own.findIndex((count) => (below += count) >= sized / 2);
  const power = (bin: number): string => (low * 10 ** (bin / binsPerDecade)).toExponential(1).replace('-', '−');
  const without = [
    [zeros[row]!, 'exactly 0'],
    [nonFinite[row]!, 'not finite'],
  ] as const;
  return (
    [
      `At step ${formatInteger(steps[row]!)}: ${pluralize(entries, 'entry', 'entries')}`,
      ...(sized > 0 ? [`the middle one between ${power(median)} and ${power(median + 1)}`] : []),
      ...without.flatMap(([count, what]) => (count > 0 ? [`${formatInteger(count)} ${what}`] : [])),
    ].join(', ') + '.'
  );
}

/** Counts by decade, the newest step first. */
function renderTable({ steps, bins, binsPerDecade, low, counts, zeros, nonFinite }: RidgeData): TemplateResult {
  const first = Math.round(Math.log10(low) * binsPerDecade);
  const decades = new Map<number, number[]>();
  for (let bin = 0; bin < bins; bin++) {
    const decade = Math.floor((first + bin) / binsPerDecade);
    decades.set(decade, [...(decades.get(decade) ?? []), bin]);
  }
  const rows = [...steps.keys()].reverse();
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table: entries by size">
    <table>
      <thead>
        <tr>
          <th scope="col">step</th>
          <th scope="col">exactly 0</th>
          ${[...decades.keys()].map((decade) => html`<th scope="col">from ${formatPowerOfTen(decade)}</th>`)}
          <th scope="col">not finite</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              <th scope="row">${formatInteger(steps[row]!)}</th>
              <td class="number">${formatInteger(zeros[row]!)}</td>
              ${[...decades.values()].map((own) => html`<td class="number">${formatInteger(own.reduce((sum, bin) => sum + counts[row * bins + bin]!, 0))}</td>`)}
              <td class="number">${formatInteger(nonFinite[row]!)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** One row per step, one column per bin. */
const ridgeTable = ({ steps, bins, binsPerDecade, low, counts, zeros, nonFinite }: RidgeData): TableExport => ({
  headers: [
    'step',
    'exactly 0',
    ...Array.from({ length: bins }, (_, bin) => `from ${formatExact(low * 10 ** (bin / binsPerDecade))}`),
    'not finite',
  ],
  rows: [...steps].map((step, row) => [
    step,
    zeros[row],
    ...counts.subarray(row * bins, (row + 1) * bins),
    nonFinite[row],
  ]),
});
