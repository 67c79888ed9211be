// Numeric derivatives against backprop, one point an entry: on the diagonal they agree. Both axes are symmetric and
// logarithmic, since gradients span many powers of ten; each verdict has a shape of its own.
import { html, nothing, render, svg, type TemplateResult } from 'lit/html.js';
import type { ChartDataset, Plugin } from 'chart.js';
import { toCss, type Rgb } from '../colours';
import type { Context } from '../context';
import type { CheckReport, Verdict } from '../../src/protocol/panel';
import { takeAway } from '../controls/take-away';
import { icon, value } from '../controls/value';
import { counted, formatPower, MINUS } from '../numbers';
import type { Sheet } from '../sheet';
import type { Theme } from '../theme';
import { verdictNames } from '../words';
import { axisLook, baseOptions, Chart, FONT_SIZE } from './setup';

/** The order of the report's `points.verdict`. */
export const VERDICT_ORDER = ['pass', 'wrong', 'kink', 'below_noise'] as const satisfies readonly Verdict[];

/** Decades shown on either side of zero; what is smaller than the last lies in the linear middle. */
const DECADES = 6;

/** Pixels to either side of a point within which an error bar lies under it. */
const BAR_SEEN = 3;

/** Rows on the page; the copy has all of them. */
const MOST_ROWS = 200;

/** A symmetric logarithm: linear below `small`, a decade an unit above. Odd, rising, 0 at 0. */
export function symmetricLog(value: number, small: number): number {
  return Math.sign(value) * Math.log10(1 + Math.abs(value) / small);
}

export function inverseSymmetricLog(position: number, small: number): number {
  return Math.sign(position) * small * (10 ** Math.abs(position) - 1);
}

/** Six decades under the largest value. */
export function smallest(report: CheckReport): number {
  let largest = 0;
  const { analytic, numeric } = report.points;
  for (const values of [analytic, numeric]) {
    for (const one of values) if (Number.isFinite(one)) largest = Math.max(largest, Math.abs(one));
  }
  return largest > 0 ? 10 ** (Math.ceil(Math.log10(largest)) - DECADES) : 1;
}

const shapes: Record<Verdict, { pointStyle: 'circle' | 'crossRot' | 'triangle' | 'rect'; radius: number }> = {
  pass: { pointStyle: 'circle', radius: 2.5 },
  wrong: { pointStyle: 'crossRot', radius: 6 },
  kink: { pointStyle: 'triangle', radius: 5 },
  below_noise: { pointStyle: 'rect', radius: 3 },
};

export function verdictColour(verdict: Verdict, theme: Theme): Rgb {
  return { pass: theme.good, wrong: theme.bad, kink: theme.warning, below_noise: theme.muted }[verdict];
}

export class ScatterChart {
  readonly #chart: Chart<'scatter'>;
  readonly #canvas: HTMLCanvasElement;
  #report: CheckReport | null = null;
  #small = 1;
  /** Index of the point that is read. */
  #point: number | null = null;
  #open = false;

  constructor(
    readonly host: HTMLElement,
    readonly context: Context,
    /** An entry was clicked. */
    open: (parameter: string, index: number) => void,
  ) {
    host.classList.add('chart');
    this.#canvas = document.createElement('canvas');
    this.#canvas.setAttribute('role', 'img');
    this.#text();
    this.#chart = new Chart(this.#canvas, {
      type: 'scatter',
      data: { datasets: [] },
      options: { ...baseOptions, scales: { x: { type: 'linear' }, y: { type: 'linear' } } },
      plugins: [this.#diagonal(), this.#bars()],
    });
    this.#canvas.addEventListener('pointermove', (event) => this.#hover(event));
    this.#canvas.addEventListener('pointerleave', () => this.#read(null));
    this.#canvas.addEventListener('click', () => {
      const [report, i] = [this.#report, this.#point];
      if (report && i !== null) open(report.parameters[report.points.parameter[i]].name, report.points.index[i]);
    });
  }

  update(report: CheckReport): void {
    if (report !== this.#report) this.#point = null;
    this.#report = report;
    this.#small = smallest(report);
    const { theme } = this.context;
    const { analytic, numeric, verdict } = report.points;
    const at = (one: number): number => symmetricLog(one, this.#small);
    this.#chart.data.datasets = VERDICT_ORDER.map((name, kind): ChartDataset<'scatter'> => {
      const colour = verdictColour(name, theme);
      const indices = [...analytic.keys()].filter((i) => verdict[i] === kind);
      return {
        data: indices.map((i) => ({ x: at(numeric[i]), y: at(analytic[i]), index: i })),
        ...shapes[name],
        backgroundColor: toCss(colour, name === 'pass' ? 0.55 : 0.9),
        borderColor: toCss(colour),
        borderWidth: name === 'wrong' ? 2 : 1,
        // What matters most lies on top.
        order: ['wrong', 'kink', 'pass', 'below_noise'].indexOf(name),
      };
    });
    const limit = DECADES + 0.2;
    const look = axisLook(theme);
    for (const [id, text] of [['x', 'numeric'], ['y', 'backprop']] as const) {
      Object.assign(this.#chart.options.scales?.[id] ?? {}, {
        ...look,
        min: -limit,
        max: limit,
        title: { display: true, text: `dL/dw, ${text}`, padding: 0, color: toCss(theme.muted), font: { family: theme.fontFamily, size: FONT_SIZE } },
        ticks: { ...look.ticks, autoSkip: false, callback: (tick: number) => this.#tick(tick) },
        afterBuildTicks: (axis: { ticks: { value: number }[] }) => {
          axis.ticks = [-DECADES, -DECADES + 2, -DECADES + 4, 0, DECADES - 4, DECADES - 2, DECADES].map((exponent) => ({
            // The tick of a power of ten: not a whole number near the middle.
            value: exponent === 0 ? 0 : symmetricLog(Math.sign(exponent) * this.#small * 10 ** Math.abs(exponent), this.#small),
          }));
        },
      });
    }
    this.#chart.update();
    this.#text();
  }

  dispose(): void {
    this.#chart.destroy();
    render(nothing, this.host);
  }

  #tick(position: number): string {
    if (position === 0) return '0';
    const exponent = Math.round(Math.log10(Math.abs(inverseSymmetricLog(position, this.#small))));
    return `${position < 0 ? MINUS : ''}${formatPower(exponent)}`;
  }

  #diagonal(): Plugin<'scatter'> {
    return {
      id: 'diagonal',
      beforeDatasetsDraw: ({ ctx, chartArea: area }) => {
        ctx.save();
        ctx.strokeStyle = toCss(this.context.theme.foreground, 0.45);
        ctx.setLineDash([5, 4]);
        ctx.beginPath();
        ctx.moveTo(area.left, area.bottom);
        ctx.lineTo(area.right, area.top);
        ctx.stroke();
        ctx.restore();
      },
    };
  }

  /** Error bars of the numeric values, where they are long enough to be seen. */
  #bars(): Plugin<'scatter'> {
    return {
      id: 'bars',
      beforeDatasetsDraw: ({ ctx, chartArea: area, scales: { x, y } }) => {
        const points = this.#report?.points;
        if (!points) return;
        const { theme } = this.context;
        const [toX, toY] = [x, y].map((scale) => (one: number) => scale.getPixelForValue(symmetricLog(one, this.#small)));
        ctx.save();
        ctx.lineWidth = 1.25;
        ctx.beginPath();
        ctx.rect(area.left, area.top, area.width, area.height);
        ctx.clip();
        for (let i = 0; i < points.numeric.length; i++) {
          const [left, right] = [toX(points.numeric[i] - points.bar[i]), toX(points.numeric[i] + points.bar[i])];
          if (!(right - left > 2 * BAR_SEEN)) continue;
          const at = toY(points.analytic[i]);
          ctx.strokeStyle = toCss(verdictColour(VERDICT_ORDER[points.verdict[i]], theme), 0.7);
          ctx.beginPath();
          ctx.moveTo(left, at);
          ctx.lineTo(right, at);
          for (const end of [left, right]) {
            ctx.moveTo(end, at - 3);
            ctx.lineTo(end, at + 3);
          }
          ctx.stroke();
        }
        ctx.restore();
      },
    };
  }

  #hover(event: PointerEvent): void {
    const near = this.#chart.getElementsAtEventForMode(event, 'nearest', { intersect: false }, false)[0];
    if (!near) return this.#read(null);
    const point = this.#chart.data.datasets[near.datasetIndex].data[near.index] as { index?: number } | undefined;
    this.#read(point?.index ?? null);
  }

  #read(point: number | null): void {
    if (point === this.#point) return;
    this.#point = point;
    this.#text();
  }

  #text(): void {
    const report = this.#report;
    const { theme } = this.context;
    const { points, counts } = report ?? {};
    const shown = points?.analytic.length ?? 0;
    const i = this.#point;
    this.#canvas.setAttribute(
      'aria-label',
      report ? `Numeric derivatives against backprop: ${counted(shown, 'entry', 'entries')}, ${counts?.wrong ?? 0} wrong. The table above has them by parameter.` : 'Nothing checked yet.',
    );
    render(
      html`
        <div class="chart-head"><h2>Numeric against backprop</h2><span class="unit">dL/dw, one point an entry</span></div>
        <div class="keys">
          ${VERDICT_ORDER.map(
            (name) => html`<span class="key">
              <svg class="shape" width="10" height="10" viewBox="-5 -5 10 10" aria-hidden="true">${shape(name, toCss(verdictColour(name, theme)))}</svg>
              ${verdictNames[name]} <span class="number">${counts?.[name] ?? 0}</span>
            </span>`,
          )}
        </div>
        <div class="plot square">${this.#canvas}</div>
        <p class="reading" aria-live="off">
          ${
            points && i !== null
              ? html`<b>${report?.parameters[points.parameter[i]]?.name}</b> backprop ${value(points.analytic[i])}, numeric ${value(points.numeric[i])} <span class="hint">±</span> ${value(points.bar[i])}: ${verdictNames[VERDICT_ORDER[points.verdict[i]]]}`
              : html`${icon('info')} On the dashed diagonal the two agree. Lines across a point are the error bar of its numeric value; a shorter one lies under the point. Point at an entry to read it, click it to open it.${
                  report && shown < report.checked ? ` ${shown} of ${report.checked} entries are drawn, every wrong and kinked one first.` : ''
                }`
          }
        </p>
        <div class="chart-foot">
          <details class="data" @toggle=${this.#toggle}>
            <summary>Table</summary>
            ${this.#open && report ? this.#table(report) : nothing}
          </details>
        </div>
      `,
      this.host,
    );
  }

  readonly #toggle = (event: Event): void => {
    this.#open = (event.target as HTMLDetailsElement).open;
    this.#text();
  };

  #table(report: CheckReport): TemplateResult {
    const { analytic, numeric, bar, parameter, verdict } = report.points;
    const rows = [...analytic.keys()].slice(0, MOST_ROWS);
    return html`
      <p class="hint">
        ${rows.length < analytic.length ? `The first ${rows.length} of ${analytic.length} entries, every wrong and kinked one first.` : nothing}
        ${takeAway(this.context, { title: 'Numeric against backprop', sheet: () => sheetOf(report), canvas: this.#canvas })}
      </p>
      <div class="scroll" tabindex="0" role="region" aria-label="Table: numeric against backprop">
        <table>
          <thead><tr><th scope="col">parameter</th><th scope="col">backprop</th><th scope="col">numeric</th><th scope="col">error bar</th><th scope="col">verdict</th></tr></thead>
          <tbody>
            ${rows.map(
              (i) => html`<tr>
                <td class="text">${report.parameters[parameter[i]]?.name}</td>
                <td>${value(analytic[i], { signed: true })}</td>
                <td>${value(numeric[i], { signed: true })}</td>
                <td>${value(bar[i])}</td>
                <td class="text">${verdictNames[VERDICT_ORDER[verdict[i]]]}</td>
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
    `;
  }
}

/** A row an entry. */
export const sheetOf = ({ points, parameters }: CheckReport): Sheet => ({
  heads: ['parameter', 'backprop', 'numeric', 'error bar', 'verdict'],
  rows: [...points.analytic.keys()].map((i) => [
    parameters[points.parameter[i]]?.name, points.analytic[i], points.numeric[i], points.bar[i], VERDICT_ORDER[points.verdict[i]],
  ]),
});

/** The same shapes as in the plot, for its key. */
function shape(verdict: Verdict, colour: string): TemplateResult<2> {
  switch (verdict) {
    case 'pass':
      return svg`<circle r="3" fill=${colour} />`;
    case 'wrong':
      return svg`<path d="M-4 -4 L4 4 M-4 4 L4 -4" stroke=${colour} stroke-width="2" />`;
    case 'kink':
      return svg`<path d="M0 -4.5 L4.5 4 L-4.5 4 Z" fill=${colour} />`;
    case 'below_noise':
      return svg`<rect x="-3" y="-3" width="6" height="6" fill=${colour} />`;
  }
}
