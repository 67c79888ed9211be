// How the sizes of a gradient's entries were spread, step after step: a ridge a step, the newest in front, over a
// logarithmic axis that all share.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import { mix, toCss } from '../colours';
import type { Context } from '../context';
import type { AnswerTo } from '../../src/protocol/panel';
import { takeAway } from '../controls/take-away';
import { icon } from '../controls/value';
import { counted, formatCount, formatPower, fullNumber } from '../numbers';
import type { Sheet } from '../sheet';
import type { Range } from './axes';
import { groundOf } from './ground';
import { axisLook, baseOptions, Chart, FONT_SIZE } from './setup';
import { drawStrokes, type Stroke } from './strokes';

export type Spread = AnswerTo<'ridges'>;

/** How many rows the highest ridge covers. */
const HEIGHT = 3;

export class RidgeChart {
  readonly #chart: Chart<'line'>;
  readonly #canvas: HTMLCanvasElement;
  readonly #ground = groundOf<'line'>({ over: (axes) => drawStrokes(axes, this.#strokes) });
  #strokes: readonly Stroke[] = [];
  /** What the axes were laid out for. */
  #axes = '';
  #open = false;
  #refresh: () => void = () => undefined;

  constructor(
    readonly host: HTMLElement,
    readonly context: Context,
  ) {
    host.classList.add('chart');
    this.#canvas = document.createElement('canvas');
    this.#canvas.setAttribute('role', 'img');
    this.#text('', null, [], () => undefined);
    this.#chart = new Chart(this.#canvas, {
      type: 'line',
      data: { datasets: [] },
      options: { ...baseOptions, scales: { x: { type: 'linear' }, y: { type: 'linear' } } },
      plugins: [this.#ground.plugin],
    });
  }

  /** @param names of all parameters; `choose` is told which one to draw instead. */
  update(name: string, spread: Spread | null, names: readonly string[], choose: (name: string) => void): void {
    this.#draw(spread);
    this.#refresh = () => this.#text(name, spread, names, choose);
    this.#refresh();
  }

  dispose(): void {
    this.#chart.destroy();
    render(nothing, this.host);
  }

  #draw(spread: Spread | null): void {
    const { theme } = this.context;
    const { steps = new Float64Array(), counts = new Uint32Array(), bins = 0, binsPerDecade = 4 } = spread ?? {};
    const low = spread ? Math.round(Math.log10(spread.low) * binsPerDecade) / binsPerDecade : -1;
    const rows = steps.length;
    const highest = counts.reduce((most, count) => Math.max(most, count), 1);
    const { background, palette } = theme;
    // The first one is drawn last: the newest row stands in front.
    this.#strokes = Array.from({ length: rows }, (_, up): Stroke => {
      const row = counts.subarray((rows - 1 - up) * bins, (rows - up) * bins);
      const point = (at: number, count: number) => ({ x: low + at / binsPerDecade, y: up + (HEIGHT * count) / highest });
      return {
        points: [point(0, 0), ...[...row].flatMap((count, i) => [point(i, count), point(i + 1, count)]), point(bins, 0)],
        colour: toCss(palette[0], up === 0 || theme.highContrast ? 1 : 0.75),
        width: up === 0 ? 2 : 1, dash: [], radius: 0, line: true,
        fill: { colour: toCss(mix(background, palette[0], up === 0 ? 0.45 : 0.2), 0.92), to: up },
      };
    });
    const range = { min: Math.floor(low), max: Math.max(Math.floor(low) + 1, Math.ceil(low + bins / binsPerDecade)) };
    const axes = [range.min, range.max, ...steps, theme.version].join(' ');
    if (axes === this.#axes) this.#ground.redraw(this.#chart);
    else this.#layOut(range, steps);
    this.#axes = axes;
  }

  /** Takes longer than drawing, and axes change only with the steps. */
  #layOut(range: Range, steps: Float64Array): void {
    const { theme } = this.context;
    const chart = this.#chart;
    const look = axisLook(theme);
    const rows = steps.length;
    const title = (text: string) => ({ display: true, text, padding: 0, color: toCss(theme.muted), font: { family: theme.fontFamily, size: FONT_SIZE } });
    Object.assign(chart.options.scales?.x ?? {}, {
      ...look, ...range, grid: { ...look.grid, display: true },
      title: title('size of an entry'),
      ticks: { ...look.ticks, precision: 0, maxTicksLimit: 10, callback: (tick: number | string) => (Number.isInteger(Number(tick)) ? formatPower(Number(tick)) : '') },
    });
    // A row lies as many rows up as there are newer ones.
    const stepAt = (up: number): string => (Number.isInteger(up) && up >= 0 && up < rows ? formatCount(steps[rows - 1 - up]) : '');
    Object.assign(chart.options.scales?.y ?? {}, {
      ...look, grid: { display: false }, min: 0, max: Math.max(1, rows - 1) + HEIGHT, title: title('step'),
      ticks: { ...look.ticks, maxTicksLimit: 8, precision: 0, callback: (tick: number | string) => stepAt(Number(tick)) },
      afterFit: (axis: { width: number }) => {
        axis.width = Math.max(52, axis.width);
      },
    });
    chart.update();
  }

  #text(name: string, spread: Spread | null, names: readonly string[], choose: (name: string) => void): void {
    const steps = spread?.steps ?? new Float64Array();
    const last = steps.length - 1;
    this.#canvas.setAttribute(
      'aria-label',
      spread
        ? `Sizes of the entries of dL/d ${name} at ${counted(steps.length, 'step')} from ${steps[0]} to ${steps[last]}. ${sentence(spread, last)}`
        : `Sizes of the entries of dL/d ${name}: nothing measured yet.`,
    );
    const how = 'A ridge that wanders left over the steps is a gradient that fades; one with two humps, a layer of which a part hardly learns.';
    render(
      html`
        <div class="chart-head"><h2 title=${how}>Spread over time</h2><span class="unit">entries of the gradient by size, a quarter of a decade a bin</span>
          <label class="option field"><span>dL/d</span> <select aria-label="Parameter whose gradient is drawn" @change=${(event: Event) => choose((event.target as HTMLSelectElement).value)}>
            ${names.map((each) => html`<option value=${each} .selected=${each === name}>${each}</option>`)}
          </select></label>
        </div>
        <p class="reading">${spread ? sentence(spread, last) : nothing}</p>
        <div class="plot ridges">${this.#canvas}${spread ? nothing : html`<p class="plot-empty">Nothing measured yet.</p>`}</div>
        <div class="chart-foot">
          <span class="how">${icon('info')} ${how} Steps are those at which gradients were looked at, in their order.</span>
          <details class="data" @toggle=${this.#toggle}><summary>Table</summary>${this.#open && spread ? html`<p class="hint">${takeAway(this.context, { title: `Spread of dL/d ${name}`, sheet: () => sheetOf(spread), canvas: this.#canvas })}</p>${table(spread)}` : nothing}</details>
        </div>
      `,
      this.host,
    );
  }

  readonly #toggle = (event: Event): void => {
    this.#open = (event.target as HTMLDetailsElement).open;
    this.#refresh();
  };
}

/** Where half of the entries lie below, to its bin, and what has no place on the axis. */
function sentence(spread: Spread, row: number): string {
  const { bins, counts, entries, zeros, nonFinite, steps, low, binsPerDecade } = spread;
  const own = counts.subarray(row * bins, (row + 1) * bins);
  const sized = own.reduce((sum, count) => sum + count, 0);
  let below = 0;
  const median = own.findIndex((count) => (below += count) >= sized / 2);
  const power = (bin: number): string => (low * 10 ** (bin / binsPerDecade)).toExponential(1).replace('-', '−');
  const without = [[zeros[row], 'exactly 0'], [nonFinite[row], 'not finite']] as const;
  return [
    `At step ${formatCount(steps[row])}: ${counted(entries, 'entry', 'entries')}`,
    ...(sized > 0 ? [`the middle one between ${power(median)} and ${power(median + 1)}`] : []),
    ...without.flatMap(([count, what]) => (count > 0 ? [`${formatCount(count)} ${what}`] : [])),
  ].join(', ') + '.';
}

/** Counts by decade, the newest step first. */
function table({ steps, bins, binsPerDecade, low, counts, zeros, nonFinite }: Spread): TemplateResult {
  const first = Math.round(Math.log10(low) * binsPerDecade);
  const decades = new Map<number, number[]>();
  for (let bin = 0; bin < bins; bin++) {
    const decade = Math.floor((first + bin) / binsPerDecade);
    decades.set(decade, [...(decades.get(decade) ?? []), bin]);
  }
  const rows = [...steps.keys()].reverse();
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Table: entries by size">
    <table>
      <thead><tr><th scope="col">step</th><th scope="col">exactly 0</th>
        ${[...decades.keys()].map((decade) => html`<th scope="col">from ${formatPower(decade)}</th>`)}
        <th scope="col">not finite</th></tr></thead>
      <tbody>${rows.map((row) => html`<tr><th scope="row">${formatCount(steps[row])}</th><td class="number">${formatCount(zeros[row])}</td>
        ${[...decades.values()].map((own) => html`<td class="number">${formatCount(own.reduce((sum, bin) => sum + counts[row * bins + bin], 0))}</td>`)}
        <td class="number">${formatCount(nonFinite[row])}</td></tr>`)}</tbody>
    </table>
  </div>`;
}

/** A row a step, a column a bin. */
const sheetOf = ({ steps, bins, binsPerDecade, low, counts, zeros, nonFinite }: Spread): Sheet => ({
  heads: ['step', 'exactly 0', ...Array.from({ length: bins }, (_, bin) => `from ${fullNumber(low * 10 ** (bin / binsPerDecade))}`), 'not finite'],
  rows: [...steps].map((step, row) => [step, zeros[row], ...counts.subarray(row * bins, (row + 1) * bins), nonFinite[row]]),
});
