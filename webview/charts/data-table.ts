// The data behind a chart as a table that opens on demand, and can be copied completely with every digit.
import { html, nothing, type TemplateResult } from 'lit/html.js';
import type { Context } from '../context';
import type { SeriesData } from '../../src/protocol/panel';
import { exportActions } from '../controls/export-actions';
import { renderValue, renderValueRange } from '../controls/number-value';
import { formatInteger } from '../../src/presentation/numbers';
import type { TableExport } from '../export/table-export';

export interface Column {
  readonly name: string;
  readonly data: SeriesData | undefined;
}

/** Rows shown on the page; copying includes all. */
const MAX_ROWS = 100;

/** Every step that any column has, ascending. */
export function allSteps(columns: readonly Column[]): number[] {
  const steps = new Set<number>();
  for (const { data } of columns) data?.steps.forEach((step) => steps.add(step));
  return [...steps].sort((a, b) => a - b);
}

/** Index of a step in a column; -1 if it has none. */
function valueAtStep({ data }: Column, step: number): number {
  const steps = data?.steps ?? new Float64Array();
  let from = 0;
  let to = steps.length;
  while (from < to) {
    const half = (from + to) >> 1;
    if (steps[half]! < step) from = half + 1;
    else to = half;
  }
  return steps[from] === step ? from : -1;
}

/** One row per step. If a row spans several steps, its column becomes two: minimum and maximum. */
export function seriesTable(columns: readonly Column[]): TableExport {
  const wide = columns.map(
    ({ data }) => data !== undefined && data.low.some((low, i) => !Object.is(low, data.high[i])),
  );
  const heads = columns.flatMap(({ name }, i) => (wide[i] ? [`${name} smallest`, `${name} largest`] : [name]));
  const cells = (column: Column, i: number, step: number): (number | null)[] => {
    const at = valueAtStep(column, step);
    const [low, high] = column.data && at >= 0 ? [column.data.low[at]!, column.data.high[at]!] : [null, null];
    return wide[i] ? [low, high] : [low];
  };
  return {
    headers: ['step', ...heads],
    rows: allSteps(columns).map((step) => [step, ...columns.flatMap((column, i) => cells(column, i, step))]),
  };
}

export class DataTable {
  #isOpen = false;

  /** @param refresh redraws the text of the chart */
  constructor(
    readonly context: Context,
    readonly canvas: HTMLCanvasElement,
    readonly refresh: () => void,
  ) {}

  template(title: string, columns: readonly Column[]): TemplateResult {
    return html`<details class="data" @toggle=${this.#toggle}>
      <summary>Table</summary>
      ${this.#isOpen ? this.#renderBody(title, columns) : nothing}
    </details>`;
  }

  readonly #toggle = (event: Event): void => {
    this.#isOpen = (event.target as HTMLDetailsElement).open;
    this.refresh();
  };

  #renderBody(title: string, columns: readonly Column[]): TemplateResult {
    const steps = allSteps(columns);
    const shown = steps.slice(-MAX_ROWS).reverse();
    const stride = Math.max(1, ...columns.map(({ data }) => data?.stride ?? 1));
    return html`
      <p class="hint">
        ${steps.length > shown.length ? `The latest ${shown.length} of ${formatInteger(steps.length)} rows, the last first.` : 'The last step first.'}
        ${stride > 1 ? `Each row covers up to ${stride} steps: their smallest and largest value.` : nothing}
        ${exportActions(this.context, { title, table: () => seriesTable(columns), canvas: this.canvas })}
      </p>
      <div class="scroll" tabindex="0" role="region" aria-label=${`Table: ${title}`}>
        <table>
          <thead>
            <tr>
              <th scope="col">step</th>
              ${columns.map(({ name }) => html`<th scope="col">${name}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${shown.map(
              (step) =>
                html`<tr>
                  <th scope="row">${formatInteger(step)}</th>
                  ${columns.map((column) => {
                    const at = valueAtStep(column, step);
                    return html`<td>
                      ${column.data && at >= 0 ? renderValueRange(column.data.low[at]!, column.data.high[at]!) : renderValue(null)}
                    </td>`;
                  })}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    `;
  }
}
