// Numeric derivatives against backprop, one point per entry: they agree on the diagonal. Both axes are symmetric and
// logarithmic, since gradients span many powers of ten. Each verdict has its own shape.
import { html, nothing, render, svg, type TemplateResult } from 'lit/html.js';
import type { ChartDataset, Plugin } from 'chart.js';
import { toCss, type Rgb } from '../canvas/colors';
import type { Context } from '../context';
import type { CheckReport, Verdict } from '../../src/protocol/panel';
import { exportActions } from '../controls/export-actions';
import { renderIcon, renderValue } from '../controls/number-value';
import { pluralize, formatPowerOfTen, MINUS } from '../../src/presentation/numbers';
import type { TableExport } from '../export/table-export';
import type { Theme } from '../canvas/theme';
import { verdictLabels } from '../../src/presentation/verdicts';
import { axisStyle, baseOptions, Chart, FONT_SIZE } from './setup';

/** The order of the report's `points.verdict`. */
export const VERDICT_ORDER = ['pass', 'wrong', 'kink', 'below_noise'] as const satisfies readonly Verdict[];

/** Decades on either side of zero; smaller values are in the linear middle. */
const DECADES = 6;

/** Shorter error bars are hidden by the point. */
const MIN_ERROR_BAR_PIXELS = 3;

/** Rows shown on the page; copying includes all. */
const MAX_ROWS = 200;

/** A symmetric logarithm: linear below the threshold, one decade per unit above. Odd, increasing, 0 at 0. */
export function symlog(value: number, linearThreshold: number): number {
  return Math.sign(value) * Math.log10(1 + Math.abs(value) / linearThreshold);
}

export function inverseSymlog(position: number, linearThreshold: number): number {
  return Math.sign(position) * linearThreshold * (10 ** Math.abs(position) - 1);
}

/** Six decades below the largest value. */
export function findLinearThreshold(report: CheckReport): number {
  let largest = 0;
  const { analytic, numeric } = report.points;
  for (const values of [analytic, numeric]) {
    for (const one of values) if (Number.isFinite(one)) largest = Math.max(largest, Math.abs(one));
  }
  return largest > 0 ? 10 ** (Math.ceil(Math.log10(largest)) - DECADES) : 1;
}

const verdictMarkers: Record<Verdict, { pointStyle: 'circle' | 'crossRot' | 'triangle' | 'rect'; radius: number }> = {
  pass: { pointStyle: 'circle', radius: 2.5 },
  wrong: { pointStyle: 'crossRot', radius: 6 },
  kink: { pointStyle: 'triangle', radius: 5 },
  below_noise: { pointStyle: 'rect', radius: 3 },
};

export function verdictColor(verdict: Verdict, theme: Theme): Rgb {
  return { pass: theme.good, wrong: theme.bad, kink: theme.warning, below_noise: theme.muted }[verdict];
}

export class ScatterChart {
  readonly #chart: Chart<'scatter'>;
  readonly #canvas: HTMLCanvasElement;
  #report: CheckReport | null = null;
  #linearThreshold = 1;
  /** Index of the selected point. */
  #selectedPoint: number | null = null;
  #isTableOpen = false;

  constructor(
    readonly host: HTMLElement,
    readonly context: Context,
    /** An entry was clicked. */
    open: (parameter: string, index: number) => void,
  ) {
    host.classList.add('chart');
    this.#canvas = document.createElement('canvas');
    this.#canvas.setAttribute('role', 'img');
    this.#renderText();
    this.#chart = new Chart(this.#canvas, {
      type: 'scatter',
      data: { datasets: [] },
      options: { ...baseOptions, scales: { x: { type: 'linear' }, y: { type: 'linear' } } },
      plugins: [this.#diagonalPlugin(), this.#errorBarPlugin()],
    });
    this.#canvas.addEventListener('pointermove', (event) => this.#onPointerMove(event));
    this.#canvas.addEventListener('pointerleave', () => this.#selectPoint(null));
    this.#canvas.addEventListener('click', () => {
      const [report, i] = [this.#report, this.#selectedPoint];
      if (report && i !== null) open(report.parameters[report.points.parameter[i]!]!.name, report.points.index[i]!);
    });
  }

  update(report: CheckReport): void {
    if (report !== this.#report) this.#selectedPoint = null;
    this.#report = report;
    this.#linearThreshold = findLinearThreshold(report);
    const { theme } = this.context;
    const { analytic, numeric, verdict } = report.points;
    const at = (one: number): number => symlog(one, this.#linearThreshold);
    this.#chart.data.datasets = VERDICT_ORDER.map((name, kind): ChartDataset<'scatter'> => {
      const color = verdictColor(name, theme);
      const indices = [...analytic.keys()].filter((i) => verdict[i] === kind);
      return {
        data: indices.map((i) => ({ x: at(numeric[i]!), y: at(analytic[i]!), index: i })),
        ...verdictMarkers[name],
        backgroundColor: toCss(color, name === 'pass' ? 0.55 : 0.9),
        borderColor: toCss(color),
        borderWidth: name === 'wrong' ? 2 : 1,
        // The most important points are on top.
        order: ['wrong', 'kink', 'pass', 'below_noise'].indexOf(name),
      };
    });
    const limit = DECADES + 0.2;
    const look = axisStyle(theme);
    for (const [id, text] of [
      ['x', 'numeric'],
      ['y', 'backprop'],
    ] as const) {
      Object.assign(this.#chart.options.scales?.[id] ?? {}, {
        ...look,
        min: -limit,
        max: limit,
        title: {
          display: true,
          text: `dL/dw, ${text}`,
          padding: 0,
          color: toCss(theme.muted),
          font: { family: theme.fontFamily, size: FONT_SIZE },
        },
        ticks: { ...look.ticks, autoSkip: false, callback: (tick: number) => this.#formatTick(tick) },
        afterBuildTicks: (axis: { ticks: { value: number }[] }) => {
          axis.ticks = [-DECADES, -DECADES + 2, -DECADES + 4, 0, DECADES - 4, DECADES - 2, DECADES].map((exponent) => ({
            // Ticks are at powers of ten, which are not integers near the middle.
            value:
              exponent === 0
                ? 0
                : symlog(Math.sign(exponent) * this.#linearThreshold * 10 ** Math.abs(exponent), this.#linearThreshold),
          }));
        },
      });
    }
    this.#chart.update();
    this.#renderText();
  }

  dispose(): void {
    this.#chart.destroy();
    render(nothing, this.host);
  }

  #formatTick(position: number): string {
    if (position === 0) return '0';
    const exponent = Math.round(Math.log10(Math.abs(inverseSymlog(position, this.#linearThreshold))));
    return `${position < 0 ? MINUS : ''}${formatPowerOfTen(exponent)}`;
  }

  #diagonalPlugin(): Plugin<'scatter'> {
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

  /** Error bars of the numeric values, if they are long enough to be visible. */
  #errorBarPlugin(): Plugin<'scatter'> {
    return {
      id: 'bars',
      beforeDatasetsDraw: ({ ctx, chartArea: area, scales: { x, y } }) => {
        const points = this.#report?.points;
        if (!points) return;
        const { theme } = this.context;
        const toX = (value: number): number => x!.getPixelForValue(symlog(value, this.#linearThreshold));
        const toY = (value: number): number => y!.getPixelForValue(symlog(value, this.#linearThreshold));
        ctx.save();
        ctx.lineWidth = 1.25;
        ctx.beginPath();
        ctx.rect(area.left, area.top, area.width, area.height);
        ctx.clip();
        for (let i = 0; i < points.numeric.length; i++) {
          const [left, right] = [
            toX(points.numeric[i]! - points.errorBar[i]!),
            toX(points.numeric[i]! + points.errorBar[i]!),
          ];
          if (!(right - left > 2 * MIN_ERROR_BAR_PIXELS)) continue;
          const at = toY(points.analytic[i]!);
          ctx.strokeStyle = toCss(verdictColor(VERDICT_ORDER[points.verdict[i]!]!, theme), 0.7);
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

  #onPointerMove(event: PointerEvent): void {
    const near = this.#chart.getElementsAtEventForMode(event, 'nearest', { intersect: false }, false)[0];
    if (!near) return this.#selectPoint(null);
    const point = this.#chart.data.datasets[near.datasetIndex]!.data[near.index] as { index?: number } | undefined;
    this.#selectPoint(point?.index ?? null);
  }

  #selectPoint(point: number | null): void {
    if (point === this.#selectedPoint) return;
    this.#selectedPoint = point;
    this.#renderText();
  }

  #renderText(): void {
    const report = this.#report;
    const { theme } = this.context;
    const { points, counts } = report ?? {};
    const shown = points?.analytic.length ?? 0;
    const i = this.#selectedPoint;
    this.#canvas.setAttribute(
      'aria-label',
      report
        ? `Numeric derivatives against backprop: ${pluralize(shown, 'entry', 'entries')}, ${counts?.wrong ?? 0} wrong. The table above has them by parameter.`
        : 'Nothing checked yet.',
    );
    render(
      html`
        <div class="chart-head">
          <h2>Numeric vs. backprop</h2>
          <span class="unit">dL/dw, one point per entry</span>
        </div>
        <div class="keys">
          ${VERDICT_ORDER.map(
            (name) =>
              html`<span class="key">
                <svg class="shape" width="10" height="10" viewBox="-5 -5 10 10" aria-hidden="true">
                  ${renderMarker(name, toCss(verdictColor(name, theme)))}
                </svg>
                ${verdictLabels[name]} <span class="number">${counts?.[name] ?? 0}</span>
              </span>`,
          )}
        </div>
        <div class="plot square">${this.#canvas}</div>
        <p class="reading" aria-live="off">
          ${
            points && i !== null
              ? html`<b>${report?.parameters[points.parameter[i]!]?.name}</b> backprop
                  ${renderValue(points.analytic[i])}, numeric ${renderValue(points.numeric[i])}
                  <span class="hint">±</span> ${renderValue(points.errorBar[i])}:
                  ${verdictLabels[VERDICT_ORDER[points.verdict[i]!]!]}`
              : html`${renderIcon('info')} On the dashed diagonal the two agree. Lines across a point are the error bar
                of its numeric value; a short one is hidden by the point. Hover over an entry to read it, or click to
                open
                it.${
                  report && shown < report.checked
                    ? ` ${shown} of ${report.checked} entries are drawn, every wrong and kinked one first.`
                    : ''
                }`
          }
        </p>
        <div class="chart-foot">
          <details class="data" @toggle=${this.#toggle}>
            <summary>Table</summary>
            ${this.#isTableOpen && report ? this.#table(report) : nothing}
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

  #table(report: CheckReport): TemplateResult {
    const { analytic, numeric, errorBar, parameter, verdict } = report.points;
    const rows = [...analytic.keys()].slice(0, MAX_ROWS);
    return html`
      <p class="hint">
        ${rows.length < analytic.length ? `The first ${rows.length} of ${analytic.length} entries, every wrong and kinked one first.` : nothing}
        ${exportActions(this.context, { title: 'Numeric vs. backprop', table: () => scatterTable(report), canvas: this.#canvas })}
      </p>
      <div class="scroll" tabindex="0" role="region" aria-label="Table: numeric against backprop">
        <table>
          <thead>
            <tr>
              <th scope="col">parameter</th>
              <th scope="col">backprop</th>
              <th scope="col">numeric</th>
              <th scope="col">error bar</th>
              <th scope="col">verdict</th>
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              (i) =>
                html`<tr>
                  <td class="text">${report.parameters[parameter[i]!]?.name}</td>
                  <td>${renderValue(analytic[i], { signed: true })}</td>
                  <td>${renderValue(numeric[i], { signed: true })}</td>
                  <td>${renderValue(errorBar[i])}</td>
                  <td class="text">${verdictLabels[VERDICT_ORDER[verdict[i]!]!]}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    `;
  }
}

/** One row per entry. */
export const scatterTable = ({ points, parameters }: CheckReport): TableExport => ({
  headers: ['parameter', 'backprop', 'numeric', 'error bar', 'verdict'],
  rows: [...points.analytic.keys()].map((i) => [
    parameters[points.parameter[i]!]?.name,
    points.analytic[i],
    points.numeric[i],
    points.errorBar[i],
    VERDICT_ORDER[points.verdict[i]!],
  ]),
});

/** The shapes of the plot, for its legend. */
function renderMarker(verdict: Verdict, color: string): TemplateResult<2> {
  switch (verdict) {
    case 'pass':
      return svg`<circle r="3" fill=${color} />`;
    case 'wrong':
      return svg`<path d="M-4 -4 L4 4 M-4 4 L4 -4" stroke=${color} stroke-width="2" />`;
    case 'kink':
      return svg`<path d="M0 -4.5 L4.5 4 L-4.5 4 Z" fill=${color} />`;
    case 'below_noise':
      return svg`<rect x="-3" y="-3" width="6" height="6" fill=${color} />`;
  }
}
