// How the gradient of recurrent layers changes on its way back through time: a line for each state that is carried from
// one time step to the next. The table below has every number.
import { html, nothing, render } from 'lit/html.js';
import type { LayerInfo, QueryValue } from '../../src/protocol/panel';
import { formatInteger, formatNumber } from '../../src/presentation/numbers';
import type { Context } from '../context';
import { exportActions } from '../controls/export-actions';
import { renderIcon, renderValue } from '../controls/number-value';
import type { TableExport } from '../export/table-export';
import { swatch } from './line-chart';
import { XyChart, type XyLine } from './xy-chart';

export interface StateLine extends Pick<XyLine, 'color' | 'dash'> {
  readonly name: string;
  readonly norms: QueryValue<'state_norms'>;
}

/** Rows shown on the page; the export has all. */
const MAX_ROWS = 100;

/** The states of all layers, by layer and short name. */
export const carriedStates = (layers: readonly LayerInfo[]) =>
  layers.flatMap(({ index, name, internals }) =>
    internals.flatMap(({ shortName, carried }) =>
      carried ? [{ layer: index, state: shortName, name: `${name}.${shortName}` }] : [],
    ),
  );

export class StateNormsChart {
  #chart: XyChart | null = null;

  constructor(
    readonly host: HTMLElement,
    readonly context: Context,
  ) {
    host.classList.add('chart');
  }

  update(lines: readonly StateLine[]): void {
    const drawn = lines.flatMap(({ norms: { gradient }, ...line }) => (gradient ? [{ ...line, gradient }] : []));
    this.host.hidden = drawn.length === 0;
    if (drawn.length === 0) return;
    const chart = (this.#chart ??= new XyChart(this.context));
    const exported = tableOf(drawn);
    render(
      html`
        <div class="chart-head">
          <h2>Gradient through time</h2>
          <span class="unit">Euclidean norm of dL/d state after each time step</span>
        </div>
        <div class="keys">
          ${drawn.map(
            ({ name, color, dash }) =>
              html`<span class="key"
                >${swatch({ name, color, dash, data: undefined, width: 2 })}<span class="key-name"
                  ><bdi>${name}</bdi></span
                ></span
              >`,
          )}
        </div>
        <div class="plot">${chart.canvas}</div>
        <div class="chart-foot">
          <span class="how"
            >${renderIcon('info')} A norm that falls toward the first time step vanishes through time: the layer cannot
            learn from what came early.</span
          >
        </div>
        <details class="data">
          <summary>Table</summary>
          <p class="hint">
            ${exported.rows.length > MAX_ROWS ? `The first ${MAX_ROWS} of ${formatInteger(exported.rows.length)} time steps.` : nothing}
            ${exportActions(this.context, { title: 'Gradient through time', table: () => exported, canvas: chart.canvas })}
          </p>
          <div class="scroll" tabindex="0" role="region" aria-label="Table: gradient through time">
            <table>
              <thead>
                <tr>
                  ${exported.headers.map((header) => html`<th scope="col"><bdi>${header}</bdi></th>`)}
                </tr>
              </thead>
              <tbody>
                ${exported.rows.slice(0, MAX_ROWS).map(
                  ([step, ...norms]) =>
                    html`<tr>
                      <th scope="row">${step}</th>
                      ${norms.map((norm) => html`<td>${renderValue(typeof norm === 'number' ? norm : null)}</td>`)}
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>
        </details>
      `,
      this.host,
    );
    chart.update(
      drawn.map(({ gradient, ...line }) => ({
        ...line,
        points: Array.from(gradient, (y, t) => ({ x: t + 1, y })),
      })),
      {
        x: { title: 'time step', scale: 'linear' },
        y: { title: 'norm', scale: 'logarithmic' },
        ariaLabel: `Norms of gradients by time step. ${drawn
          .map(
            ({ name, gradient }) =>
              `${name}: ${formatNumber(gradient[0]!)} at the first, ${formatNumber(gradient.at(-1)!)} at the last.`,
          )
          .join(' ')} The table below has all.`,
      },
    );
  }

  dispose(): void {
    this.#chart?.dispose();
    render(nothing, this.host);
  }
}

const tableOf = (lines: readonly { readonly name: string; readonly gradient: Float64Array }[]): TableExport => ({
  headers: ['time step', ...lines.map(({ name }) => name)],
  rows: Array.from({ length: Math.max(...lines.map(({ gradient }) => gradient.length)) }, (_, t) => [
    t + 1,
    ...lines.map(({ gradient }) => gradient[t] ?? null),
  ]),
});
